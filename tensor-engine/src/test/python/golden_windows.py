"""Writes golden/windows.json: what PyTorch and JAX answer for convolutions and pools.

Run from this folder with numpy, jax and torch installed:

    python golden_windows.py

The format is that of golden/ops.json, see golden_ops.py. Convolutions and their gradients come from
JAX in f64; where PyTorch can express a case, both must agree before it is written. Pools come from
PyTorch, and from JAX where PyTorch cannot pad unevenly. Compositions (averages, adaptive pools,
other sizes) are in "functions", with PyTorch's answers.
"""

import json
import os
import platform

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from jax import lax  # noqa: E402

import golden_ops  # noqa: E402
from golden_ops import tensor  # noqa: E402

RNG = np.random.default_rng(21)
CASES = []
FUNCTIONS = []
SPACE = {1: "W", 2: "HW", 3: "DHW"}


def draw(dtype, *shape):
    if dtype == np.int32:
        return RNG.integers(-9, 10, shape).astype(np.int32)
    return (RNG.integers(-99, 100, shape) / 128).astype(dtype)


def case(op, out, *inputs, tol, **attrs):
    CASES.append({"op": op, "attrs": attrs, "inputs": [tensor(x) for x in inputs],
                  "output": tensor(out), "tolerance": list(tol)})


def first(x):
    """Channels first, as PyTorch wants them."""
    return torch.from_numpy(np.moveaxis(x, -1, 1).copy()).double()


def last(t):
    return np.moveaxis(t.detach().numpy(), 1, -1)


def convolutions():
    # input, size, strides, low, high, dilations, channels, outputs, groups
    table = [
        ((5,), (3,), (1,), (0,), (0,), (1,), 2, 3, 1),
        ((9,), (3,), (2,), (1,), (1,), (2,), 4, 2, 2),
        ((4,), (2,), (3,), (0,), (2,), (1,), 1, 1, 1),
        ((5, 5), (3, 3), (1, 1), (1, 1), (1, 1), (1, 1), 3, 4, 1),
        ((6, 5), (3, 2), (2, 1), (0, 1), (1, 0), (1, 1), 2, 2, 1),
        ((7, 6), (3, 3), (2, 2), (2, 2), (2, 2), (2, 2), 4, 6, 2),
        ((4, 4), (3, 3), (1, 1), (1, 1), (1, 1), (1, 1), 5, 5, 5),
        ((4, 6), (1, 1), (2, 2), (0, 0), (0, 0), (1, 1), 3, 2, 1),
        ((3, 4, 3), (2, 2, 2), (1, 2, 1), (0, 1, 0), (0, 1, 0), (1, 1, 1), 2, 3, 1),
        ((4, 3, 3), (2, 3, 1), (2, 1, 2), (1, 0, 0), (0, 2, 1), (1, 1, 1), 2, 2, 2),
    ]
    for dtype in (np.float32, np.float64):
        for size, window, strides, low, high, dilations, c, o, groups in table:
            r = len(size)
            x = draw(dtype, 2, *size, c)
            k = draw(dtype, *window, c // groups, o)
            numbers = ("N" + SPACE[r] + "C", SPACE[r] + "IO", "N" + SPACE[r] + "C")

            def f(x, k):
                return lax.conv_general_dilated(
                    x, k, strides, list(zip(low, high)), rhs_dilation=dilations,
                    dimension_numbers=numbers, feature_group_count=groups)

            x64, k64 = jnp.asarray(x, jnp.float64), jnp.asarray(k, jnp.float64)
            y, pull = jax.vjp(f, x64, k64)
            g = draw(dtype, *y.shape)
            dx, dk = pull(jnp.asarray(g, jnp.float64))
            if low == high:
                tx = first(x).requires_grad_()
                tk = torch.from_numpy(np.moveaxis(k, (-1, -2), (0, 1)).copy()).double()
                tk.requires_grad_()
                call = (torch.conv1d, torch.conv2d, torch.conv3d)[r - 1]
                ty = call(tx, tk, None, strides, low, dilations, groups)
                ty.backward(first(g))
                np.testing.assert_allclose(last(ty), y, atol=1e-12)
                np.testing.assert_allclose(last(tx.grad), dx, atol=1e-12)
                np.testing.assert_allclose(np.moveaxis(tk.grad.numpy(), (0, 1), (-1, -2)), dk,
                                           atol=1e-12)
            shared = dict(strides=strides, low=low, high=high, dilations=dilations, groups=groups)
            tol = (4, 4 * k.size)
            case("conv", np.asarray(y, dtype), x, k, tol=tol, **shared)
            case("conv_input_grad", np.asarray(dx, dtype), g, k, tol=tol, input=size, **shared)
            case("conv_kernel_grad", np.asarray(dk, dtype), x, g, tol=(4, 4 * g.size), size=window,
                 **shared)


def windows_of_jax(x, window, strides, low, high, start, fold):
    pad = [(0, 0), *zip(low, high), (0, 0)]
    return lax.reduce_window(x, start, fold, (1, *window, 1), (1, *strides, 1), pad)


def pools():
    table = [
        ((5,), (2,), (1,), (0,), (0,)),
        ((8,), (3,), (2,), (1,), (1,)),
        ((7,), (3,), (2,), (1,), (2,)),
        ((4, 6), (2, 2), (2, 2), (0, 0), (0, 0)),
        ((7, 6), (3, 3), (2, 2), (1, 1), (1, 1)),
        ((5, 4), (3, 2), (1, 2), (2, 0), (0, 1)),
        ((3, 4, 5), (2, 2, 2), (1, 2, 2), (0, 1, 1), (0, 1, 1)),
    ]
    for dtype in (np.float32, np.float64, np.int32):
        for size, window, strides, low, high in table:
            one = (1,) * len(size)
            # few different values, so that there are ties
            for x in (draw(dtype, 2, *size, 3), RNG.integers(-2, 3, (2, *size, 3)).astype(dtype)):
                attrs = dict(size=window, strides=strides, low=low, high=high, dilations=one)
                least = np.iinfo(dtype).min if dtype == np.int32 else -np.inf
                y = windows_of_jax(x, window, strides, low, high, dtype(least), lax.max)
                s = windows_of_jax(x, window, strides, low, high, dtype(0), lax.add)
                exact = (0, 0)
                sums = exact if dtype == np.int32 else (4, 30)
                case("max_pool", np.asarray(y), x, tol=exact, **attrs)
                case("sum_pool", np.asarray(s, dtype), x, tol=sums, **attrs)
                if low != high:
                    continue
                call = (torch.max_pool1d, torch.max_pool2d, torch.max_pool3d)[len(size) - 1]
                tx = first(x).requires_grad_()
                ty = call(tx, window, strides, low)
                np.testing.assert_array_equal(last(ty), y)
                g = draw(dtype, *y.shape)
                ty.backward(first(g))
                case("max_pool_grad", last(tx.grad).astype(dtype), x, g, tol=sums, **attrs)
                pool = getattr(torch.nn.functional, "max_pool%dd" % len(size))
                _, ids = pool(first(x), window, strides, low, return_indices=True)
                t = draw(dtype, *x.shape)
                taken = first(t).flatten(2).gather(2, ids.flatten(2)).reshape(ids.shape)
                case("max_pool_take", last(taken).astype(dtype), x, t, tol=exact, **attrs)
    x = np.array([1, np.nan, 3, 2, np.inf, -np.inf, -np.inf, -1], np.float32).reshape(1, 8, 1)
    y = last(torch.max_pool1d(first(x), 2, 1)).astype(np.float32)
    case("max_pool", y, x, tol=(0, 0), size=[2], strides=[1], low=[0], high=[0], dilations=[1])


def function(name, x, y, **settings):
    FUNCTIONS.append({"function": name, "settings": settings, "x": tensor(x),
                      "y": tensor(last(y).astype(np.float32))})


def functions():
    f = torch.nn.functional
    for size in ((7,), (5, 8), (3, 4, 6)):
        x = draw(np.float32, 2, *size, 3)
        r = len(size)
        avg = getattr(f, "avg_pool%dd" % r)
        for pad in (0, 1):
            for count in (True, False):
                function("avg_pool", x, avg(first(x), 3, 2, pad, count_include_pad=count), size=3,
                         stride=2, pad=pad, count=count)
        for parts in ((1,), (3,), (2, 3), (2, 1, 4), (5, 4), (4,)):
            if len(parts) == r:
                for kind in ("avg", "max"):
                    pool = getattr(f, "adaptive_%s_pool%dd" % (kind, r))
                    function("adaptive_%s_pool" % kind, x, pool(first(x), parts), parts=parts)
        for to in ((3,), (14,), (10,), (9, 3), (5, 16), (1, 1), (6, 5, 3)):
            if len(to) == r:
                y = f.interpolate(first(x), size=to, mode="nearest-exact")
                function("resize_nearest", x, y, sizes=to)
                mode = ("linear", "bilinear", "trilinear")[r - 1]
                for corners in (True, False):
                    y = f.interpolate(first(x), size=to, mode=mode, align_corners=corners)
                    function("resize_linear", x, y, sizes=to, corners=corners)
                    if r == 2:
                        y = f.interpolate(first(x), size=to, mode="bicubic", align_corners=corners)
                        function("resize_cubic", x, y, sizes=to, corners=corners)


def main():
    convolutions()
    pools()
    functions()
    folder = os.path.dirname(os.path.abspath(golden_ops.__file__))
    path = os.path.join(folder, "../resources/golden/windows.json")
    with open(path, "w") as out:
        out.write('{"maker": "golden_windows.py, jax %s, torch %s, numpy %s, python %s",\n' % (
            jax.__version__, torch.__version__.split("+")[0], np.__version__,
            platform.python_version()))
        for name, rows in (("cases", CASES), ("functions", FUNCTIONS)):
            out.write('"%s": [\n' % name)
            out.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in rows))
            out.write("\n]%s\n" % ("," if name == "cases" else "}"))
    print(len(CASES), "cases,", len(FUNCTIONS), "functions,", os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
