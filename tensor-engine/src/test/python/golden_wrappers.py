"""Golden values of layers around layers, spectral and weight norm, and of orthogonal initial values: Flax's and JAX's.

    python golden_wrappers.py > ../resources/golden/wrappers.json

Made with flax 0.12.8 (linen) and jax 0.10.2 (CPU). The names of the cases are those of LayerCases. Outputs and
gradients are those of sum(output * weights).
"""

import json

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

rng = np.random.default_rng(21)


def array(*shape):
    return jnp.asarray(rng.normal(size=shape).astype(np.float32))


def flat(a):
    return np.asarray(a).reshape(-1).tolist()


def ours(t, out=None):
    """Names without the layers', with _u, _sigma and _scale behind the kernel's."""
    out = {} if out is None else out
    for name, v in t.items():
        if isinstance(v, dict):
            ours(v, out)
        else:
            out["_".join(name.split("/")[-2:])] = flat(v)
    return out


def layer(module, x, update=None):
    call = {} if update is None else {"update_stats": update}
    variables = module.init(jax.random.key(0), x, **call)
    params = jax.tree.map(lambda p: array(*p.shape), variables["params"])
    state = jax.tree.map(lambda p: array(*p.shape), variables.get("batch_stats", {}))

    def f(params, x):
        return module.apply({"params": params, "batch_stats": state}, x, mutable=["batch_stats"], **call)

    y, new_state = f(params, x)
    weights = array(*y.shape)
    gp, gx = jax.grad(lambda p, x: (f(p, x)[0] * weights).sum(), (0, 1))(params, x)
    return {
        "x": flat(x),
        "params": ours(params),
        "state": ours(state),
        "output": flat(y),
        "new_state": ours(new_state.get("batch_stats", {})),
        "weights": flat(weights),
        "grad_x": flat(gx),
        "grad_params": ours(gp),
    }


conv = lambda: nn.Conv(2, (3,))
layers = {
    "spectral norm": layer(nn.SpectralNorm(nn.Dense(4)), array(5, 3), True),
    "spectral norm inference": layer(
        nn.SpectralNorm(nn.Dense(4), n_steps=3, epsilon=1e-3), array(5, 3), False
    ),
    "spectral norm of conv": layer(nn.SpectralNorm(conv()), array(2, 5, 3), True),
    "weight norm": layer(nn.WeightNorm(nn.Dense(4)), array(5, 3)),
    "weight norm of conv": layer(nn.WeightNorm(conv()), array(2, 5, 3)),
}

orthogonal = [
    {
        "key": np.asarray(jax.random.key_data(jax.random.key(i))).astype(int).tolist(),
        "scale": scale,
        "shape": list(shape),
        "values": flat(jax.nn.initializers.orthogonal(scale)(jax.random.key(i), shape)),
    }
    for i, (scale, shape) in enumerate(
        [(1.0, (4, 4)), (2.0, (5, 3)), (1.0, (3, 7)), (0.5, (2, 3, 4)), (1.0, (1, 1)), (1.0, (0, 3))]
    )
]

print(json.dumps({"layers": layers, "orthogonal": orthogonal}, indent=1))
