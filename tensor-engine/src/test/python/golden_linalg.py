"""Writes golden/contractions.json and golden/linalg.json: what NumPy answers for products and linear algebra.

Run from this folder with numpy and ml_dtypes installed:

    python golden_linalg.py

contractions.json holds uses of composed functions: their name, settings, operands, result. linalg.json holds
uses of rows of the op table in the format of ops.json (see golden_ops.py). The seed is fixed, so a second
run writes the same files, byte for byte.
"""

import json
import os
import platform

import ml_dtypes
import numpy as np

RNG = np.random.default_rng(23)
NAMES = {"float32": "f32", "float64": "f64", "int32": "i32", "int64": "i64", "bfloat16": "bf16",
         "float16": "f16"}
ROWS = []
CALLS = []


def number(v):
    return int(v) if isinstance(v, (int, np.integer)) else float(v)


def tensor(x):
    x = np.asarray(x)
    return {"dtype": NAMES[x.dtype.name], "shape": list(x.shape),
            "data": [number(v) for v in x.reshape(-1)]}


def row(op, out, *inputs, tol, **attrs):
    ROWS.append({"op": op, "attrs": attrs, "inputs": [tensor(x) for x in inputs],
                 "output": tensor(out), "tolerance": list(tol)})


def call(fn, out, *inputs, tol=(2, 30), **args):
    CALLS.append({"fn": fn, "args": args, "inputs": [tensor(x) for x in inputs],
                  "output": tensor(out), "tolerance": list(tol)})


def real(*shape, dtype=np.float64):
    return RNG.uniform(-1, 1, shape).astype(dtype)


def einsums():
    for equation, *shapes in (
            ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ij,kj->ki", (2, 3), (4, 3)),
            ("ba,cb", (2, 3), (4, 2)), ("i,i->", (5,), (5,)), ("i,j->ij", (3,), (4,)), ("i,i->i", (3,), (3,)),
            (",ij->ij", (), (2, 3)), (",", (), ()), ("->", ()), ("ii->", (4, 4)), ("ii->i", (4, 4)),
            ("ii", (4, 4)), ("iij->ij", (3, 3, 2)), ("iji->j", (3, 2, 3)), ("iii->i", (3, 3, 3)),
            ("iijj->ij", (2, 2, 3, 3)), ("ijk->", (2, 3, 4)), ("ijk->kji", (2, 3, 4)), ("ijk->j", (2, 3, 4)),
            ("cab", (2, 3, 4)), ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
            ("bhqk,bkhd->bqhd", (2, 2, 3, 5), (2, 5, 2, 4)), ("...ij,...jk->...ik", (3, 2, 3), (3, 3, 4)),
            ("...ij,jk->...ik", (2, 3, 2, 3), (3, 4)), ("...ij,...jk->...ik", (2, 1, 2, 3), (5, 3, 4)),
            ("...ij,...jk", (1, 2, 3), (3, 3, 4)), ("i...->...", (3, 2, 4)), ("i...->...i", (3, 2, 4)),
            ("...i,...i->...", (4, 3), (3,)), ("...,...", (2, 1), (3,)), ("a...b->b...", (2, 3, 4)),
            ("ij,jk,kl->il", (2, 6), (6, 3), (3, 4)), ("ij,jk,kl", (7, 2), (2, 7), (7, 1)),
            ("bi,ij,bj->b", (4, 3), (3, 5), (4, 5)), ("ijk,jl,kl->il", (2, 3, 4), (3, 5), (4, 5)),
            ("a,b,c->abc", (2,), (3,), (4,)), ("ab,bc,cd,de->ae", (2, 3), (3, 4), (4, 5), (5, 2)),
            ("ij,ij->", (3, 4), (3, 4)), ("ij,ji->", (3, 4), (4, 3)), ("ij,k->i", (2, 3), (4,)),
            ("ii,ij->j", (3, 3), (3, 4)), ("i,ij,j", (3,), (3, 4), (4,)), ("ij,jk->ik", (2, 0), (0, 3)),
            ("ij,jk->ik", (0, 2), (2, 3)), ("Ab,bZ->AZ", (2, 3), (3, 4)), ("b i j , b j k -> b i k", (2, 3, 4),
                                                                                    (2, 4, 5))):
        x = [real(*s) for s in shapes]
        call("einsum", np.einsum(equation, *x), *x, equation=equation)
    x = [RNG.integers(-9, 9, s).astype(np.int32) for s in ((2, 3), (3, 4), (4,))]
    call("einsum", np.einsum("ij,jk,k->i", *x).astype(np.int32), *x, tol=(0, 0), equation="ij,jk,k->i")


def products():
    pairs = (((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((2, 3, 4), (4,)),
             ((2, 3, 4), (4, 5)), ((2, 3, 4), (5, 4, 2)), ((4,), (5, 4, 2)))
    for a, b in pairs:
        x, y = real(*a), real(*b)
        call("dot", np.dot(x, y), x, y)
        call("matmul", np.matmul(x, y), x, y) if len(a) < 3 or len(b) < 3 else None
    x, y = real(), real(2, 3)
    call("dot", np.dot(x, y), x, y)
    call("inner", np.inner(x, y), x, y)
    for a, b in (((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((2, 3, 4), (5, 4)), ((0,), (0,))):
        x, y = real(*a), real(*b)
        call("inner", np.inner(x, y), x, y)
    for a, b in (((3,), (3,)), ((2, 3), (6,)), ((2, 3), (3, 2)), ((), ())):
        x, y = real(*a), real(*b)
        call("vdot", np.vdot(x, y), x, y)
    for a, b in (((3,), (3,)), ((2, 3), (3,)), ((2, 1, 3), (4, 3))):
        x, y = real(*a), real(*b)
        call("vecdot", np.vecdot(x, y), x, y)
        call("cross", np.linalg.cross(x, y), x, y)
    for a, b in (((3,), (4,)), ((2, 3), (2,)), ((), (3,)), ((0,), (3,))):
        x, y = real(*a), real(*b)
        call("outer", np.outer(x, y), x, y)
    for a, b, axes in (((2, 3, 4), (3, 4, 5), 2), ((2, 3), (4, 5), 0), ((2, 3), (3, 4), 1),
                       ((2, 3, 4), (4, 2, 5), ((0, 2), (1, 0))), ((2, 3), (2, 3), ((-1,), (-1,)))):
        x, y = real(*a), real(*b)
        if isinstance(axes, int):
            call("tensordot", np.tensordot(x, y, axes), x, y, axes=axes)
        else:
            call("tensordot", np.tensordot(x, y, axes), x, y, a=list(axes[0]), b=list(axes[1]))
    for a, b in (((2, 3), (4, 5)), ((3,), (2,)), ((2, 2), (3,)), ((2,), (2, 3, 2)), ((), (2, 2))):
        x, y = real(*a), real(*b)
        call("kron", np.kron(x, y), x, y)
    for s in ((3, 3), (2, 4), (4, 2), (2, 3, 3), (0, 3)):
        x = real(*s)
        call("trace", np.linalg.trace(x), x)
        call("diagonal", np.linalg.diagonal(x), x)


def matmuls():
    for dtype in (ml_dtypes.bfloat16, np.float16):
        for a, b in (((2, 3), (3, 4)), ((5, 17), (17, 9)), ((3, 1), (1, 3)), ((3, 2, 4), (3, 4, 2))):
            x, y = real(*a, dtype=dtype), real(*b, dtype=dtype)
            wide = np.matmul(x.astype(np.float64), y.astype(np.float64))
            row("matmul", wide.astype(dtype), x, y, tol=(1, 0.01))
    for dtype in (np.int32, np.int64):
        for a, b in (((2, 3), (3, 4)), ((5, 17), (17, 9)), ((2, 0), (0, 3)), ((3, 2, 4), (3, 4, 2))):
            top = np.iinfo(dtype).max
            x, y = (RNG.integers(-top, top, s).astype(dtype) for s in (a, b))  # wraps
            row("matmul", np.matmul(x, y), x, y, tol=(0, 0))


def write(name, cases):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../resources/golden/" + name)
    with open(path, "w") as f:
        f.write('{"maker": "golden_linalg.py, numpy %s, python %s",\n"cases": [\n' % (
            np.__version__, platform.python_version()))
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
        f.write("\n]}\n")
    print(name, len(cases), "cases,", os.path.getsize(path), "bytes")


def main():
    for page in (einsums, products, matmuls):
        page()
    write("contractions.json", CALLS)
    write("linalg.json", ROWS)


if __name__ == "__main__":
    main()
