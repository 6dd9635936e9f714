package io.fragua.tensor;

import io.fragua.op.OpTable;
import java.util.List;

/**
 * Linear algebra on the matrices of the last two axes; leading axes are further matrices. Dtypes
 * f32 and f64, computed in f64. What has no answer (a singular matrix to invert, one that is not
 * positive definite, numbers that are not finite) gives NaN for that matrix, not an error, so that
 * one of many does not stop the others; {@code lu} and {@code det} of singular matrices are fine.
 *
 * <p>Errors: {@link ShapeException} for other dtypes, fewer than two axes, matrices that are not
 * square where they must be, and operands that do not fit each other.
 *
 * @source NumPy linalg
 */
public interface Linalg {
  /** This tensor. */
  Tensor self();

  /** {@code q} [..., M, K] with orthonormal columns and {@code r} [..., K, N] upper triangular. */
  record Qr(Tensor q, Tensor r) {}

  /** {@code values} [..., N] ascending and {@code vectors} [..., N, N], one a column. */
  record Eigh(Tensor values, Tensor vectors) {}

  /** {@code u} [..., M, K], {@code s} [..., K] descending, {@code vh} [..., K, N]. */
  record Svd(Tensor u, Tensor s, Tensor vh) {}

  /**
   * {@code lu} [..., N, N]: U, and L below the diagonal, which is 1 in L; {@code pivots} [..., N]
   * i32: the row that row i was exchanged with, one after another; {@code permutation} [..., N]
   * i32: the row of the matrix that became row i.
   */
  record Lu(Tensor lu, Tensor pivots, Tensor permutation) {}

  /** {@code sign} [...] -1, 0 or 1, and {@code logAbs} [...], the logarithm of the magnitude. */
  record Slogdet(Tensor sign, Tensor logAbs) {}

  private List<Tensor> all(String op) {
    return Tensor.applyAll(OpTable.get(op), Attrs.NONE, List.of(self()));
  }

  /**
   * Lower triangular L with L L^T = this, a positive definite symmetric matrix of which the lower
   * triangle is read: [..., N, N]. NaN where it is not positive definite.
   *
   * @source NumPy linalg.cholesky; derivative: Giles 2008, 3.3
   */
  default Tensor cholesky() {
    return Tensor.apply("cholesky", Attrs.NONE, self());
  }

  /**
   * X with op(this) X = b for a triangular matrix, of which the other triangle is not read.
   *
   * <p>Shapes: this [..., N, N], b [..., N, M], result [..., N, M]; leading axes broadcast. A zero
   * on the diagonal gives infinities or NaN.
   *
   * @param lower which triangle is read
   * @param transpose op is the transpose, else nothing
   * @param unit the diagonal is taken as 1 and not read
   * @source JAX lax.linalg.triangular_solve; derivative: Giles 2008, 2.3.1
   */
  default Tensor triangularSolve(Tensor b, boolean lower, boolean transpose, boolean unit) {
    Attrs a =
        Attrs.of("lower", lower ? 1 : 0)
            .with("transpose", transpose ? 1 : 0)
            .with("unit", unit ? 1 : 0);
    return system("triangular_solve", a, b);
  }

  /**
   * X with this X = b: this [..., N, N], b [..., N, M], result [..., N, M]; leading axes broadcast.
   * A vector b [N] gives a vector. NaN where this is singular.
   *
   * @source NumPy linalg.solve; derivative: Giles 2008, 2.3.1
   */
  default Tensor solve(Tensor b) {
    if (b.shape().rank() == 1) {
      Tensor x = system("solve", Attrs.NONE, b.expandDims(-1));
      return x.reshape(x.shape().without(x.shape().rank() - 1).dims());
    }
    return system("solve", Attrs.NONE, b);
  }

  private Tensor system(String op, Attrs attrs, Tensor b) {
    Tensor a = self();
    int ra = a.shape().rank();
    int rb = b.shape().rank();
    if (ra < 2 || rb < 2) {
      return Tensor.apply(op, attrs, a, b); // which refuses them
    }
    Shape lead = Shape.broadcast(op, a.shape().slice(0, ra - 2), b.shape().slice(0, rb - 2));
    return Tensor.apply(
        op,
        attrs,
        a.lift(b).broadcastTo(lead.concat(a.shape().slice(ra - 2, ra))),
        b.lift(a).broadcastTo(lead.concat(b.shape().slice(rb - 2, rb))));
  }

  /**
   * Q R = this [..., M, N], K = min(M, N), by Householder reflections as in LAPACK.
   *
   * @source NumPy linalg.qr, mode reduced; derivative: Roberts and Roberts 2020
   */
  default Qr qr() {
    List<Tensor> y = all("qr");
    return new Qr(y.get(0), y.get(1));
  }

  /**
   * V diag(w) V^T = this, a symmetric matrix [..., N, N] of which the lower triangle is read. The
   * sign of each vector: its first component of more than half of the largest magnitude is
   * positive. The derivative of the vectors is infinite where eigenvalues are equal.
   *
   * @source NumPy linalg.eigh; derivative: Giles 2008, 3.1
   */
  default Eigh eigh() {
    List<Tensor> y = all("eigh");
    return new Eigh(y.get(0), y.get(1));
  }

  /**
   * U diag(s) V^T = this [..., M, N], K = min(M, N). The sign of each pair of vectors: the first
   * component of more than half of the largest magnitude in U's column is positive. The derivative
   * of the vectors is infinite where singular values are equal or zero; that of the values is not.
   *
   * @source NumPy linalg.svd with full_matrices=False; derivative: Townsend 2016
   */
  default Svd svd() {
    List<Tensor> y = all("svd");
    return new Svd(y.get(0), y.get(1), y.get(2));
  }

  /**
   * L U = the rows of this [..., N, N] in another order, by partial pivoting.
   *
   * @source JAX lax.linalg.lu
   */
  default Lu lu() {
    List<Tensor> y = all("lu");
    return new Lu(y.get(0), y.get(1), y.get(2));
  }

  /** The inverse; NaN where there is none. @source NumPy linalg.inv */
  default Tensor inv() {
    Tensor a = self();
    Check.shape(
        a.shape().rank() >= 2 && a.shape().dim(-1) == a.shape().dim(-2),
        "inv: matrices must be square: %s; use pinv for others",
        a.type());
    return solve(identity());
  }

  private Tensor identity() {
    int n = self().shape().dim(-1);
    Shape s = Shape.of(n, n);
    return self()
        .iotaLike(DType.I32, s, 0)
        .equal(self().iotaLike(DType.I32, s, 1))
        .cast(self().dtype());
  }

  /**
   * Determinant: [..., N, N] to [...]; the derivative needs a regular matrix. @source NumPy
   * linalg.det
   */
  default Tensor det() {
    Lu f = lu();
    Tensor product = f.lu().diagonal();
    for (int n = product.shape().dim(-1); n > 1; n = (n + 1) / 2) {
      Tensor even = n % 2 == 0 ? product : product.pad(-1, 0, 1, 1);
      int half = (n + 1) / 2;
      product = even.slice(-1, 0, half).mul(even.slice(-1, half, 2 * half));
    }
    Tensor one = product.shape().dim(-1) == 0 ? product.pad(-1, 0, 1, 1) : product;
    Shape s = one.shape();
    return one.reshape(s.without(s.rank() - 1).dims()).mul(parity(f, null));
  }

  /**
   * Sign and logarithm of the magnitude of the determinant, which itself could overflow. A singular
   * matrix has sign 0 and logarithm -infinity.
   *
   * @source NumPy linalg.slogdet
   */
  default Slogdet slogdet() {
    Lu f = lu();
    Tensor d = f.lu().diagonal();
    Tensor zero = d.equal(Tensor.zeros(d.dtype())).cast(DType.I32).sum(-1).greater(0);
    Tensor sign = zero.select(Tensor.scalar(d.dtype(), 0), parity(f, d));
    return new Slogdet(sign, d.abs().log().sum(-1));
  }

  /** -1 or 1 by the number of exchanged rows and of negative numbers in d, if given. */
  private static Tensor parity(Lu f, Tensor d) {
    Tensor p = f.pivots();
    Tensor moved = p.notEqual(p.iotaLike(DType.I32, p.shape(), -1)).cast(DType.I32).sum(-1);
    Tensor count = d == null ? moved : moved.add(d.less(0).cast(DType.I32).sum(-1));
    return Tensor.scalar(DType.I32, 1)
        .lift(count)
        .sub(count.and(Tensor.scalar(DType.I32, 1)).mul(2))
        .cast(f.lu().dtype());
  }

  /** Machine epsilon of the dtype times the larger side and the largest singular value. */
  private Tensor threshold(Tensor s) {
    double eps = self().dtype() == DType.F32 ? 0x1p-23 : 0x1p-52;
    int side = Math.max(self().shape().dim(-2), self().shape().dim(-1));
    return s.maxKeep(-1).mul(eps * side);
  }

  /**
   * Pseudo-inverse: [..., M, N] to [..., N, M], with singular values of at most {@code rcond} times
   * the largest taken as zero, by the derivative too: it is that along matrices of the same rank,
   * since between ranks there is none. Equal singular values do it no harm.
   *
   * @param rcond finite and not negative
   * @source NumPy linalg.pinv; derivative: Golub and Pereyra 1973, as in JAX and PyTorch
   */
  default Tensor pinv(double rcond) {
    return Tensor.apply("pinv", Attrs.of("rcond", rcond), self());
  }

  /** As {@link #pinv(double)} with NumPy's 1e-15 in f64, and 1e-6 in f32. */
  default Tensor pinv() {
    return pinv(self().dtype() == DType.F32 ? 1e-6 : 1e-15);
  }

  /**
   * The shortest X that makes the squares of this X - b least: this [..., M, N], b [..., M, K] (or
   * a vector [M]), result [..., N, K]. Singular values of at most eps times the larger side and the
   * largest of them count as zero, as in {@link #pinv(double)}.
   *
   * @source NumPy linalg.lstsq, the solution
   */
  default Tensor lstsq(Tensor b) {
    double eps = self().dtype() == DType.F32 ? 0x1p-23 : 0x1p-52;
    Check.shape(
        self().shape().rank() >= 2,
        "lstsq: needs a matrix, two axes: %s; reshape it",
        self().type());
    int side = Math.max(self().shape().dim(-2), self().shape().dim(-1));
    return pinv(eps * side).matmul(b);
  }

  /**
   * Number of singular values above eps times the larger side and the largest of them: [..., M, N]
   * to [...], i32.
   *
   * @source NumPy linalg.matrix_rank
   */
  default Tensor matrixRank() {
    Tensor s = svd().s();
    return s.greater(threshold(s)).cast(DType.I32).sum(-1);
  }

  /**
   * The n-th power of square matrices [..., N, N]: of the inverse if n is negative, the identity if
   * it is 0. Not negative powers accept all dtypes of {@code matmul}.
   *
   * @source NumPy linalg.matrix_power
   */
  default Tensor matrixPower(int n) {
    Tensor a = self();
    Check.shape(
        a.shape().rank() >= 2 && a.shape().dim(-1) == a.shape().dim(-2),
        "matrix_power: matrices must be square: %s; slice them",
        a.type());
    if (n == 0) {
      return identity().lift(a).broadcastTo(a.shape());
    }
    Tensor square = n < 0 ? a.inv() : a;
    Tensor result = null;
    for (long k = Math.abs((long) n); k > 0; k >>= 1) {
      if ((k & 1) == 1) {
        result = result == null ? square : result.matmul(square);
      }
      square = k > 1 ? square.matmul(square) : square;
    }
    return result;
  }

  /**
   * Exponential of square matrices [..., N, N] by scaling and squaring with Pade's approximation of
   * order 13; of at most 16 squarings, so for 1-norms up to about 350,000.
   *
   * @source Higham, "The scaling and squaring method for the matrix exponential revisited", 2005;
   *     SciPy linalg.expm
   */
  default Tensor expm() {
    Tensor a = self();
    Check.shape(
        a.shape().rank() >= 2 && a.shape().dim(-1) == a.shape().dim(-2),
        "expm: matrices must be square: %s; slice them",
        a.type());
    return a.shape().size() == 0 ? a : MatrixExponential.of(a, identity());
  }
}
