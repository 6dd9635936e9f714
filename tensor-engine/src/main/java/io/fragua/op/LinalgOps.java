package io.fragua.op;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.List;

/**
 * Rows of linear algebra, on the matrices of the last two axes; leading axes are further matrices.
 *
 * @source NumPy linalg and JAX {@code jax.lax.linalg}; computed as LAPACK does
 */
final class LinalgOps {
  /** As many matrices more; the rows take any leading axes. */
  private static final Op.Batch LEADING =
      (Op.Batch.Many) (op, in, mapped, a) -> Tensor.applyAll(op, a, in);

  static final List<Op> ROWS =
      List.of(
          row(
              "cholesky",
              1,
              (op, in, a) -> square(op, in.get(0)),
              (g, in, y, a) -> List.of(LinalgGradients.cholesky(g, y)),
              LEADING,
              "NumPy linalg.cholesky, with NaN where a matrix is not positive definite"),
          row(
              "triangular_solve",
              2,
              (op, in, a) -> {
                for (String flag : List.of("lower", "transpose", "unit")) {
                  Check.shape(
                      a.integer(flag) == 0 || a.integer(flag) == 1,
                      "triangular_solve: setting %s must be 0 or 1: %d; correct it",
                      flag,
                      a.integer(flag));
                }
                return system(op, in);
              },
              (g, in, y, a) -> LinalgGradients.triangularSolve(g, in.get(0), y, a),
              Batching.ALL,
              "JAX lax.linalg.triangular_solve, left side"),
          row(
              "solve",
              2,
              (op, in, a) -> system(op, in),
              (g, in, y, a) -> LinalgGradients.solve(g, in.get(0), y),
              Batching.ALL,
              "NumPy linalg.solve, with NaN where a matrix is singular"),
          row(
              "lu",
              1,
              (Op.TypeRule.Many)
                  (op, in, a) -> {
                    TensorType t = square(op, in.get(0));
                    Shape s = t.shape();
                    TensorType rows = new TensorType(DType.I32, s.without(s.rank() - 1));
                    return List.of(t, rows, rows);
                  },
              (Op.Vjp.Many) (g, in, y, a) -> LinalgGradients.lu(g.get(0), in.get(0), y),
              LEADING,
              "JAX lax.linalg.lu of square matrices"),
          row(
              "qr",
              1,
              (Op.TypeRule.Many)
                  (op, in, a) -> {
                    Shape s = matrix(op, in.get(0)).shape();
                    int k = Math.min(s.dim(-2), s.dim(-1));
                    return List.of(in.get(0).with(s.with(-1, k)), in.get(0).with(s.with(-2, k)));
                  },
              (Op.Vjp.Many) (g, in, y, a) -> List.of(LinalgGradients.qr(g, in.get(0), y)),
              LEADING,
              "NumPy linalg.qr, mode reduced"),
          row(
              "eigh",
              1,
              (Op.TypeRule.Many)
                  (op, in, a) -> {
                    TensorType t = square(op, in.get(0));
                    Shape s = t.shape();
                    return List.of(t.with(s.without(s.rank() - 1)), t);
                  },
              (Op.Vjp.Many) (g, in, y, a) -> List.of(LinalgGradients.eigh(g, y)),
              LEADING,
              "NumPy linalg.eigh; of each vector the first large component is positive"),
          row(
              "svd",
              1,
              (Op.TypeRule.Many)
                  (op, in, a) -> {
                    TensorType t = matrix(op, in.get(0));
                    Shape s = t.shape();
                    int k = Math.min(s.dim(-2), s.dim(-1));
                    return List.of(
                        t.with(s.with(-1, k)),
                        t.with(s.slice(0, s.rank() - 2).concat(Shape.of(k))),
                        t.with(s.with(-2, k)));
                  },
              (Op.Vjp.Many) (g, in, y, a) -> List.of(LinalgGradients.svd(g, y)),
              LEADING,
              "NumPy linalg.svd, full_matrices=False; of each left vector the first large component"
                  + " is positive"),
          row(
              "pinv",
              1,
              (op, in, a) -> {
                TensorType t = matrix(op, in.get(0));
                double rcond = a.real("rcond");
                Check.shape(
                    rcond >= 0 && Double.isFinite(rcond),
                    "pinv: rcond must be finite and not negative: %s; correct it",
                    rcond);
                Shape s = t.shape();
                return t.with(s.with(-2, s.dim(-1)).with(-1, s.dim(-2)));
              },
              (g, in, y, a) -> List.of(LinalgGradients.pinv(g, in.get(0), y)),
              LEADING,
              "NumPy linalg.pinv"));

  private LinalgOps() {}

  private static Op row(
      String name, int arity, Op.TypeRule type, Op.Vjp vjp, Op.Batch batch, String source) {
    return new Op(
        name,
        Family.LINALG,
        arity,
        Rules.REAL,
        type,
        vjp,
        null,
        batch,
        null,
        "none: ONNX has no such operator",
        source);
  }

  private static TensorType matrix(Op op, TensorType t) {
    Rules.dtype(op, t);
    Check.shape(
        t.shape().rank() >= 2, "%s: needs a matrix, two axes at least: %s; reshape it", op, t);
    return t;
  }

  private static TensorType square(Op op, TensorType t) {
    matrix(op, t);
    Check.shape(
        t.shape().dim(-2) == t.shape().dim(-1),
        "%s: matrices must be square: %s (%d vs %d); slice it, or use qr, svd or lstsq",
        op,
        t,
        t.shape().dim(-2),
        t.shape().dim(-1));
    return t;
  }

  private static TensorType system(Op op, List<TensorType> in) {
    TensorType a = square(op, in.get(0));
    TensorType b = matrix(op, in.get(1));
    int r = a.shape().rank();
    Check.shape(
        a.dtype() == b.dtype(),
        "%s: operands must have one dtype: %s with %s; cast one of them",
        op,
        a,
        b);
    Check.shape(
        b.shape().rank() == r && a.shape().slice(0, r - 1).equals(b.shape().slice(0, r - 1)),
        "%s: the right side must have the matrix's leading axes and rows: %s with %s; broadcast or"
            + " reshape one of them",
        op,
        a,
        b);
    return b;
  }
}
