"""Workloads of `bin/fragua bench engine` in JAX and Optax; see engine.py. Threads are the process's cores."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

NAMES = {"jax": f"JAX {jax.__version__}"}
PREPARE = {}


def threads(n):
    pass


def workload(f):
    PREPARE[f.__name__] = f
    return f


def compiled(f, *operands):
    f = jax.jit(f)
    operands = [jnp.asarray(x) for x in operands]
    return {"y": np.asarray(f(*operands))}, lambda: f(*operands).block_until_ready()


@workload
def gelu(peer, settings, inputs):
    return compiled(lambda x: jax.nn.gelu(x, approximate=True), inputs["x"])


@workload
def softmax(peer, settings, inputs):
    return compiled(lambda x: jax.nn.softmax(x, axis=-1), inputs["x"])


@workload
def layer_norm(peer, settings, inputs):
    def f(x, scale, bias):
        centred = x - x.mean(-1, keepdims=True)
        return centred * jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-6) * scale + bias

    return compiled(f, inputs["x"], inputs["scale"], inputs["bias"])


def training(settings, params, optimizer, gradient):
    """Steps on one batch, parameters and state in place."""

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(params, state):
        loss, g = gradient(params)
        updates, state = optimizer.update(g, state, params)
        return optax.apply_updates(params, updates), state, loss

    now = [params, optimizer.init(params)]

    def run():
        now[0], now[1], loss = step(*now)
        return jax.block_until_ready(now[0]) and loss

    losses = [np.asarray(run()) for _ in range(settings["steps"])]
    results = {k: np.array(v) for k, v in now[0].items()}  # a copy: the next step writes over them
    return results, losses, run


@workload
def adam(peer, settings, inputs):
    g = {"w": jnp.asarray(inputs["g"])}
    optimizer = optax.adam(1e-3)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(params, state, g):
        updates, state = optimizer.update(g, state, params)
        return optax.apply_updates(params, updates), state

    params = {"w": jnp.array(inputs["w"])}
    now = [params, optimizer.init(params)]

    def run():
        now[0], now[1] = step(*now, g)
        now[0]["w"].block_until_ready()

    for _ in range(settings["steps"]):
        run()
    return {"w": np.array(now[0]["w"])}, run


@workload
def mlp_training(peer, settings, inputs):
    x, y = jnp.asarray(inputs.pop("x")), jnp.asarray(inputs.pop("y"))

    def loss(p):
        h = x
        for i in range(3):
            h = h @ p[f"dense_{i}.kernel"] + p[f"dense_{i}.bias"]
            h = jax.nn.relu(h) if i < 2 else h
        return optax.sigmoid_binary_cross_entropy(h[:, 0], y).mean()

    params = {k: jnp.array(v) for k, v in inputs.items()}
    results, losses, run = training(settings, params, optax.adam(1e-3), jax.value_and_grad(loss))
    return {**results, "losses": np.stack(losses)}, run
