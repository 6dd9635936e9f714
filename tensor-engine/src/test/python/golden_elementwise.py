"""Writes golden/elementwise.json: what NumPy, SciPy and JAX answer for transcendental, special and
integer rows, products and running sums.

Run from this folder with numpy, scipy, mpmath and jax installed:

    python golden_elementwise.py

The format is that of golden_ops.py.
"""

import json
import os
import platform

import golden_ops as ops
import jax
import ml_dtypes
import mpmath
import numpy as np
import scipy
from golden_ops import CASES, EQUAL, INTS, RNG, case, ints, pairs, real
from jax import lax
from scipy import special

# Tolerances of f32 and f64, in units of eps.
NEAR = {np.float32: (4, 1e-30), np.float64: (8, 1e-300)}


def wide(f, *x):
    """The function in higher precision where there is one, rounded once."""
    dtype = x[0].dtype
    up = np.float64 if dtype == np.float32 else dtype
    return np.asarray(f(*(v.astype(up) for v in x))).astype(dtype)


def erfc(x):
    """By mpmath: SciPy is off by some forty units where the result is small."""
    return np.array([float(mpmath.erfc(v)) if np.isfinite(v) else special.erfc(v)
                     for v in x.reshape(-1).tolist()], np.float64).reshape(x.shape)


def unary():
    exact_edges = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.25, 1e-40, -1e-40, 1e-6,
                   -2.0, 3.0, 7.25, -7.25, 88.0, -104.0, 20.5, 1e10, -1e10, 3e38]
    table = {
        "exp2": (np.exp2, -4, 4), "cbrt": (np.cbrt, -4, 4), "tan": (np.tan, -4, 4),
        "asin": (np.arcsin, -1, 1), "acos": (np.arccos, -1, 1), "atan": (np.arctan, -4, 4),
        "sinh": (np.sinh, -4, 4), "cosh": (np.cosh, -4, 4), "asinh": (np.arcsinh, -4, 4),
        "acosh": (np.arccosh, 1, 9), "atanh": (np.arctanh, -1, 1), "erf": (special.erf, -4, 4),
        "erfc": (erfc, -4, 9), "erf_inv": (special.erfinv, -1, 1),
        "lgamma": (lambda x: np.where(np.isneginf(x), np.inf, special.gammaln(x)), -4, 9),
        "digamma": (special.psi, -4, 9),
        "sin": (np.sin, -1e6, 1e6), "cos": (np.cos, -1e6, 1e6)}
    for dtype in (np.float32, np.float64):
        for op, (f, low, high) in table.items():
            tol = NEAR[dtype]
            if op in ("lgamma", "digamma"):  # they pass through 0
                tol = (tol[0] * 2, 8)
            for x in (real(dtype, 17, low=low, high=high), real(dtype, 2, 3, low=low, high=high),
                      real(dtype, 0), np.array(exact_edges, dtype)):
                if op == "digamma":
                    # the limit at -infinity is left to the definition
                    x = x[~np.isneginf(x)]
                case(op, wide(f, x), x, tol=tol)


def binary():
    signed = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-40, 3e38]
    table = {"atan2": np.arctan2, "hypot": np.hypot}
    exact = {"fmod": np.fmod, "copysign": np.copysign}
    for dtype in (np.float32, np.float64):
        for op, f in table.items():
            for a, b in ((real(dtype, 7), real(dtype, 7)), (real(dtype), real(dtype)),
                         pairs(signed, dtype)):
                case(op, wide(f, a, b), a, b, tol=NEAR[dtype])
        for op, f in exact.items():
            for a, b in ((real(dtype, 17), real(dtype, 17)), pairs(signed, dtype)):
                case(op, f(a, b), a, b)
        for a, b in ((real(dtype, 17), real(dtype, 17)), pairs(signed, dtype)):
            case("nextafter", np.nextafter(a, b), a, b)
        n, x = pairs([0, 1, 2, 3, 5], dtype)[0], None
        x = np.tile(np.array([0.3, 1.0, 2.5, 11.0, 1000.0], dtype), 5)
        case("polygamma", wide(lambda k, v: special.polygamma(k.astype(int), v), n, x), n, x,
             tol=(8, 1e-30) if dtype == np.float32 else (64, 1e-280))
    for dtype in (np.int32, np.int64):
        a, b = pairs(INTS + [3, -4, 63, 64, -1], dtype)
        keep = (b != 0) & ~((a == np.iinfo(dtype).min) & (b == -1))
        case("fmod", np.fmod(a[keep], b[keep]), a[keep], b[keep])
        case("gcd", np.gcd(a, b), a, b)
        case("shift_right_arithmetic", np.array(lax.shift_right_arithmetic(a, b)), a, b)
        case("shift_right_logical", np.array(lax.shift_right_logical(a, b)), a, b)
        case("shift_left", np.array(lax.shift_left(a, b)), a, b)
        case("population_count", np.array(lax.population_count(a)), a)


def loggamma_slope(a, log_x):
    """How log x moves with a at constant probability, by mpmath's incomplete gamma function."""
    with mpmath.workdps(50):
        a, x = mpmath.mpf(a), mpmath.exp(mpmath.mpf(log_x))
        ends = (x, mpmath.inf) if x > a else (0, x)
        moved = mpmath.diff(lambda s: mpmath.gammainc(s, *ends, regularized=True), a, h=a / 10**20)
        density = mpmath.exp((a - 1) * mpmath.log(x) - x - mpmath.loggamma(a))
        return float((1 if x > a else -1) * moved / density / x)


def gamma_slopes():
    for dtype in (np.float32, np.float64):
        a = np.repeat(np.array([1e-3, 0.3, 1, 2.5, 40, 700], dtype), 5)
        z = np.tile(np.array([-4, -1, 0, 0.7, 5]), 6)
        x = np.where(a < 2, (z - 1) / np.minimum(a, 1), np.log(a * np.exp(z / np.sqrt(a)))).astype(dtype)
        y = np.array([loggamma_slope(float(s), float(t)) for s, t in zip(a, x)], dtype)
        case("random_loggamma_grad", y, a, x, tol=(4, 0) if dtype == np.float32 else (2000, 0))
        odd = np.array([0, -1, np.nan, np.inf, 1, 1, 1], dtype), np.array(
            [0, 0, 0, 0, np.nan, -np.inf, np.inf], dtype)
        case("random_loggamma_grad", np.array([np.nan] * 5 + [np.inf, 0], dtype), *odd)


def products():
    for dtype in (np.float32, np.float64, np.int32):
        for shape in ((), (5,), (0,), (3, 4), (2, 3, 4), (2, 0, 3)):
            x = np.asarray(ints(*shape, low=-9, high=9) if dtype == np.int32 else real(dtype, *shape),
                           dtype)
            for mask in range(1 << len(shape)):
                axes = tuple(i for i in range(len(shape)) if mask >> i & 1)
                case("reduce_prod", np.prod(x, axis=axes, dtype=dtype), x,
                     tol=EQUAL if dtype == np.int32 else (24, 0), axes=list(axes))


def bessel():
    edges = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-30, 29.9, 30.0, -30.1, 700.0, 1e10, 3e38]
    for dtype in (np.float32, np.float64):
        for op, f in (("bessel_i0e", special.i0e), ("bessel_i1e", special.i1e)):
            for x in (real(dtype, 17, low=-4, high=4), real(dtype, 2, 3, low=-60, high=60),
                      real(dtype, 0), np.array(edges, dtype)):
                case(op, wide(f, x), x, tol=NEAR[dtype])


def along(f, x, axis, reverse):
    return np.flip(f(np.flip(x, axis), axis), axis) if reverse else f(x, axis)


def cumulative():
    table = {"cumsum": lambda x, k: np.cumsum(x, axis=k, dtype=x.dtype),
             "cumprod": lambda x, k: np.cumprod(x, axis=k, dtype=x.dtype),
             "cummax": lambda x, k: np.maximum.accumulate(x, axis=k),
             "cummin": lambda x, k: np.minimum.accumulate(x, axis=k),
             "cumlogsumexp": lambda x, k: np.logaddexp.accumulate(x, axis=k)}
    for dtype in (np.float32, np.float64, np.int32, np.int64):
        for op, f in table.items():
            if op == "cumlogsumexp" and dtype in (np.int32, np.int64):
                continue
            for shape in ((7,), (0,), (3, 4), (2, 3, 4), (2, 0, 3)):
                x = real(dtype, *shape) if dtype in NEAR else ints(*shape, low=-9).astype(dtype)
                for axis in range(len(shape)):
                    for reverse in (0, 1):
                        y = along(f, x.astype(np.float64) if dtype == np.float32 else x, axis,
                                  reverse).astype(dtype)
                        case(op, y, x, tol=(8, 16) if dtype in NEAR else EQUAL, axis=axis,
                             reverse=reverse)
    x = np.array([[1, np.nan, 3, 2], [np.inf, 2, -np.inf, np.inf], [-np.inf] * 4], np.float32)
    for op, f in table.items():
        for reverse in (0, 1):
            case(op, along(f, x, 1, reverse), x, tol=(8, 16), axis=1, reverse=reverse)
    for dtype in (np.float32, np.float64):
        for shape in ((7,), (0,), (3, 4)):
            a, b = real(dtype, *shape, low=-1, high=1), real(dtype, *shape)
            for axis in range(len(shape)):
                for reverse in (0, 1):
                    def join(left, right):
                        return left[0] * right[0], right[0] * left[1] + right[1]
                    y = (lax.associative_scan(join, (a, b), reverse=bool(reverse), axis=axis)[1]
                         if a.size else a)
                    case("linear_recurrence", np.array(y), a, b, tol=(16, 16), axis=axis,
                         reverse=reverse)


def narrow():
    """Integers wrap as NumPy's; halves are f64 results, rounded once."""
    table = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum,
             "gcd": np.gcd,
             "minimum": np.minimum, "bitwise_and": np.bitwise_and, "bitwise_xor": np.bitwise_xor,
             "less": np.less, "equal": np.equal,
             "shift_left": lambda x, y: np.array(lax.shift_left(x, y)),
             "shift_right_logical": lambda x, y: np.array(lax.shift_right_logical(x, y)),
             "shift_right_arithmetic": lambda x, y: np.array(lax.shift_right_arithmetic(x, y))}
    for dtype in (np.int8, np.uint8, np.int16):
        top, low = np.iinfo(dtype).max, np.iinfo(dtype).min
        a, b = pairs([0, 1, 2, 3, 7, 8, 15, 16, 100, top, top - 1, low, low + 1], dtype)
        for op, f in table.items():
            if dtype == np.uint8 and op == "shift_right_arithmetic":
                f = np.right_shift  # JAX copies the top bit of an unsigned number too
                case(op, np.where(b > 7, 0, f(a, np.minimum(b, 7))).astype(dtype), a, b)
                continue
            case(op, f(a, b), a, b)
        keep = (b != 0) & ~((a == low) & (b == top) & (low < 0))
        case("div", np.array(lax.div(a[keep], b[keep])), a[keep], b[keep])
        case("neg", np.negative(a), a)
        case("abs", np.abs(a), a)
        case("population_count", np.array(lax.population_count(a)), a)
        x = a.reshape(13, 13)
        case("reduce_sum", np.sum(x, axis=1, dtype=dtype), x, axes=[1])
        case("reduce_max", np.max(x, axis=0), x, axes=[0])
        case("cumsum", np.cumsum(x, axis=0, dtype=dtype), x, axis=0, reverse=0)
    edges = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.1, -2.5, 6e-8, 6e-5, 60000.0, 3e38]
    for dtype in (np.float16, ml_dtypes.bfloat16):
        values = np.concatenate([np.array(edges), RNG.normal(size=3)]).astype(dtype)
        a, b = (v.reshape(-1).copy() for v in np.meshgrid(values, values))
        wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
        for op in ("add", "sub", "mul", "div", "less", "equal", "maximum"):
            f = {"div": np.divide, "maximum": np.maximum}.get(op) or table[op]
            y = f(wide_a, wide_b)
            if op == "maximum":
                zeros = (wide_a == 0) & (wide_b == 0)  # their order is not defined by NumPy
                case(op, y[~zeros].astype(dtype), a[~zeros], b[~zeros])
                continue
            case(op, y if y.dtype == bool else y.astype(dtype), a, b)
        x = values.astype(np.float64)
        for op, f in (("sqrt", np.sqrt), ("floor", np.floor)):
            case(op, f(x).astype(dtype), values)
        for op, f in (("exp", np.exp), ("tanh", np.tanh), ("sin", np.sin), ("erf", special.erf)):
            case(op, f(x).astype(dtype), values, tol=(2, 1e-30))
        x = RNG.normal(size=(9, 33)).astype(dtype)
        for axis in (0, 1):
            y = np.sum(x.astype(np.float64), axis=axis).astype(dtype)
            case("reduce_sum", y, x, tol=(1, 1), axes=[axis])
            case("reduce_max", np.max(x, axis=axis), x, axes=[axis])
            case("argmax", np.argmax(x, axis=axis).astype(np.int32), x, axis=axis)


def main():
    with np.errstate(all="ignore"):
        for page in (unary, binary, products, cumulative, narrow, gamma_slopes,
                     bessel):
            page()
    path = os.path.join(os.path.dirname(os.path.abspath(ops.__file__)),
                        "../resources/golden/elementwise.json")
    with open(path, "w") as f:
        f.write('{"maker": "golden_elementwise.py, numpy %s, scipy %s, jax %s, python %s",\n'
                '"cases": [\n' % (np.__version__, scipy.__version__, jax.__version__,
                                  platform.python_version()))
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in CASES))
        f.write("\n]}\n")
    print(len(CASES), "cases,", os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
