"""Writes golden/contractions.json, linalg_calls.json and linalg.json: NumPy's products and linear algebra.

Run from this folder with numpy, scipy and ml_dtypes installed:

    python golden_linalg.py

contractions.json, linalg_calls.json and fft_calls.json hold uses of composed functions: their name, settings, operands, result. linalg.json holds
uses of rows of the op table in the format of ops.json (see golden_ops.py). The seed is fixed, so a second
run writes the same files, byte for byte.
"""

import json
import os
import platform

import ml_dtypes
import numpy as np
import scipy.linalg

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


def near(m, n, *lead, dtype=np.float64):
    """Near diag(1, 2, 3, ...): eigenvalues and singular values are well apart."""
    noise = RNG.uniform(-1, 1, (*lead, m, n)) * 0.8 / max(m, n, 1)
    return (np.eye(m, n) * np.arange(1, m + 1)[:, None] + noise).astype(dtype)


def several(op, outs, *inputs, tol, **attrs):
    ROWS.append({"op": op, "attrs": attrs, "inputs": [tensor(x) for x in inputs],
                 "outputs": [tensor(x) for x in outs], "tolerance": list(tol)})


def positive(vectors):
    """The sign of each column of which the first component above half of the largest is positive."""
    flat = vectors.reshape(-1, *vectors.shape[-2:])
    signs = np.ones((len(flat), 1, vectors.shape[-1]))
    for i, v in enumerate(flat):
        for j in range(v.shape[1]):
            large = np.abs(v[:, j]) > np.abs(v[:, j]).max() / 2
            signs[i, 0, j] = np.sign(v[np.argmax(large), j])
    return signs.reshape(*vectors.shape[:-2], 1, vectors.shape[-1])


def factors():
    for dtype in (np.float32, np.float64):
        tol = (20, 40) if dtype == np.float64 else (4, 4)
        for m, n, *lead in ((1, 1), (2, 2), (3, 3), (5, 5), (4, 4, 3), (2, 2, 2, 2), (9, 9)):
            x = near(m, n, *lead, dtype=dtype)
            wide = x.astype(np.float64)
            row("cholesky", np.linalg.cholesky(wide).astype(dtype), x, tol=tol)
            w, v = np.linalg.eigh(wide)
            several("eigh", [w.astype(dtype), (v * positive(v)).astype(dtype)], x, tol=tol)
            if not lead:
                x = RNG.uniform(-1, 1, (m, n)).astype(dtype)  # so that rows are exchanged
                packed, pivots = scipy.linalg.lu_factor(x.astype(np.float64))
                p = scipy.linalg.lu(x.astype(np.float64))[0]
                several("lu", [packed.astype(dtype), pivots.astype(np.int32),
                               np.argmax(p.T, axis=1).astype(np.int32)], x, tol=tol)
        for m, n, *lead in ((1, 1), (3, 3), (5, 3), (3, 5), (4, 2, 3), (1, 4), (4, 1)):
            x = near(m, n, *lead, dtype=dtype)
            wide = x.astype(np.float64)
            several("qr", [y.astype(dtype) for y in np.linalg.qr(wide)], x, tol=tol)
            u, s, vh = np.linalg.svd(wide, full_matrices=False)
            sign = positive(u)
            several("svd", [(u * sign).astype(dtype), s.astype(dtype),
                            (vh * np.swapaxes(sign, -1, -2)).astype(dtype)], x, tol=tol)
        for n, m, *lead in ((1, 1), (3, 2), (5, 1), (2, 3, 4)):
            a, b = near(n, n, *lead, dtype=dtype), real(*lead, n, m, dtype=dtype)
            wide = a.astype(np.float64), b.astype(np.float64)
            row("solve", np.linalg.solve(*wide).astype(dtype), a, b, tol=tol)
            for lower in (0, 1):
                for transpose in (0, 1):
                    for unit in (0, 1):
                        t = np.tril(wide[0]) if lower else np.triu(wide[0])
                        if unit:
                            t = t - t * np.eye(n) + np.eye(n)
                        t = np.swapaxes(t, -1, -2) if transpose else t
                        row("triangular_solve", np.linalg.solve(t, wide[1]).astype(dtype), a, b, tol=tol,
                            lower=lower, transpose=transpose, unit=unit)


def inverses():
    for dtype in (np.float32, np.float64):
        tol = (20, 40) if dtype == np.float64 else (4, 4)
        for m, n, *lead in ((1, 1), (3, 3), (5, 3), (3, 5), (4, 2, 3)):
            x = near(m, n, *lead, dtype=dtype)
            row("pinv", np.linalg.pinv(x.astype(np.float64)).astype(dtype), x, tol=tol, rcond={"real": "1e-12"})
        x = np.diag([2, 2, 0.5]).astype(dtype)  # equal singular values, and one that is left out
        row("pinv", np.linalg.pinv(x, rcond=0.3), x, tol=tol, rcond={"real": "0.3"})


def composed():
    global CALLS
    CALLS = LINALG
    for n, *lead in ((1,), (2,), (3,), (4, 2), (6,)):
        x = RNG.uniform(-1, 1, (*lead, n, n))
        b = RNG.uniform(-1, 1, (*lead, n, 2))
        tol = (200, 2000)
        call("inv", np.linalg.inv(x), x, tol=tol)
        call("det", np.linalg.det(x), x, tol=tol)
        sign, log = np.linalg.slogdet(x)
        call("slogdet_sign", sign, x, tol=tol)
        call("slogdet_log", log, x, tol=tol)
        call("solve", np.linalg.solve(x, b), x, b, tol=tol)
        call("expm", scipy.linalg.expm(x), x, tol=tol)
        call("expm", scipy.linalg.expm(9 * x), 9 * x, tol=(1e5, 1e5))
        for k in (-2, 0, 1, 2, 5):
            call("matrixPower", np.linalg.matrix_power(x, k), x, tol=(1e4, 1e5), n=k)
    x, b = RNG.uniform(-1, 1, (3, 3)), RNG.uniform(-1, 1, 3)
    call("solve", np.linalg.solve(x, b), x, b, tol=(200, 2000))
    call("solve", np.linalg.solve(x, np.ones((2, 3, 1))), x, np.ones((2, 3, 1)), tol=(200, 2000))
    call("det", np.linalg.det(np.zeros((3, 3))), np.zeros((3, 3)))
    call("slogdet_sign", 0.0, np.zeros((3, 3)))
    for m, n in ((3, 3), (5, 3), (3, 5)):
        x, b = near(m, n), RNG.uniform(-1, 1, (m, 2))
        x[-1] = x[0] if m < 5 else x[-1]  # of less than full rank
        call("pinv", np.linalg.pinv(x), x, tol=(200, 200))
        call("lstsq", np.linalg.lstsq(x, b, rcond=1e-14)[0], x, b, tol=(200, 200))
        call("matrixRank", np.int32(np.linalg.matrix_rank(x)), x)
    call("matrixRank", np.int32(0), np.zeros((2, 3)))


LINALG = []


def pairs(z):
    return np.stack([z.real, z.imag], -1)


def fourier():
    global CALLS
    for dtype in (np.float32, np.float64):
        for shape in ((1,), (2,), (3,), (8,), (12,), (13,), (97,), (227,), (2, 5), (4, 3, 2)):
            z = RNG.uniform(-1, 1, shape) + 1j * RNG.uniform(-1, 1, shape)
            x = pairs(z).astype(dtype)
            z = x[..., 0].astype(np.float64) + 1j * x[..., 1]
            for axis in range(len(shape)):
                tol = (4, 4 * shape[axis])
                row("fft", pairs(np.fft.fft(z, axis=axis)).astype(dtype), x, tol=tol, axis=axis, inverse=0)
                row("fft", pairs(np.fft.ifft(z, axis=axis)).astype(dtype), x, tol=tol, axis=axis, inverse=1)
    CALLS = FOURIER
    for shape in ((1,), (2,), (7,), (8,), (2, 6), (3, 5)):
        x = RNG.uniform(-1, 1, shape)
        call("rfft", pairs(np.fft.rfft(x)), x, axis=-1)
        call("rfft", pairs(np.fft.rfft(x, axis=0)), x, axis=0)
        n = shape[-1]
        z = RNG.uniform(-1, 1, shape[:-1] + (n // 2 + 1,)) + 1j * RNG.uniform(-1, 1, shape[:-1] + (n // 2 + 1,))
        call("irfft", np.fft.irfft(z, n), pairs(z), axis=-2, n=n)
        call("fftshift", np.fft.fftshift(x, -1), x)
        call("ifftshift", np.fft.ifftshift(x, -1), x)
    z = RNG.uniform(-1, 1, (2, 3, 4)) + 1j * RNG.uniform(-1, 1, (2, 3, 4))
    call("fft2", pairs(np.fft.fft2(z)), pairs(z))
    call("ifft2", pairs(np.fft.ifft2(z)), pairs(z))
    call("fftn", pairs(np.fft.fftn(z)), pairs(z))
    call("ifftn", pairs(np.fft.ifftn(z)), pairs(z))
    w = RNG.uniform(-1, 1, (4,)) + 1j * RNG.uniform(-1, 1, (4,))
    call("complexMul", pairs(z * w), pairs(z), pairs(w))
    call("conj", pairs(z.conj()), pairs(z))
    for n in (1, 2, 5, 6):
        call("fftfreq", np.fft.fftfreq(n, 0.25), n=n, d=0.25)
        call("rfftfreq", np.fft.rfftfreq(n, 0.25), n=n, d=0.25)


FOURIER = []


def write(name, cases):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../resources/golden/" + name)
    with open(path, "w") as f:
        f.write('{"maker": "golden_linalg.py, numpy %s, python %s",\n"cases": [\n' % (
            np.__version__, platform.python_version()))
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
        f.write("\n]}\n")
    print(name, len(cases), "cases,", os.path.getsize(path), "bytes")


def main():
    for page in (einsums, products):
        page()
    write("contractions.json", CALLS)
    for page in (matmuls, factors, composed, fourier, inverses):
        page()
    write("linalg_calls.json", LINALG)
    write("fft_calls.json", FOURIER)
    write("linalg.json", ROWS)


if __name__ == "__main__":
    main()
