"""Writes golden/index.json: what NumPy and JAX answer for rows that read, write and sort by index.

Run from this folder with numpy and jax installed:

    python golden_index.py

The format is that of golden_ops.py.
"""

import json
import os
import platform

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402

import golden_ops as g  # noqa: E402

RNG = np.random.default_rng(31)
DTYPES = ["float32", "float64", "float16", "bfloat16", "int8", "uint8", "int16", "int32", "int64",
          "bool"]


def values(dtype, shape):
    return np.array(jnp.asarray(RNG.integers(0 if dtype == "uint8" else -9, 9, shape)).astype(dtype))


def gathers():
    for dtype in DTYPES:
        x = values(dtype, (4, 3))
        k = np.asarray(RNG.integers(0, 4, (2, 5)), np.int32)
        g.case("gather", np.take(x, k, axis=0), x, k)


def scatters():
    for dtype in DTYPES:
        for table, ids in (((5,), (3,)), ((4, 3), (2, 3)), ((6, 2), ()), ((3, 2, 2), (0,))):
            x, u = values(dtype, table), values(dtype, ids + table[1:])
            for mode in ("set", "add", "mul", "min", "max"):
                if dtype == "bool" and mode != "set":
                    continue
                k = np.asarray(RNG.integers(0, table[0], ids), np.int32)
                if mode == "set":  # with repeated indices JAX's order is open; NumPy's last wins
                    y = x.copy()
                    y[k] = u
                else:
                    y = np.asarray(getattr(jnp.asarray(x).at[k], {"mul": "multiply"}.get(mode, mode))(u))
                g.case("scatter", y, x, k, u, mode=mode)
    x = np.array([np.nan, 1, 2, -0.0], np.float32)
    u = np.array([1, np.nan, 5, 2, np.inf], np.float32)
    k = np.array([0, 1, 2, 2, 3], np.int32)
    for mode in ("min", "max"):
        g.case("scatter", np.asarray(getattr(jnp.asarray(x).at[k], mode)(u)), x, k, u, mode=mode)


def pieces():
    for dtype in DTYPES:
        x = values(dtype, (4, 5))
        for axis, size in ((0, 2), (1, 3), (1, 5), (0, 0)):
            shape = list(x.shape)
            shape[axis] = size
            u = values(dtype, tuple(shape))
            for start in (-2, 0, 1, 9):
                at = [jnp.int32(0), jnp.int32(0)]
                at[axis] = jnp.int32(max(start, 0))  # lax counts a negative start from the back
                s = np.int32(start)
                g.case("dynamic_slice", np.asarray(lax.dynamic_slice(x, at, shape)), x, s, axis=axis,
                       size=size)
                g.case("dynamic_update_slice", np.asarray(lax.dynamic_update_slice(x, u, at)), x, u, s,
                       axis=axis)


def order(x, axis, descending):
    """NumPy's stable order; the descending one is that of the reversed line, read backwards."""
    wide = x.astype(np.float32) if x.dtype.name == "bfloat16" else x
    if not descending:
        return np.argsort(wide, axis=axis, kind="stable")
    last = x.shape[axis] - 1
    return last - np.flip(np.argsort(np.flip(wide, axis), axis=axis, kind="stable"), axis)


def sorts():
    for dtype in DTYPES:
        for x in (values(dtype, (7,)), values(dtype, (3, 5)), values(dtype, (2, 4, 3)),
                  values(dtype, (0,)), values(dtype, (1,)), values(dtype, (70,))):
            if dtype in ("float32", "bfloat16", "float16", "float64") and x.size == 15:
                x[1] = [np.nan, -0.0, np.inf, 0.0, -np.inf]
                x[2] = [2, np.nan, 1, np.nan, 2]
            for axis in range(x.ndim):
                for descending in (0, 1):
                    i = order(x, axis, descending)
                    g.case_of_several("sort", [np.take_along_axis(x, i, axis), i.astype(np.int32)], x,
                                      axis=axis, descending=descending)


def main(pages):
    g.CASES.clear()
    with np.errstate(all="ignore"):
        for page in pages:
            page()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../resources/golden/index.json")
    with open(path, "w") as f:
        f.write('{"maker": "golden_index.py, numpy %s, jax %s, python %s",\n"cases": [\n' % (
            np.__version__, jax.__version__, platform.python_version()))
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in g.CASES))
        f.write("\n]}\n")
    print(len(g.CASES), "cases,", os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main((gathers, scatters, pieces, sorts))
