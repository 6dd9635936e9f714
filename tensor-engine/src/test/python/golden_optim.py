"""Golden values of io.fragua.optim: parameters after each of some Optax steps.

    python golden_optim.py > ../resources/golden/optim.json

Made with optax 0.2.8 on jax 0.10.2 (CPU). The names of the cases are those of OptimizerCases.
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib

STEPS = 6
rng = np.random.default_rng(0)
shapes = {"w": (2, 3), "b": (3,)}
start = {n: rng.normal(size=s).astype(np.float32) for n, s in shapes.items()}
# Sizes differ by step, so that clipping clips some of them.
grads = [
    {n: (rng.normal(size=s) * 10.0 ** (i % 3 - 1)).astype(np.float32) for n, s in shapes.items()}
    for i in range(STEPS)
]



def layer_norm(bound):
    """Keras' clipnorm."""
    clip = lambda g: g * bound / jnp.maximum(jnp.linalg.norm(g), bound)
    return optax.stateless(lambda g, _: {n: clip(v) for n, v in g.items()})


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
    "rmsprop": optax.rmsprop(0.1),
    "rmsprop momentum": optax.rmsprop(0.05, decay=0.8, eps=1e-4, momentum=0.7),
    "adagrad": optax.adagrad(0.1),
    "adagrad from 0": optax.chain(
        optax.scale_by_rss(initial_accumulator_value=0.0, eps=1e-3), optax.scale(-0.1)
    ),
    "lion": optax.lion(0.02, weight_decay=1e-3),
    "lamb": optax.lamb(0.1, weight_decay=0.05),
    "adafactor": optax.adafactor(0.1),
    "adafactor factored": optax.adafactor(0.1, min_dim_size_to_factor=2),
    "adamw masked": optax.adamw(0.1, weight_decay=0.05, mask={"w": True, "b": False}),
    "multi steps": optax.MultiSteps(optax.adam(0.1), every_k_schedule=2),
    "params ema": optax.sgd(0.1),
    "nadam": optax.nadam(0.1),
    "radam": optax.radam(0.1),
    "radam settings": optax.radam(0.1, b1=0.8, b2=0.8, eps=1e-4),
    "radam early": optax.radam(0.1, b1=0.8, b2=0.95, eps=1e-4),
    "amsgrad": optax.amsgrad(0.1),
    "adamax": optax.adamax(0.1),
    "adadelta": optax.adadelta(1.0),
    "lars": optax.lars(1.0, weight_decay=0.05),
    "muon": optax.contrib.muon(0.1, weight_decay=0.05),
    "clip layer norm": optax.chain(layer_norm(1.0), optax.sgd(0.1)),
    "adaptive clip": optax.chain(optax.adaptive_grad_clip(0.5), optax.sgd(0.1)),
    "lookahead": optax.lookahead(optax.sgd(0.1, momentum=0.9), 2, 0.4),
    "adamw settings": optax.adamw(0.1, 0.8, 0.95, 1e-3, weight_decay=0.05, mask={"w": True, "b": False}),
    "lion settings": optax.lion(0.02, 0.8, 0.95, weight_decay=1e-2, mask={"w": True, "b": False}),
    "lamb settings": optax.lamb(0.1, 0.8, 0.95, 1e-3, weight_decay=0.05, mask={"w": True, "b": False}),
    "nadam settings": optax.nadam(0.1, 0.8, 0.95, 1e-3),
    "rmsprop centred": optax.rmsprop(0.05, 0.8, 1e-4, centered=True),
    "rmsprop centred momentum": optax.rmsprop(0.05, 0.8, 1e-4, centered=True, momentum=0.7),
    "adabelief": optax.adabelief(0.1),
    "adabelief settings": optax.adabelief(0.1, 0.8, 0.95, 1e-3, 1e-4),
    "adam root": optax.adam(0.1, 0.8, 0.95, 1e-3, 1e-2),
    "adagrad settings": optax.adagrad(0.1, 0.5, 1e-3),
    "adadelta settings": optax.adadelta(1.0, 0.8, 1e-3),
    "lars settings": optax.lars(
        1.0, 0.05, {"w": True, "b": False}, 0.01, 1e-2, {"w": True, "b": False}, 0.8, True
    ),
    "adafactor settings": optax.adafactor(
        0.1, 2, 0.7, multiply_by_parameter_scale=False, clipping_threshold=0.5, momentum=0.8,
        weight_decay_rate=0.01, eps=1e-6
    ),
    "muon settings": optax.contrib.muon(0.1, ns_steps=3, beta=0.8, weight_decay=0.05, nesterov=False),
    "partition": optax.partition(
        {"slow": optax.sgd(0.01), "fast": optax.adam(0.1)}, {"w": "fast", "b": "slow"}
    ),
    "apply if finite": optax.apply_if_finite(optax.adam(0.1), 2),
    "stored rate": optax.chain(optax.scale_by_adam(), optax.inject_hyperparams(optax.sgd)(0.05)),
}
# The length of what radam has gathered is a difference of large numbers, so it is computed in f64.
IN_F64 = {"radam", "radam settings", "radam early"}


def run(tx, dtype=jnp.float32):
    params = {n: jnp.asarray(v, dtype) for n, v in start.items()}
    ahead = "lookahead" in str(tx.update)
    if ahead:
        params = optax.LookaheadParams.init_synced(params)
    state = tx.init(params)
    steps = []
    for g in grads:
        updates, state = tx.update({n: jnp.asarray(v, dtype) for n, v in g.items()}, state, params)
        params = optax.apply_updates(params, updates)
        now = params.fast if ahead else params
        steps.append({n: np.asarray(v).reshape(-1).tolist() for n, v in now.items()})
    return steps


def precise(tx):
    jax.config.update("jax_enable_x64", True)
    steps = run(tx, jnp.float64)
    jax.config.update("jax_enable_x64", False)
    return steps


def averages(tx, decay):
    """The average of the parameters after each step."""
    ema = optax.ema(decay, debias=True)
    state = ema.init({n: jnp.asarray(v) for n, v in start.items()})
    out = []
    for p in run(tx):
        p = {n: jnp.asarray(v, jnp.float32).reshape(shapes[n]) for n, v in p.items()}
        average, state = ema.update(p, state)
        out.append({n: np.asarray(v).reshape(-1).tolist() for n, v in average.items()})
    return out


schedules = {
    "constant": optax.constant_schedule(0.3),
    "linear": optax.linear_schedule(1.0, 0.1, 8),
    "cosine": optax.warmup_cosine_decay_schedule(0.0, 0.5, 4, 10, 0.05),
    "cosine without warm-up": optax.cosine_decay_schedule(0.5, 10, 0.0),
    "exponential": optax.exponential_decay(0.5, 3, 0.7),
    "exponential staircase": optax.exponential_decay(0.5, 3, 0.7, staircase=True),
    "polynomial": optax.polynomial_schedule(0.5, 0.1, 2.0, 9),
    "polynomial of a root": optax.polynomial_schedule(0.1, 0.5, 0.5, 9),
    "piecewise constant": optax.piecewise_constant_schedule(0.5, {3: 0.1, 8: 0.5}),
    "cosine onecycle": optax.cosine_onecycle_schedule(10, 0.5),
    "cosine onecycle settings": optax.cosine_onecycle_schedule(11, 0.5, 0.5, 10.0, 100.0),
    "linear onecycle": optax.linear_onecycle_schedule(10, 0.5),
    "cosine restarts": optax.sgdr_schedule(
        [dict(init_value=0.5, peak_value=0.5, warmup_steps=0, decay_steps=n, end_value=0.1) for n in (2, 4, 8)]
    ),
    "join": optax.join_schedules(
        [optax.linear_schedule(0.0, 0.5, 4), optax.exponential_decay(0.5, 3, 0.7)], [4]
    ),
    "warm-up of both": optax.schedules.warmup_exponential_decay_schedule(0.0, 0.5, 4, 3, 0.7),
}

schedules |= {
    "linear onecycle settings": optax.linear_onecycle_schedule(11, 0.5, 0.4, 0.7, 10.0, 100.0),
    "exponential to": optax.exponential_decay(0.5, 3, 0.7, 2, end_value=0.2),
    "exponential growth": optax.exponential_decay(0.5, 3, 1.5, 3, True, 1.2),
}


def not_finite():
    """Parameters where some gradients are infinite or NaN, five of them one after the other."""
    tx = optax.apply_if_finite(optax.sgd(0.5, momentum=0.5), 2)
    p = {"w": jnp.asarray([1.0, 2.0])}
    state = tx.init(p)
    out = []
    for bad in [0, np.inf, 0, np.nan, -np.inf, 0, np.inf, np.inf, np.inf]:
        u, state = tx.update({"w": jnp.asarray([0.5, 0.25 + bad])}, state, p)
        p = optax.apply_updates(p, u)
        now = [float(x) for x in p["w"]]
        counts = [int(state.notfinite_count), int(state.last_finite), int(state.total_notfinite)]
        out.append([str(x) for x in now + counts])  # JSON has no infinity
    return out


def plateau(values, *settings):
    """Scale, best value and counts after each value."""
    tx = optax.contrib.reduce_on_plateau(*settings)
    p = {"w": jnp.zeros(1)}
    state = tx.init(p)
    out = []
    for v in values:
        u, state = tx.update({"w": jnp.ones(1)}, state, p, value=v)
        now = [u["w"][0], state.best_value, state.plateau_count, state.cooldown_count, state.count, state.avg_value]
        out.append([str(float(x)) for x in now])  # JSON has no infinity
    return out


falling = [float(x) for x in np.float32([9, 8, 8, 8, 7.9999, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6])]
plateaus = {
    "values": falling,
    "two": plateau(falling, 0.5, 2),
    "settings": plateau(falling, 0.1, 2, 1e-2, 0.5, 2, 2, 0.05),
}
flat = lambda t: {n: v.reshape(-1).tolist() for n, v in t.items()}
print(
    json.dumps(
        {
            "start": flat(start),
            "grads": [flat(g) for g in grads],
            "cases": {n: precise(tx) if n in IN_F64 else run(tx) for n, tx in cases.items()},
            "params ema": averages(optax.sgd(0.1), 0.8),
            "not finite": not_finite(),
            "plateaus": plateaus,
            "schedules": {n: [float(s(i)) for i in range(13)] for n, s in schedules.items()},
        },
        indent=1,
    )
)
