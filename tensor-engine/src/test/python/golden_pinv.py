"""Writes golden/pinv.json: derivatives of the pseudo-inverse by JAX, also where singular values are equal.

Run from this folder with numpy and jax installed:

    python golden_pinv.py

Rows hold a direction of derivation and rcond, the operands (matrix and cotangent, or matrix and tangent) and the
result. The seed is fixed, so a second run writes the same file, byte for byte.
"""

import json
import os
import platform

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
RNG = np.random.default_rng(29)
CALLS = []


def tensor(x):
    x = np.asarray(x)
    return {"dtype": "f64", "shape": list(x.shape), "data": [float(v) for v in x.reshape(-1)]}


def call(fn, out, *inputs, **args):
    CALLS.append({"fn": fn, "args": args, "inputs": [tensor(x) for x in inputs], "output": tensor(out),
                  "tolerance": [200, 2000]})


def orthogonal(m, n):
    q = np.linalg.qr(RNG.uniform(-1, 1, (max(m, n), min(m, n))))[0]
    return q if m >= n else q.T


def both(a, rcond=1e-10):
    def f(x):
        return jnp.linalg.pinv(x, rtol=rcond)

    g = RNG.uniform(-1, 1, np.swapaxes(a, -1, -2).shape)
    v = RNG.uniform(-1, 1, a.shape)
    call("pullBack", jax.vjp(f, a)[1](g)[0], a, g, rcond=rcond)
    call("tangent", jax.jvp(f, (a,), (v,))[1], a, v, rcond=rcond)


def main():
    both(np.eye(3))
    both(np.diag([2.0, 2.0, 5.0]))
    for m, n in ((3, 3), (5, 2), (2, 5)):
        both(2 * orthogonal(m, n))
        both(np.eye(m, n) * np.arange(1, m + 1)[:, None] + RNG.uniform(-0.2, 0.2, (m, n)))
    both(orthogonal(4, 2) @ orthogonal(2, 3))  # of less than full rank
    both(np.diag([2.0, 2.0, 0.0]))
    both(np.zeros((2, 3)))
    both(np.stack([orthogonal(3, 2), RNG.uniform(-1, 1, (3, 2))]))
    both(np.diag([4.0, 3.0, 1e-3]) + 1e-4 * RNG.uniform(-1, 1, (3, 3)), rcond=0.1)  # of which one is left out
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../resources/golden/pinv.json")
    with open(path, "w") as f:
        f.write('{"maker": "golden_pinv.py, jax %s, numpy %s, python %s",\n"cases": [\n' % (
            jax.__version__, np.__version__, platform.python_version()))
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in CALLS))
        f.write("\n]}\n")
    print(len(CALLS), "cases,", os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
