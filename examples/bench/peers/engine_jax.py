"""Workloads of `bin/fragua bench engine` in JAX and Optax; see engine.py. Threads are the process's cores."""

import functools
import json
import subprocess
import sys
import time

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


def resnet50(p, state, x):
    """Logits and new running statistics, in training."""
    new = {}

    def conv(name, x, stride):
        k = p[name + ".kernel"]
        pad = [(k.shape[0] // 2,) * 2] * 2
        x = jax.lax.conv_general_dilated(x, k, (stride, stride), pad, dimension_numbers=("NHWC", "HWIO", "NHWC"))
        mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
        for part, value in (("mean", mean), ("var", var)):
            new[f"{name}.norm.{part}"] = 0.9 * state[f"{name}.norm.{part}"] + 0.1 * value
        return (x - mean) * (jax.lax.rsqrt(var + 1e-5) * p[name + ".norm.scale"]) + p[name + ".norm.bias"]

    x = jax.nn.relu(conv("stem", x, 2))
    x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 3, 3, 1), (1, 2, 2, 1), ((0, 0), (1, 1), (1, 1), (0, 0)))
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for b in range(blocks):
            at, stride = f"stage_{stage}_block_{b}.", 2 if stage and not b else 1
            h = jax.nn.relu(conv(at + "reduce", x, 1))
            h = jax.nn.relu(conv(at + "wide", h, stride))
            h = conv(at + "expand", h, 1)
            x = jax.nn.relu(h + (x if b else conv(at + "project", x, stride)))
    return x.mean((1, 2)) @ p["head.kernel"] + p["head.bias"], new


RESNET_OPTIMIZER = optax.sgd(0.01, 0.9)


@functools.partial(jax.jit, donate_argnums=(0, 1, 2))
def resnet_step(params, state, momentum, x, y):
    def loss(p):
        logits, new = resnet50(p, state, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), new

    (value, state), g = jax.value_and_grad(loss, has_aux=True)(params)
    updates, momentum = RESNET_OPTIMIZER.update(g, momentum, params)
    return optax.apply_updates(params, updates), state, momentum, value


def statistics(params):
    """Their initial values."""
    of = {"mean": np.zeros_like, "var": np.ones_like}
    return {k[: -len("scale")] + s: of[s](v) for k, v in params.items() if k.endswith("scale") for s in of}


@workload
def resnet_compile(peer, settings, inputs):
    """Tracing, lowering and compiling in a process that has done nothing else; imports do not count."""
    x, y = inputs.pop("x"), inputs.pop("y")
    params = {k: jnp.array(v) for k, v in inputs.items()}
    now, losses = (params, statistics(inputs), RESNET_OPTIMIZER.init(params)), []
    for _ in range(settings["steps"]):
        *now, loss = resnet_step(*now, x, y)
        losses.append(np.asarray(loss))
    results = {**{k: np.asarray(v) for k, v in now[0].items()}, "losses": np.stack(losses)}
    shapes = json.dumps({k: v.shape for k, v in {**inputs, "x": x, "y": y}.items()})

    def figure():
        p = subprocess.run([sys.executable, __file__], input=shapes, stdout=subprocess.PIPE, text=True, check=True)
        return float(p.stdout.split()[-1])

    return results, figure


def cold():
    operands = {k: np.zeros(s, np.int32 if k == "y" else np.float32) for k, s in json.load(sys.stdin).items()}
    x, y = operands.pop("x"), operands.pop("y")
    momentum = optax.TraceState(operands), optax.EmptyState()  # as init would give; calling it would be a first use of JAX
    began = time.perf_counter()
    resnet_step.lower(operands, statistics(operands), momentum, x, y).compile()
    print(time.perf_counter() - began)


if __name__ == "__main__":
    cold()
