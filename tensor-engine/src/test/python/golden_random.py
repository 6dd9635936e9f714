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
        },
        separators=(",", ":"),
    )
)
