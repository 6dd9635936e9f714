"""Writes golden/ops.json: what NumPy and JAX answer for uses of the op table's rows.

Run from this folder with numpy and jax installed:

    python golden_ops.py

Each case holds op, attrs, inputs, output and the tolerance in units of the type's eps (relative,
absolute). Numbers are exact: f32 is written as the f64 of the same value, NaN and infinities as
strings. The seed is fixed, so a second run writes the same file, byte for byte.
"""

import json
import os
import platform

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402
from jax.extend.random import threefry2x32_p  # noqa: E402

RNG = np.random.default_rng(20)
NAMES = {"float32": "f32", "float64": "f64", "int32": "i32", "int64": "i64", "bool": "bool",
         "int8": "i8", "uint8": "u8", "int16": "i16", "float16": "f16", "bfloat16": "bf16"}
CASES = []
EQUAL = (0, 0)
ULPS = (4, 1e-30)
EDGES = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-40, -1e-40, 3e38, 1e-6, 88.0,
         -104.0, 7.25]
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0]
INTS = [0, 1, -1, 2**31 - 1, -(2**31), 7, -7, 65536, 31, 32, -12345678]


def number(v):
    if isinstance(v, (bool, np.bool_)):
        return int(v)
    if isinstance(v, (int, np.integer)):
        return int(v)
    f = float(v)
    if np.isnan(f):
        return "NaN"
    if np.isinf(f):
        return "Infinity" if f > 0 else "-Infinity"
    return f


def tensor(x):
    x = np.asarray(x)
    return {"dtype": NAMES[x.dtype.name], "shape": list(x.shape),
            "data": [number(v) for v in x.reshape(-1)]}


def case(op, out, *inputs, tol=EQUAL, **attrs):
    CASES.append({"op": op, "attrs": attrs, "inputs": [tensor(x) for x in inputs],
                  "output": tensor(out), "tolerance": list(tol)})


def case_of_several(op, outs, *inputs, tol=EQUAL, **attrs):
    """As case, for a row with several results."""
    CASES.append({"op": op, "attrs": attrs, "inputs": [tensor(x) for x in inputs],
                  "outputs": [tensor(x) for x in outs], "tolerance": list(tol)})


def real(dtype, *shape, low=-3.0, high=3.0):
    return RNG.uniform(low, high, shape).astype(dtype)


def ints(*shape, low=-100, high=100):
    return RNG.integers(low, high, shape).astype(np.int32)


def ulps(dtype):
    return ULPS if dtype == np.float32 else (8, 1e-300)


def sign(x):
    """As JAX: a zero keeps its sign, which NumPy drops."""
    return np.where(x == 0, x, np.sign(x))


def unary():
    exact = {"neg": np.negative, "abs": np.abs, "sign": sign, "sqrt": np.sqrt, "floor": np.floor,
             "ceil": np.ceil, "round": np.round, "relu": jax.nn.relu}
    series = {"exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sin": np.sin,
              "cos": np.cos, "tanh": np.tanh, "rsqrt": lambda x: 1 / np.sqrt(x.astype(np.float64)),
              "logistic": lambda x: 1 / (1 + np.exp(-x.astype(np.longdouble)))}
    for dtype in (np.float32, np.float64):
        for table, tol in ((exact, EQUAL), (series, ulps(dtype))):
            for op, f in table.items():
                positive = op in ("log", "sqrt", "rsqrt", "log1p")
                for x in (real(dtype, 9, low=0.01 if positive else -4),
                          real(dtype, 2, 3, low=0.01 if positive else -4),
                          real(dtype, 0),
                          np.array(EDGES, dtype)):
                    if op in ("log", "sqrt", "rsqrt", "log1p") and x.size == len(EDGES):
                        x = np.array([np.nan, np.inf, 0.0, 1.0, 1e-6, 7.25, 3e38], dtype)
                    if op == "relu":
                        y = np.where(np.isnan(x), x, np.maximum(x, dtype(0)) + dtype(0))
                    else:
                        # series in higher precision, rounded once
                        wide = x.astype(np.float64) if table is series and dtype == np.float32 else x
                        y = f(wide)
                    case(op, np.asarray(y).astype(dtype), x, tol=tol)
    for op, f in (("neg", np.negative), ("abs", np.abs), ("sign", sign)):
        x = np.array(INTS, np.int32)
        case(op, f(x), x)
    x = np.array([True, False])
    case("logical_not", np.logical_not(x), x)
    for x in (real(np.float32, 5), np.array(EDGES, np.float32)):
        case("stop_gradient", x, x)
    x = np.array(EDGES[1:], np.float32)
    case("bitcast", x.view(np.int32), x, dtype="i32")
    for to in ("int8", "uint8", "int16", "int32", "int64", "bool", "float64", "float16", "bfloat16"):
        x = np.array([np.nan, np.inf, -np.inf, 300.7, -300.7, -1.5, 3e9, 0.3, -0.0, 65519, 65520,
                      1.00390625, 3e38], np.float32)
        case("cast", np.array(lax.convert_element_type(x, to)), x, dtype=NAMES[to])
        x = np.array(INTS, np.int32)
        case("cast", np.array(lax.convert_element_type(x, to)), x, dtype=NAMES[to])


def pairs(values, dtype):
    a, b = np.meshgrid(np.array(values, dtype), np.array(values, dtype))
    return a.reshape(-1).copy(), b.reshape(-1).copy()


def binary():
    floats = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
              "equal": np.equal, "not_equal": np.not_equal, "less": np.less,
              "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal}
    for dtype in (np.float32, np.float64):
        for op, f in floats.items():
            for a, b in ((real(dtype, 7), real(dtype, 7)), (real(dtype), real(dtype)),
                         pairs(EDGES[:9], dtype)):
                case(op, f(a, b), a, b)
        for op, f in (("maximum", np.maximum), ("minimum", np.minimum)):
            # the order of the two zeros is not defined by NumPy
            for a, b in ((real(dtype, 7), real(dtype, 7)), pairs(EDGES[:4] + EDGES[5:9], dtype)):
                case(op, f(a, b), a, b)
        a, b = real(dtype, 12, low=0.1), real(dtype, 12)
        case("pow", np.power(a.astype(np.float64), b.astype(np.float64)).astype(dtype), a, b,
             tol=ulps(dtype))
        a, b = pairs([0.0, 0.5, 1.0, 2.0, 3.0, -2.0, -0.5], dtype)
        case("pow", np.power(a.astype(np.float64), b.astype(np.float64)).astype(dtype), a, b,
             tol=ulps(dtype))
        a, b = pairs(SPECIAL, dtype)
        case("pow", np.power(a, b), a, b, tol=ulps(dtype))
    a, b = pairs(INTS, np.int32)
    table = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum,
             "minimum": np.minimum, "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or,
             "bitwise_xor": np.bitwise_xor, "equal": np.equal, "not_equal": np.not_equal,
             "less": np.less, "less_equal": np.less_equal, "greater": np.greater,
             "greater_equal": np.greater_equal,
             "shift_left": lambda x, y: np.array(lax.shift_left(x, y)),
             "shift_right_logical": lambda x, y: np.array(lax.shift_right_logical(x, y))}
    for op, f in table.items():
        case(op, f(a, b), a, b)
    keep = b != 0
    case("div", np.array(lax.div(a[keep], b[keep])), a[keep], b[keep])
    p, q = pairs([True, False], bool)
    for op, f in (("bitwise_and", np.logical_and), ("bitwise_or", np.logical_or),
                  ("bitwise_xor", np.logical_xor), ("equal", np.equal),
                  ("not_equal", np.not_equal)):
        case(op, f(p, q), p, q)
    for dtype in (np.float32, np.int32):
        c = RNG.integers(0, 2, (3, 5)).astype(bool)
        x, y = (RNG.integers(-9, 9, (3, 5)).astype(dtype) for _ in range(2))
        case("select", np.where(c, x, y), c, x, y)


def reductions():
    for dtype in (np.float32, np.float64, np.int32):
        for shape in ((), (5,), (0,), (3, 4), (2, 3, 4), (2, 0, 3)):
            x = ints(*shape).astype(dtype) if dtype == np.int32 else real(dtype, *shape)
            x = np.asarray(x, dtype)
            for mask in range(1 << len(shape)):
                axes = tuple(i for i in range(len(shape)) if mask >> i & 1)
                n = max(1, x.size)
                case("reduce_sum", np.sum(x, axis=axes, dtype=dtype), x,
                     tol=EQUAL if dtype == np.int32 else (2, 3 * n), axes=list(axes))
                if x.size:
                    case("reduce_max", np.max(x, axis=axes), x, axes=list(axes))
                    case("reduce_min", np.min(x, axis=axes), x, axes=list(axes))
            for axis in range(len(shape)):
                if shape[axis]:
                    case("argmax", np.argmax(x, axis=axis).astype(np.int32), x, axis=axis)
    x = np.array([[1, np.nan, 3, np.nan], [np.inf, 2, 3, np.inf], [-np.inf] * 4], np.float32)
    case("reduce_max", np.max(x, axis=1), x, axes=[1])
    case("reduce_min", np.min(x, axis=1), x, axes=[1])
    case("reduce_sum", np.sum(x, axis=1), x, axes=[1])
    case("argmax", np.argmax(x, axis=1).astype(np.int32), x, axis=1)


def movement():
    x = real(np.float32, 2, 3, 4)
    i = ints(2, 3, 4)
    for v in (x, i):
        case("reshape", v.reshape(4, 6), v, shape=[4, 6])
        for perm in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
            case("transpose", np.transpose(v, perm), v, perm=list(perm))
        for axis in range(3):
            case("reverse", np.flip(v, axis), v, axis=axis)
            n = v.shape[axis]
            for start, limit, stride in ((0, n, 1), (1, n, 2), (n, n, 1), (0, n, 5)):
                case("slice", np.array(lax.slice_in_dim(v, start, limit, stride, axis)), v, axis=axis,
                     start=start, limit=limit, stride=stride)
            for low, high, interior in ((1, 2, 0), (0, 0, 2), (3, 0, 1)):
                config = [(0, 0, 0)] * 3
                config[axis] = (low, high, interior)
                case("pad", np.array(lax.pad(v, v.dtype.type(5), config)), v, axis=axis, low=low,
                     high=high, interior=interior, value={"real": "5.0"})
            case("concat", np.concatenate([v, v[:, :1, :], v] if axis == 1 else [v, v], axis),
                 *([v, v[:, :1, :], v] if axis == 1 else [v, v]), axis=axis)
            for sizes in ((n,), (1, n - 1), (0, n), (1, n - 2, 0, 1)):
                case_of_several("split", lax.split(v, sizes, axis), v, axis=axis, sizes=list(sizes))
    for shape, dims in (((3,), (0,)), ((3,), (1,)), ((), ()), ((3, 3), (0, 2)), ((3, 3), (1, 2))):
        v = real(np.float64, *shape)
        case("broadcast_in_dim", np.array(lax.broadcast_in_dim(v, (3, 3, 3), dims)), v,
             shape=[3, 3, 3], dims=list(dims))
    for dtype in (np.float32, np.int32):
        for axis in range(2):
            case("iota", np.array(lax.broadcasted_iota(dtype, (3, 4), axis)), dtype=NAMES[
                np.dtype(dtype).name], shape=[3, 4], axis=axis)


def contractions():
    for dtype in (np.float32, np.float64):
        for a, b in (((2, 3), (3, 4)), ((1, 1), (1, 1)), ((5, 17), (17, 9)), ((2, 0), (0, 3)),
                     ((0, 2), (2, 3)), ((3, 2, 4), (3, 4, 2)), ((2, 2, 3, 5), (2, 2, 5, 1))):
            x, y = real(dtype, *a), real(dtype, *b)
            wide = np.matmul(x.astype(np.float64), y.astype(np.float64))
            case("matmul", wide.astype(dtype), x, y, tol=(2, 9 * max(1, a[-1])))


def indices():
    for dtype in (np.float32, np.float64, np.int32):
        for table, ids in (((5,), ()), ((5,), (7,)), ((4, 3), (2, 3)), ((3, 2, 2), (6,)),
                           ((4, 3), (0,))):
            x = RNG.integers(-50, 50, table).astype(dtype)
            k = np.asarray(RNG.integers(0, table[0], ids), np.int32)
            case("gather", np.take(x, k, axis=0), x, k)
            RNG.integers(-50, 50, ids + table[1:])  # later pages keep their numbers


def random():
    key = RNG.integers(0, 2**32, (2, 16), dtype=np.uint32)
    count = RNG.integers(0, 2**32, (2, 16), dtype=np.uint32)
    words = [np.array(w) for w in threefry2x32_p.bind(*map(jnp.asarray, (*key, *count)))]
    operands = [v.view(np.int32) for v in (key[0], key[1], count[0], count[1])]
    case("threefry2x32", words[0].view(np.int32), *operands, word="0")
    case("threefry2x32", words[1].view(np.int32), *operands, word="1")
    case("threefry2x32", (words[0] ^ words[1]).view(np.int32), *operands, word="xor")


def main():
    with np.errstate(all="ignore"):
        for page in (unary, binary, reductions, movement, contractions, indices, random):
            page()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../resources/golden/ops.json")
    with open(path, "w") as f:
        f.write('{"maker": "golden_ops.py, numpy %s, jax %s, python %s",\n"cases": [\n' % (
            np.__version__, jax.__version__, platform.python_version()))
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in CASES))
        f.write("\n]}\n")
    print(len(CASES), "cases,", os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
