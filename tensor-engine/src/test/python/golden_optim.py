"""Golden values of io.fragua.optim: parameters after each of some Optax steps.

    python golden_optim.py > ../resources/golden/optim.json

Made with optax 0.2.8 on jax 0.10.2 (CPU). The names of the cases are those of OptimizerCases.
"""

import json

import jax.numpy as jnp
import numpy as np
import optax

STEPS = 6
rng = np.random.default_rng(0)
shapes = {"w": (2, 3), "b": (3,)}
start = {n: rng.normal(size=s).astype(np.float32) for n, s in shapes.items()}
# Sizes differ by step, so that clipping clips some of them.
grads = [
    {n: (rng.normal(size=s) * 10.0 ** (i % 3 - 1)).astype(np.float32) for n, s in shapes.items()}
    for i in range(STEPS)
]

cosine = optax.warmup_cosine_decay_schedule(0.0, 0.1, 2, 5, 0.01)
cases = {
    "sgd": optax.sgd(0.1),
    "sgd momentum": optax.sgd(0.1, momentum=0.9),
    "sgd nesterov": optax.sgd(0.1, momentum=0.9, nesterov=True),
    "adam": optax.adam(0.1),
    "adam settings": optax.adam(0.05, b1=0.8, b2=0.95, eps=1e-3),
    "adam cosine": optax.adam(cosine),
    "adamw": optax.adamw(0.1, weight_decay=0.05),
    "l2 sgd": optax.chain(optax.add_decayed_weights(0.1), optax.sgd(0.1)),
    "clip norm": optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1)),
    "clip value": optax.chain(optax.clip(0.5), optax.sgd(0.1)),
    "scale": optax.scale(-0.25),
}


def run(tx):
    params = {n: jnp.asarray(v) for n, v in start.items()}
    state = tx.init(params)
    steps = []
    for g in grads:
        updates, state = tx.update({n: jnp.asarray(v) for n, v in g.items()}, state, params)
        params = optax.apply_updates(params, updates)
        steps.append({n: np.asarray(v).reshape(-1).tolist() for n, v in params.items()})
    return steps


schedules = {
    "constant": optax.constant_schedule(0.3),
    "linear": optax.linear_schedule(1.0, 0.1, 8),
    "cosine": optax.warmup_cosine_decay_schedule(0.0, 0.5, 4, 10, 0.05),
    "cosine without warm-up": optax.cosine_decay_schedule(0.5, 10, 0.0),
    "exponential": optax.exponential_decay(0.5, 3, 0.7),
    "exponential staircase": optax.exponential_decay(0.5, 3, 0.7, staircase=True),
}

flat = lambda t: {n: v.reshape(-1).tolist() for n, v in t.items()}
print(
    json.dumps(
        {
            "start": flat(start),
            "grads": [flat(g) for g in grads],
            "cases": {n: run(tx) for n, tx in cases.items()},
            "schedules": {n: [float(s(i)) for i in range(13)] for n, s in schedules.items()},
        },
        indent=1,
    )
)
