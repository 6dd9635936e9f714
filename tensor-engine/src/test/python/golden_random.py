"""Golden values of io.fragua.random: JAX's bits for some keys.

    python golden_random.py > ../resources/golden/random.json

Made with jax 0.10.2 (CPU). Floats are written as their 32 bits.
"""

import json

import jax
import jax.numpy as jnp
import numpy as np

assert jax.config.jax_threefry_partitionable


def words(a):
    return np.asarray(a).reshape(-1).view(np.int32).tolist()


def key_words(key):
    return words(jax.random.key_data(key))


seeds = [0, 1, 42, 2**31 - 1, -1, -(2**31), 2**32 - 1]
with jax.enable_x64():
    wide = {str(s): key_words(jax.random.key(s)) for s in [2**32, 2**40 + 5, -(2**40)]}

key = jax.random.key(42)
shapes = [[], [1], [7], [3, 5], [2, 3, 4], [0]]
draws = []
for i, shape in enumerate(shapes + [[2000]]):
    k = jax.random.fold_in(key, i)
    draws.append(
        {
            "key": key_words(k),
            "shape": shape,
            "bits": words(jax.random.bits(k, shape)),
            "uniform": words(jax.random.uniform(k, shape)),
            "normal": words(jax.random.normal(k, shape)),
            "bernoulli": np.asarray(jax.random.bernoulli(k, 0.3, shape)).astype(int).reshape(-1).tolist(),
        }
    )



GAMMA = jnp.array([0.1, 0.9, 2.5, 300.0], jnp.float32)
RATES = jnp.array([0.0, 0.3, 2.0, 9.9], jnp.float32)


def families(k, shape):
    """Distributions as GoldenFamilies names them; integers or the bits of f32."""
    r = jax.random
    logits = jnp.arange(6, dtype=jnp.float32).reshape(2, 3) / 4
    weights = jnp.array([0.1, 0.0, 2.5, 1.0, 0.4], jnp.float32)
    return {
        "randint -5 9": r.randint(k, shape, -5, 9),
        "randint 0 65537": r.randint(k, shape, 0, 65537),
        "randint 3 1000003": r.randint(k, shape, 3, 1000003),
        "randint all": r.randint(k, shape, -(2**31), 2**31 - 1),
        "truncatedNormal -2 2": r.truncated_normal(k, -2.0, 2.0, shape),
        "truncatedNormal 1 inf": r.truncated_normal(k, 1.0, np.inf, shape),
        "exponential": r.exponential(k, shape),
        "laplace": r.laplace(k, shape),
        "gumbel": r.gumbel(k, shape),
        "cauchy": r.cauchy(k, shape),
        "rademacher": r.rademacher(k, shape),
        "categorical -1": r.categorical(k, logits, -1, (*shape, 2)),
        "categorical 0": r.categorical(k, logits, 0, (*shape, 3)),
        "choice 7": r.choice(k, 7, shape),
        "choice weighted": r.choice(k, 5, shape, p=weights / weights.sum()),
        "choice weighted, no replacement": r.choice(k, 5, (4,), False, weights / weights.sum()),
        "choice 2000, no replacement": r.choice(k, 2000, (3, 40), False),
        "permutation 1": r.permutation(k, 1),
        "permutation 3000": r.permutation(k, 3000),
        "permutation of rows": r.permutation(k, jnp.arange(21, dtype=jnp.float32).reshape(7, 3)),
        "permutation of columns": r.permutation(k, jnp.arange(21).reshape(3, 7), 1),
        "permutation of a vector": r.permutation(k, jnp.arange(9, dtype=jnp.float32) / 2),
        "gamma 0.3": r.gamma(k, 0.3, shape),
        "gamma 1": r.gamma(k, 1.0, shape),
        "gamma many": r.gamma(k, GAMMA, (*shape, 4)),
        "loggamma 0.001": r.loggamma(k, 0.001, shape),
        "loggamma many": r.loggamma(k, GAMMA, (*shape, 4)),
        "beta": r.beta(k, GAMMA, 0.7, (*shape, 4)),
        "dirichlet": r.dirichlet(k, GAMMA, shape),
        "poisson": r.poisson(k, RATES, (*shape, 4)),
        # one number a key: among many, JAX draws accepted ones again
        "poisson above 10": jax.vmap(lambda k: r.poisson(k, 31.5, ()))(r.split(k, 200)),
    }


more = []
for i, shape in enumerate([(), (7,), (3, 5), (400,)]):
    k = jax.random.fold_in(jax.random.key(7), i)
    for name, y in families(k, shape).items():
        more.append(
            {
                "key": key_words(k),
                "draws": list(shape),
                "name": name,
                "dtype": "f32" if y.dtype == jnp.float32 else "i32",
                "shape": list(y.shape),
                "words": words(y),
            }
        )

print(
    json.dumps(
        {
            "keys": {**{str(s): key_words(jax.random.key(s)) for s in seeds}, **wide},
            "split": {str(n): [key_words(k) for k in jax.random.split(key, n)] for n in [1, 2, 3, 10]},
            "fold_in": {
                str(d): key_words(jax.random.fold_in(key, jnp.int32(d)))
                for d in [0, 1, 7, 2**31 - 1, -1]
            },
            "draws": draws,
            "families": more,
        },
        separators=(",", ":"),
    )
)
