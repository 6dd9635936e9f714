"""Writes golden/composed.json: what NumPy and SciPy answer for functions that are composed of rows.

Run from this folder with numpy, scipy and jax installed:

    python golden_composed.py

Each case names the function; numbers are written as golden_ops.py writes them. Operands are f32 or
i32, answers are computed in f64 and rounded.
"""

import json
import os
import platform

import ml_dtypes
import numpy as np
import scipy
from golden_ops import EQUAL, tensor
from scipy import special

RNG = np.random.default_rng(22)
CASES = []
NEAR = (4, 1)
EDGES = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.75, -7.0], np.float32)


def case(name, out, *inputs, tol=EQUAL):
    out = np.asarray(out)
    if out.dtype == np.float64:
        out = out.astype(np.float32)
    CASES.append({"f": name, "inputs": [tensor(x) for x in inputs], "output": tensor(out),
                  "tolerance": list(tol)})


def pairs(values):
    a, b = np.meshgrid(values, values)
    return a.reshape(-1).copy(), b.reshape(-1).copy()


def unary():
    positive = RNG.uniform(0.1, 50, 9).astype(np.float32)
    inside = RNG.uniform(0.05, 0.95, 9).astype(np.float32)
    x = np.concatenate([EDGES, RNG.normal(size=9).astype(np.float32) * 20])
    w = x.astype(np.float64)
    for name, f in (("is_nan", np.isnan), ("is_inf", np.isinf), ("is_finite", np.isfinite),
                    ("trunc", np.trunc)):
        case(name, f(x), x)
    case("reciprocal", np.reciprocal(w), x)
    case("clip", np.clip(w, -1.5, 2), x)
    case("log2", np.log2(positive.astype(np.float64)), positive, tol=NEAR)
    case("log10", np.log10(positive.astype(np.float64)), positive, tol=NEAR)
    case("logit", special.logit(inside.astype(np.float64)), inside, tol=(8, 4))
    case("log_sigmoid", special.log_expit(w), x, tol=NEAR)
    case("sinc", np.sinc(x[np.isfinite(x)].astype(np.float64)), x[np.isfinite(x)], tol=(8, 8))
    case("deg2rad", np.deg2rad(w), x, tol=(2, 0))
    case("rad2deg", np.rad2deg(w), x, tol=(2, 0))
    i = np.array([0, 1, -1, 2**31 - 1, -(2**31), 77], np.int32)
    case("bitwise_not", np.invert(i), i)
    b = np.array([True, False])
    case("bitwise_not", np.invert(b), b)


def binary():
    a, b = pairs(EDGES)
    wa, wb = a.astype(np.float64), b.astype(np.float64)
    case("remainder", np.remainder(a, b), a, b)
    case("floor_divide", np.floor_divide(a, b), a, b)
    case("heaviside", np.heaviside(a, b), a, b)
    case("logaddexp", np.logaddexp(wa, wb), a, b, tol=NEAR)
    case("isclose", np.isclose(a, b), a, b)
    p = RNG.normal(size=64).astype(np.float32) * 9
    q = RNG.normal(size=64).astype(np.float32)
    case("remainder", np.remainder(p, q), p, q, tol=(2, 0))
    case("floor_divide", np.floor_divide(p, q), p, q)
    i, j = pairs(np.array([1, -1, 2, 7, -7, 3, -3, 100, 2**31 - 1], np.int32))
    case("remainder", np.remainder(i, j), i, j)
    case("floor_divide", np.floor_divide(i, j), i, j)
    zero = np.zeros(2, np.int32)
    case("remainder", zero, np.array([5, -5], np.int32), zero)
    case("floor_divide", zero, np.array([5, -5], np.int32), zero)
    n = RNG.integers(-140, 140, 64).astype(np.int32)
    case("ldexp", np.ldexp(p, n), p, n)
    near = p * np.float32(1 + 5e-6)
    case("isclose", np.isclose(p, near), p, near)
    case("allclose", np.asarray(np.allclose(p, near)), p, near)
    case("allclose", np.asarray(np.allclose(p, near + 1)), p, near + 1)


def reductions():
    for shape in ((5,), (3, 4), (2, 3, 4)):
        x = RNG.normal(size=shape).astype(np.float32)
        for axes in ((0,), tuple(range(len(shape))), (len(shape) - 1,)):
            w = x.astype(np.float64)
            at = ",".join(map(str, sorted(set(axes))))
            table = {"mean": np.mean(w, axes), "var0": np.var(w, axes), "var1": np.var(w, axes, ddof=1),
                     "std0": np.std(w, axes), "std1": np.std(w, axes, ddof=1),
                     "norm1": np.sum(np.abs(w), axes), "norm2": np.sqrt(np.sum(w * w, axes)),
                     "norm_inf": np.max(np.abs(w), axes),
                     "norm3": np.cbrt(np.sum(np.abs(w) ** 3, axes)),
                     "logsumexp": special.logsumexp(w, axes), "ptp": np.ptp(w, axes),
                     "average": np.average(w, axes, weights=np.abs(w))}
            for name, y in table.items():
                case(name + " " + at, y, x, tol=(8, 16))
            z = np.where(x > 0.3, np.nan, np.where(x < -0.8, 0, x)).astype(np.float32)
            case("nansum " + at, np.nansum(z.astype(np.float64), axes), z, tol=(4, 8))
            case("nanmean " + at, np.nanmean(z.astype(np.float64), axes), z, tol=(4, 8))
            case("count_nonzero " + at, np.asarray(np.count_nonzero(z, axes), np.int32), z)
            case("any " + at, np.any(z > 0.2, axes), z > 0.2)
            case("all " + at, np.all(z < 0.2, axes), z < 0.2)
            case("any " + at, np.any(z, axes), z)
        for axis in range(len(shape)):
            case("argmin %d" % axis, np.argmin(x, axis).astype(np.int32), x)
            k = RNG.integers(-3, 3, shape).astype(np.int32)
            case("argmin %d" % axis, np.argmin(k, axis).astype(np.int32), k)
    least = np.array([5, -(2**31), 2**31 - 1, -(2**31)], np.int32)
    case("argmin 0", np.asarray(1, np.int32), least)
    rows = np.array([[-np.inf, -np.inf], [np.inf, 1], [np.nan, 0], [1000, 1000]], np.float32)
    case("logsumexp 1", special.logsumexp(rows.astype(np.float64), 1), rows, tol=NEAR)
    small = np.full((3, 100), 100, np.int8)
    case("sum 1", np.full(3, 10000, np.int32), small)
    case("prod 1", np.full(3, 10000, np.int32), small[:, :2])
    case("mean 1", np.full(3, 100, np.float32), small)
    case("var0 1", np.full(3, 0, np.float32), small)
    half = np.full((2, 2000), 60, np.float16)  # the sum is beyond the type's range
    case("mean 1", np.full(2, 60, np.float16), half)
    case("norm2 1", np.linalg.norm(half.astype(np.float64), axis=1).astype(np.float16), half)
    case("std0 1", np.full(2, 0, np.float16), half)


def later():
    a, b = pairs(EDGES)
    told = (a != 0) | (b != 0)  # the order of the two zeros is not defined by NumPy
    case("fmax", np.fmax(a, b)[told], a[told], b[told])
    case("fmin", np.fmin(a, b)[told], a[told], b[told])
    finite = np.isfinite(a) & np.isfinite(b)
    case("logaddexp2", np.logaddexp2(a.astype(np.float64), b), a, b, tol=NEAR)
    case("logaddexp2", np.logaddexp2(a[finite], b[finite]), a[finite], b[finite], tol=NEAR)
    for x in (EDGES, EDGES.astype(np.float16), EDGES.astype(ml_dtypes.bfloat16)):
        case("signbit", np.signbit(x), x)
        if x.dtype != ml_dtypes.bfloat16:
            case("nan_to_num", np.nan_to_num(x), x)
            case("nan_to_num_7", np.nan_to_num(x, nan=7, posinf=8, neginf=-9), x)
    for dtype in (np.int8, np.uint8, np.int16, np.int32, np.int64):
        i = np.array([0, 1, 2, np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
        for name, f in (("signbit", np.signbit), ("floor", np.floor), ("ceil", np.ceil),
                        ("round", np.round), ("trunc", np.trunc), ("nan_to_num", np.nan_to_num)):
            if name == "signbit":
                case(name, i < 0, i)
            else:
                case(name, f(i).astype(dtype), i)
        for name, f in (("fmax", np.fmax), ("fmin", np.fmin), ("lcm", np.lcm)):
            case(name, f(i, i[::-1]), i, i[::-1].copy())
    p, q = pairs(np.array([0, 1, -1, 6, -8, 12, 35, 1001], np.int32))
    case("lcm", np.lcm(p, q), p, q)
    b = np.array([[False, True, False], [True, True, False], [False, False, False]])
    n = np.array([[3, np.nan, 1], [-np.inf, 5, np.nan]], np.float32)
    for x in (b, n, np.array(2, np.int32)):
        case("argmax_all", np.asarray(np.argmax(x), np.int32), x)
        case("argmin_all", np.asarray(np.argmin(x), np.int32), x)
    for axis in (0, 1):
        case("argmax %d" % axis, np.argmax(b, axis).astype(np.int32), b)
        case("argmin %d" % axis, np.argmin(b, axis).astype(np.int32), b)


def rows():
    """Methods that are one row: its kernels have answers of their own, its name has these."""
    rng = np.random.default_rng(23)
    x = np.concatenate([EDGES, rng.uniform(-1, 1, 9).astype(np.float32)])
    w = x.astype(np.float64)
    for name, f in (("acos", np.arccos), ("asin", np.arcsin), ("atan", np.arctan), ("asinh", np.arcsinh),
                    ("atanh", np.arctanh), ("cbrt", np.cbrt), ("i0", special.i0)):
        case(name, f(w), x, tol=(4, 1))
    y = np.concatenate([EDGES, rng.uniform(1, 50, 9).astype(np.float32)])
    case("acosh", np.arccosh(y.astype(np.float64)), y, tol=(4, 1))
    a, b = pairs(EDGES)
    case("atan2", np.arctan2(a.astype(np.float64), b), a, b, tol=(4, 1))
    case("nextafter", np.nextafter(a, b), a, b)
    case("fmod", np.fmod(a, b), a, b)
    for dtype in (np.int8, np.uint8, np.int16, np.int32, np.int64):
        i = np.array([0, 1, 2, 77, np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
        case("population_count", np.bitwise_count(i).astype(dtype), i)
        case("gcd", np.gcd(i[:4], i[3::-1]), i[:4], i[3::-1].copy())
    p, q = pairs(np.array([0, 1, -1, 6, -8, 12, 35, 1001], np.int32))
    case("gcd", np.gcd(p, q), p, q)
    case("fmod", np.fmod(p, q), p, q)
    x = rng.uniform(-1, 1, (3, 5)).astype(np.float32)
    b = rng.uniform(-1, 1, (3, 5)).astype(np.float32)
    for name, steps in (("linear_recurrence", range(5)), ("linear_recurrence_back", range(4, -1, -1))):
        y = np.zeros((3, 5))
        last = np.zeros(3)
        for i in steps:
            last = x[:, i].astype(np.float64) * last + b[:, i]
            y[:, i] = last
        case(name, y, x, b, tol=(4, 1))


def last():
    x = np.concatenate([EDGES, RNG.normal(size=9).astype(np.float32) * 200])
    i = np.array([0, 1, -1, 2, 3, -7, 15, 25, 35, 2**31 - 1, -(2**31)], np.int32)
    case("is_posinf", np.isposinf(x), x)
    case("is_neginf", np.isneginf(x), x)
    case("is_posinf", np.isposinf(i), i)
    case("is_neginf", np.isneginf(i), i)
    for d in (2, -1):
        case("round_%d" % d, np.round(x, d), x)
    case("round_2", i, i)
    case("round_-1", np.round(i[:9], -1), i[:9])
    for name, out in zip(("fraction", "whole"), np.modf(x)):
        case(name, out, x)
    for d in (np.int32, np.int64, np.int8, np.uint8):
        k = i.astype(d)
        for n in (0, 1, 7):
            case("pow_%d" % n, k ** d(n), k)
    a, b = pairs(EDGES)
    p, q = pairs(np.array([1, -1, 2, 7, -7, 3, -3, 100], np.int32))
    for u, v in ((a, b), (p, q)):
        for name, out in zip(("quotient", "modulus"), np.divmod(u, v)):
            case(name, out, u, v)
    few = p[np.abs(q) < 8], q[np.abs(q) < 8]
    CASES.append({"f": "float_power", "inputs": [tensor(x) for x in few],
                  "output": tensor(np.float_power(*few)), "tolerance": [2, 0]})
    t, f = pairs(np.array([False, True]))
    for name in ("less", "less_equal", "greater", "greater_equal", "maximum", "minimum"):
        case(name, getattr(np, name)(t, f), t, f)
    m = np.array([[False, True, False], [True, True, True], [False, False, False]])
    for axis in (0, 1):
        case("max %d" % axis, m.max(axis), m)
        case("min %d" % axis, m.min(axis), m)


def main():
    with np.errstate(all="ignore"):
        for page in (unary, binary, reductions, later, rows, last):
            page()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../resources/golden/composed.json")
    with open(path, "w") as f:
        f.write('{"maker": "golden_composed.py, numpy %s, scipy %s, python %s",\n"cases": [\n' % (
            np.__version__, scipy.__version__, platform.python_version()))
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in CASES))
        f.write("\n]}\n")
    print(len(CASES), "cases,", os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
