"""Writes golden/functions.json: what NumPy and JAX answer for functions composed of rows.

Run from this folder with numpy and jax installed:

    python golden_functions.py

Each case has the name of a function in GoldenFunctionsTest, inputs, output and tolerance, in the
format of golden_ops.py.
"""

import json
import os
import platform

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402

import golden_ops as g  # noqa: E402

RNG = np.random.default_rng(57)


def ints(*shape):
    return RNG.integers(-50, 50, shape).astype(np.int32)


def real(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def ids(n, *shape):
    return RNG.integers(0, n, shape).astype(np.int32)


def arranging():
    x, v, m = ints(2, 3, 4), ints(5), ints(3, 5)
    c = g.case
    c("slice 1:, ::2, -1", x[1:, ::2, -1], x)
    c("slice ..., ::-1", x[..., ::-1], x)
    c("slice -1, 5:0:-2", m[-1, 5:0:-2], m)
    c("slice newaxis, ..., 1:-1", x[np.newaxis, ..., 1:-1], x)
    c("slice :, 9:, 2", x[:, 9:, 2], x)
    c("slice 3:1:-1", v[3:1:-1], v)
    c("slice -9:-1:3", v[-9:-1:3], v)
    c("flip", np.flip(x), x)
    c("flip 0 2", np.flip(x, (0, 2)), x)
    for k in (1, -1, 7, 0):
        c("roll %d" % k, np.roll(m, k, 1), m)
    for k in (0, 1, 2, 3, -1):
        c("rot90 %d" % k, np.rot90(m, k), m)
    c("rot90 axes", np.rot90(x, 1, (2, 0)), x)
    c("moveAxis 0 2", np.moveaxis(x, 0, 2), x)
    c("moveAxis -1 0", np.moveaxis(x, -1, 0), x)
    c("swapAxes 0 2", np.swapaxes(x, 0, 2), x)
    s = ints(1, 3, 1, 2)
    c("squeeze", np.squeeze(s), s)
    c("squeeze 2", np.squeeze(s, 2), s)
    c("expandDims 0 2", np.expand_dims(m, (0, 2)), m)
    c("expandDims -1 -3", np.expand_dims(m, (-1, -3)), m)
    c("tile 2 3", np.tile(m, (2, 3)), m)
    c("tile 2 1 2", np.tile(m, (2, 1, 2)), m)
    c("tile 2", np.tile(m, 2), m)
    c("repeat 3 0", np.repeat(m, 3, 0), m)
    c("repeat 2 1", np.repeat(m, 2, 1), m)
    c("unstack 1, the second", m[:, 1], m)
    for k in (-1, 0, 2):
        c("tril %d" % k, np.tril(x, k), x)
        c("triu %d" % k, np.triu(x, k), x)
    for k in (-2, 0, 1, 4, 9):
        c("diagonal %d" % k, np.diagonal(m, k), m)
    c("diagonal of many", np.diagonal(x, 0, 1, 2), x)
    for k in (-2, 0, 1):
        c("diag %d" % k, np.diag(v, k), v)
    c("atLeast 3", m[np.newaxis], m)
    for mode in ("edge", "reflect", "symmetric", "wrap"):
        for low, high in ((2, 1), (0, 0), (11, 13)):
            c("pad %s %d %d" % (mode, low, high), np.pad(m, ((0, 0), (low, high)), mode), m)
    one = ints(1)
    c("pad reflect of one", np.pad(one, (2, 1), "reflect"), one)
    c("stack 1", np.stack([m, m + 1], 1), m, m + 1)
    c("stack -1", np.stack([m, m + 1], -1), m, m + 1)
    a, b = np.meshgrid(ints(3), ints(2), indexing="ij")
    c("meshgrid, second", b, a[:, 0].copy(), b[0].copy())
    c("broadcastArrays, first", np.broadcast_to(v, (3, 5)), v, m)
    z = np.zeros((), np.float32)
    c("arange 0.5 4 0.75", np.arange(0.5, 4, 0.75, np.float32), z, tol=(2, 2))
    c("arange 5 -6 -2", np.arange(5, -6, -2, np.int32), z)
    c("linspace", np.linspace(-1, 2, 7, dtype=np.float32), z)
    c("eye 3 4 1", np.eye(3, 4, 1, np.float32), z)


def indexing():
    x, t = ints(3, 4, 5), real(6, 3)
    k = ids(4, 2, 3)
    g.case("take 1", np.take(x, k, 1), x, k)
    g.case("take 0", np.take(x, k % 3, 0), x, k % 3)
    g.case("take -1", np.take(x, k, -1), x, k)
    for axis in range(3):
        shape = list(x.shape)
        shape[axis] = 2
        i = ids(x.shape[axis], *shape)
        g.case("takeAlongAxis %d" % axis, np.take_along_axis(x, i, axis), x, i)
    i = ids(4, 1, 6, 5)
    g.case("takeAlongAxis 1", np.take_along_axis(x, i, 1), x, i)
    i, u = np.argsort(ints(3, 4, 5), 1)[:, :2].astype(np.int32), ints(3, 2, 5)
    y = x.copy()
    np.put_along_axis(y, i, u, 1)
    g.case("putAlongAxis 1", y, x, i, u)
    n = np.stack([ids(3, 7), ids(4, 7)], -1)
    g.case("gatherNd", x[n[:, 0], n[:, 1]], x, n)
    u = ints(7, 5)
    g.case("scatterNd add", np.asarray(jnp.asarray(x).at[n[:, 0], n[:, 1]].add(u)), x, n, u)
    s = np.array([0, 2, 2, 4, 0, 2], np.int32)
    g.case("segmentMax", np.asarray(jax.ops.segment_max(t, s, 5)), t, s)
    g.case("segmentMin", np.asarray(jax.ops.segment_min(t, s, 5)), t, s)
    rows = ids(6, 8)
    offsets = np.array([0, 3, 3, 5], np.int32)
    bags = [rows[a:b] for a, b in zip(offsets, [*offsets[1:], 8])]
    for name, f in (("sum", np.sum), ("mean", np.mean), ("max", np.max)):
        y = np.stack([f(t[b], 0) if len(b) else np.zeros(3, np.float32) for b in bags])
        g.case("embeddingBag " + name, y.astype(np.float32), t, rows, offsets, tol=(8, 8))


def sorting():
    x = real(4, 7)
    x[1, 3] = np.nan
    x[2] = [1, 2, 2, 1, 3, 3, 0]
    finite = real(3, 8)
    v, i = jax.lax.top_k(finite, 3)
    g.case("topK values", np.asarray(v), finite)
    g.case("topK indices", np.asarray(i, np.int32), finite)
    g.case("sort 0", np.sort(x, 0), x)
    g.case("argsort -1", np.argsort(x, -1, "stable").astype(np.int32), x)
    s = np.sort(np.array([1, 2, 2, 5, np.inf, np.nan, -3, 2], np.float32))
    w = np.array([[2, 0, np.nan], [np.inf, -9, 5.5]], np.float32)
    for side in ("left", "right"):
        g.case("searchSorted " + side, np.searchsorted(s, w, side).astype(np.int32), s, w)
        e = np.zeros(0, np.float32)
        g.case("searchSorted " + side, np.searchsorted(e, w, side).astype(np.int32), e, w)
    for axis in (0, 1):
        for y in (x, finite):
            g.case("median %d" % axis, np.median(y, axis), y, tol=(2, 2))
            for q in (0, 0.3, 0.5, 0.9, 1):
                g.case("quantile %s %d" % (q, axis), np.quantile(y, q, axis).astype(np.float32), y,
                       tol=(4, 8))
    g.case("percentile 25 1", np.percentile(finite, 25, 1).astype(np.float32), finite, tol=(4, 8))


def unique():
    """Of few values, with NaN, zeros of both signs, more places than values and fewer."""
    x = np.array([[3, np.nan, -1, 3, 0.0], [np.inf, -1, -0.0, np.nan, 3]], np.float32)
    i = np.array([[5, 2, 2], [7, 5, -8]], np.int32)
    empty = np.zeros((0, 3), np.float32)
    for y in (x, i, i.astype(np.int64), np.array([True, False, True]), x.astype(np.float64)):
        for size in (0, 1, 3, 9):
            for fill in (None, 1):
                one(y, size, fill)
    for size in (0, 2):
        one(empty, size, 7)


def one(x, size, fill):
    with jax.enable_x64():
        result = jnp.unique(x, return_inverse=True, return_counts=True, size=size, fill_value=fill)
    for name, y in zip(("values", "inverse", "counts"), result):
        y = np.asarray(y)
        if name == "counts" and x.size == 0:
            y = np.zeros(size)  # JAX forgets the places
        g.case("unique %d %s %s" % (size, fill, name), y if name == "values" else y.astype(np.int32), x)


def counting():
    for dtype in (np.uint8, np.int8, np.int16, np.int32, np.int64, np.float16, np.float32):
        x = np.array([[0, 2, 1], [100, 126, 127]], dtype)
        g.case("oneHot 300", (x[..., None] == np.arange(300)).astype(np.int32), x)
    g.case("oneHot 3", np.eye(3)[[2, 0]].astype(ml_dtypes.bfloat16), np.array([2, 0], np.int8))
    z = np.zeros((), np.float32)
    g.case("arange bf16 0 700 1", np.arange(700).astype(ml_dtypes.bfloat16), z)
    g.case("arange f16 1 -3 -0.25", np.arange(1, -3, -0.25).astype(np.float16), z)
    g.case("arange u8 255 -1 -5", np.arange(255, -1, -5).astype(np.uint8), z)
    g.case("arange i8 -128 128 1", np.arange(-128, 128).astype(np.int8), z)
    s = np.array([0, 2, 0, 0, 2], np.int32)
    for dtype in (np.int8, np.uint8, np.int16, np.int32, np.float16, np.float32, np.float64):
        t = np.array([[100, 1], [90, 2], [120, 3], [125, 5], [101, -3 if dtype != np.uint8 else 3]],
                     dtype)
        w = t.astype(np.float64)
        y = np.stack([w[s == 0].mean(0), [0, 0], w[s == 2].mean(0)])
        g.case("segmentMean", y.astype(dtype if dtype(0.5) else np.float32), t, s, tol=(2, 0))
    many, rows = np.array([[-3], [-7]], np.int8), np.ones(256, np.int32)
    rows[5] = 0
    g.case("embeddingBag max of many", np.array([[0], [-3]], np.int8), many, rows,
           np.array([0, 0], np.int32))
    for x in (ints(3, 4), real(3, 4), ints(3, 4) > 0, ints(3, 0)):
        for n, axis in ((0, 0), (1, 0), (1, -1), (2, 1), (9, 1)):
            g.case("diff %d %d" % (n, axis), np.diff(x, n, axis), x)
    for x in (ids(9, 40), ids(9, 5, 4).astype(np.int64), ids(3, 7).astype(np.uint8), ids(3, 0)):
        y = np.bincount(x.reshape(-1), minlength=9)
        g.case("bincount 9", y.astype(np.int32), x)
        w = real(*x.shape)
        y = np.bincount(x.reshape(-1), w.reshape(-1).astype(np.float64), 9)
        g.case("bincount weighted", y.astype(np.float32), x, w, tol=(8, 8))
    x = np.array([[-5, 0, 0.25, 1], [3, 3.5, 9, np.nan], [np.inf, -np.inf, 2, -1]], np.float32)
    for n in (1, 2, 6):
        xp, fp = np.array([0, 1, 2, 3, 3.75, 4], np.float32)[:n], real(n)
        g.case("interp", np.interp(x, xp, fp).astype(np.float32), x, xp, fp, tol=(4, 4))
    for x in (real(50), np.array([[-2, 2, 1.5], [np.nan, np.inf, -2.5]], np.float32)):
        e = np.array([-2, -0.5, 0, 0, 1.5], np.float32)
        g.case("histogram edges", np.histogram(x, e)[0].astype(np.int32), x, e)
        y = np.histogram(x[~np.isnan(x)], 8, (-2, 2))[0]
        g.case("histogram 8 -2 2", y.astype(np.int32), x)
    i, e = ints(30), np.array([-50, -3, 0, 20], np.int32)
    g.case("histogram edges", np.histogram(i, e)[0].astype(np.int32), i, e)


def main():
    g.CASES.clear()
    with np.errstate(all="ignore"):
        for page in (arranging, indexing, sorting, unique, counting):
            page()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../resources/golden/functions.json")
    with open(path, "w") as f:
        f.write('{"maker": "golden_functions.py, numpy %s, jax %s, python %s",\n"cases": [\n' % (
            np.__version__, jax.__version__, platform.python_version()))
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in g.CASES))
        f.write("\n]}\n")
    print(len(g.CASES), "cases,", os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
