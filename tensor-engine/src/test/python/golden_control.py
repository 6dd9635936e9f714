"""Writes golden/control.json: what JAX answers for branches and loops.

Run from this folder with numpy and jax installed:

    python golden_control.py

The format is that of golden_ops.py; a function among the settings is written as the graph that it
is traced to.
"""

import json
import os
import platform

import golden_ops as ops
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

NEAR = (16, 16)


def node(op, inputs, like, **attrs):
    e = {"op": op, "dtype": ops.NAMES[np.dtype(like.dtype).name], "shape": list(like.shape),
         "inputs": inputs}
    if attrs:
        e["attrs"] = attrs
    return e


def graph(inputs, equations, outputs, constants=()):
    typed = [{"dtype": ops.NAMES[np.dtype(x.dtype).name], "shape": list(x.shape)} for x in inputs]
    return {"graph": {
        "inputs": [{"name": "arg%d" % i, **t} for i, t in enumerate(typed)],
        "constants": list(constants), "equations": equations,
        "outputs": [{"name": "out%d" % i, "value": v} for i, v in enumerate(outputs)]}}


def branches(x, y):
    yes = graph([x, y], [node("mul", [0, 1], x), node("exp", [2], x)], [2, 3])
    no = graph([x, y], [node("sin", [1], x)], [2, 0])
    for p in (np.array(True), np.array(False)):
        out = lax.cond(p, lambda a, b: (a * b, jnp.exp(a * b)), lambda a, b: (jnp.sin(b), a), x, y)
        ops.case_of_several("cond", out, p, x, y, tol=NEAR, on_true=yes, on_false=no)


def loops(x):
    i = np.array(0, np.int32)
    three = {"dtype": "i32", "shape": [], "data": "AwAAAA=="}
    one = {"dtype": "i32", "shape": [], "data": "AQAAAA=="}
    flag = np.array(True)
    condition = graph([i, x], [node("less", [0, 2], flag)], [3], [three])
    body = graph([i, x], [node("add", [0, 2], i), node("mul", [1, 1], x)], [3, 4], [one])
    for start in (0, 1, 3, 9):
        s = np.array(start, np.int32)
        out = lax.while_loop(lambda v: v[0] < 3, lambda v: (v[0] + 1, v[1] * v[1]), (s, x))
        ops.case_of_several("while_loop", out, s, x, tol=NEAR, condition=condition, body=body,
                            carries=2, condition_consts=0)


def scans(h, xs, w):
    row = xs[0]
    body = graph([h, row, w], [node("matmul", [0, 2], h), node("add", [3, 1], h),
                               node("tanh", [4], h)], [5, 4])
    for n in (0, 1, xs.shape[0]):
        for reverse in (False, True):
            def step(c, x):
                a = c @ w + x
                return jnp.tanh(a), a
            carry, ys = lax.scan(step, h, xs[:n], reverse=reverse)
            ops.case_of_several("scan", (carry, ys), h, xs[:n], w, tol=NEAR, body=body, carries=1,
                                xs=1, length=n, reverse=int(reverse), save=[])


def main():
    for dtype in (np.float32, np.float64):
        branches(ops.real(dtype, 5), ops.real(dtype, 5))
        loops(ops.real(dtype, 3, low=-1, high=1))
        with jax.default_matmul_precision("highest"):
            scans(ops.real(dtype, 2, 3), ops.real(dtype, 4, 2, 3), ops.real(dtype, 3, 3))
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../resources/golden/control.json")
    with open(path, "w") as f:
        f.write('{"maker": "golden_control.py, numpy %s, jax %s, python %s",\n"cases": [\n' % (
            np.__version__, jax.__version__, platform.python_version()))
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in ops.CASES))
        f.write("\n]}\n")
    print(len(ops.CASES), "cases")


if __name__ == "__main__":
    main()
