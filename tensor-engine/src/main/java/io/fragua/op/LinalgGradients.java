package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.List;

/**
 * Derivatives of the rows of {@link LinalgOps}. Write T' for a transpose, o for the product element
 * by element.
 *
 * <p>Sources: [G] Giles, "Collected matrix derivative results for forward and reverse mode
 * algorithmic differentiation", 2008; [T] Townsend, "Differentiating the singular value
 * decomposition", 2016; [R] Roberts and Roberts, "QR and LQ decomposition matrix backpropagation
 * algorithms for square, wide, and deep matrices", 2020; [P] Golub and Pereyra, "The
 * differentiation of pseudo-inverses and nonlinear least squares problems whose variables
 * separate", 1973; and the rules in {@code jax.lax.linalg}.
 */
final class LinalgGradients {
  private LinalgGradients() {}

  /** Elements on or below (above 0: also above) a diagonal; zero elsewhere. */
  private static Tensor lower(Tensor x, int diagonal) {
    return where(x, diagonal, true);
  }

  private static Tensor upper(Tensor x) {
    return where(x, 0, false);
  }

  private static Tensor where(Tensor x, int diagonal, boolean below) {
    int r = x.shape().rank();
    Shape s = x.shape().slice(r - 2, r);
    Tensor row = x.iotaLike(DType.I32, s, 0).add(diagonal);
    Tensor column = x.iotaLike(DType.I32, s, 1);
    Tensor keep = below ? row.greaterEqual(column) : row.lessEqual(column);
    return keep.select(x, Tensor.scalar(x.dtype(), 0));
  }

  /** The lower triangle with half of the diagonal. */
  private static Tensor half(Tensor x) {
    return lower(x, 0).add(lower(x, -1)).mul(0.5);
  }

  /** The gradient of a symmetric matrix of which the lower triangle is read. */
  private static Tensor folded(Tensor x) {
    return half(x.add(x.transpose()));
  }

  private static Tensor solved(Tensor a, Tensor b, boolean lower, boolean transpose, boolean unit) {
    return Tensor.apply(
        "triangular_solve",
        Attrs.of("lower", lower ? 1 : 0)
            .with("transpose", transpose ? 1 : 0)
            .with("unit", unit ? 1 : 0),
        a,
        b);
  }

  /** [G] 3.3: L^-T half(L' g) L^-1, half being the lower triangle with half of the diagonal. */
  static Tensor cholesky(Tensor g, Tensor l) {
    Tensor p = half(l.transpose().matmul(lower(g, 0)));
    Tensor left = solved(l, p, true, true, false);
    return folded(solved(l, left.transpose(), true, true, false));
  }

  /** [G] 2.3.1: b gets op(A)^-T g, A gets -(that) x', in the triangle that is read. */
  static List<Tensor> triangularSolve(Tensor g, Tensor a, Tensor x, Attrs s) {
    boolean lower = s.integer("lower") == 1;
    boolean transpose = s.integer("transpose") == 1;
    boolean unit = s.integer("unit") == 1;
    Tensor b = solved(a, g, lower, !transpose, unit);
    Tensor full = (transpose ? x.matmul(b.transpose()) : b.matmul(x.transpose())).neg();
    return List.of(where(full, lower ? (unit ? -1 : 0) : (unit ? 1 : 0), lower), b);
  }

  /** [G] 2.3.1. */
  static List<Tensor> solve(Tensor g, Tensor a, Tensor x) {
    Tensor b = Tensor.apply("solve", Attrs.NONE, a.transpose(), g);
    return List.of(b.matmul(x.transpose()).neg(), b);
  }

  /**
   * [P] (4.12), transposed, for the changes of A that keep its rank: -P' g P' + (I - A P) g' P P' +
   * P' P g' (I - P A). No singular values are told apart, so equal ones are no matter.
   */
  static Tensor pinv(Tensor g, Tensor a, Tensor p) {
    Tensor pt = p.transpose();
    Tensor gt = g.transpose();
    Tensor left = product(gt, p, pt);
    Tensor right = product(pt, p, gt);
    return left.sub(product(a, p, left))
        .add(right.sub(product(right, p, a)))
        .sub(product(pt, g, pt));
  }

  /** Of three matrices, in the cheaper order. */
  private static Tensor product(Tensor x, Tensor y, Tensor z) {
    double i = x.shape().dim(-2);
    double j = y.shape().dim(-2);
    double k = y.shape().dim(-1);
    double l = z.shape().dim(-1);
    boolean first = i * k * (j + l) <= j * l * (i + k);
    return first ? x.matmul(y).matmul(z) : x.matmul(y.matmul(z));
  }

  /** JAX's rule, transposed: P' L^-T (lower(L' gL, -1) + upper(gU U')) U^-T. */
  static List<Tensor> lu(Tensor g, Tensor a, List<Tensor> y) {
    Tensor lu = y.get(0);
    int n = lu.shape().dim(-1);
    Tensor eye =
        lu.iotaLike(DType.I32, Shape.of(n, n), 0)
            .equal(lu.iotaLike(DType.I32, Shape.of(n, n), 1))
            .cast(lu.dtype());
    Tensor l = lower(lu, -1).add(eye);
    Tensor u = upper(lu);
    Tensor inner =
        lower(l.transpose().matmul(lower(g, -1)), -1).add(upper(upper(g).matmul(u.transpose())));
    Tensor left = solved(lu, inner, true, true, true);
    Tensor permuted = solved(lu, left.transpose(), false, false, false).transpose();
    Tensor p =
        y.get(2).expandDims(-1).equal(lu.iotaLike(DType.I32, Shape.of(n), 0)).cast(lu.dtype());
    return List.of(p.transpose().matmul(permuted));
  }

  /** [R]: of a tall or square matrix (3.3), and of a wide one by its first columns (3.2). */
  static Tensor qr(List<Tensor> gradients, Tensor a, List<Tensor> y) {
    List<Tensor> g = Rules.zerosForNull(gradients, y);
    Tensor q = y.get(0);
    Tensor r = y.get(1);
    int k = r.shape().dim(-2);
    int n = r.shape().dim(-1);
    if (n == k) {
      return tall(g.get(0), g.get(1), q, r);
    }
    Tensor rest = g.get(1).slice(-1, k, n);
    Tensor gq = g.get(0).add(a.slice(-1, k, n).matmul(rest.transpose()));
    Tensor first = tall(gq, g.get(1).slice(-1, 0, k), q, r.slice(-1, 0, k));
    return io.fragua.tensor.Movement.concat(-1, List.of(first, q.matmul(rest)));
  }

  /** (gQ + Q M) R^-T with M the lower triangle of R gR' - gQ' Q, mirrored. */
  private static Tensor tall(Tensor gq, Tensor gr, Tensor q, Tensor r) {
    Tensor m = r.matmul(upper(gr).transpose()).sub(gq.transpose().matmul(q));
    Tensor mirrored = lower(m, 0).add(lower(m, -1).transpose());
    Tensor b = gq.add(q.matmul(mirrored));
    return solved(r, b.transpose(), false, false, false).transpose();
  }

  /** 1 / (x_j - x_i) off the diagonal, 0 on it: [..., n, n] from [..., n]. */
  private static Tensor inverseGaps(Tensor x) {
    int n = x.shape().dim(-1);
    Tensor gap = x.expandDims(-2).sub(x.expandDims(-1));
    Tensor same =
        x.iotaLike(DType.I32, Shape.of(n, n), 0).equal(x.iotaLike(DType.I32, Shape.of(n, n), 1));
    Tensor zero = Tensor.scalar(x.dtype(), 0);
    return same.select(zero, Rules.one(x).lift(x).div(same.select(Rules.one(x), gap)));
  }

  /** [G] 3.1: V (diag(gw) + F o (V' gV)) V', F the inverse gaps of the eigenvalues. */
  static Tensor eigh(List<Tensor> g, List<Tensor> y) {
    Tensor w = y.get(0);
    Tensor v = y.get(1);
    Tensor sum = null;
    if (g.get(0) != null) {
      sum = v.mul(g.get(0).expandDims(-2)).matmul(v.transpose());
    }
    if (g.get(1) != null) {
      Tensor inner = inverseGaps(w).mul(v.transpose().matmul(g.get(1)));
      Tensor part = v.matmul(inner).matmul(v.transpose());
      sum = sum == null ? part : sum.add(part);
    }
    return folded(sum);
  }

  /** [T] (31): with the inverse gaps of the squared singular values. */
  static Tensor svd(List<Tensor> g, List<Tensor> y) {
    Tensor u = y.get(0);
    Tensor s = y.get(1);
    Tensor vh = y.get(2);
    Tensor sum = null;
    if (g.get(1) != null) {
      sum = u.mul(g.get(1).expandDims(-2)).matmul(vh);
    }
    if (g.get(0) == null && g.get(2) == null) {
      return sum; // of the values alone: exact even when some are equal or zero
    }
    Tensor f = inverseGaps(s.square());
    Tensor row = s.expandDims(-2);
    Tensor column = s.expandDims(-1);
    if (g.get(0) != null) {
      Tensor gu = g.get(0);
      Tensor t = u.transpose().matmul(gu);
      Tensor inner = f.mul(t.sub(t.transpose())).mul(row);
      Tensor part = u.matmul(inner);
      if (u.shape().dim(-2) > u.shape().dim(-1)) {
        part = part.add(gu.sub(u.matmul(t)).div(row));
      }
      part = part.matmul(vh);
      sum = sum == null ? part : sum.add(part);
    }
    if (g.get(2) != null) {
      Tensor gv = g.get(2);
      Tensor t = vh.matmul(gv.transpose()); // V' gV
      Tensor inner = column.mul(f.mul(t.sub(t.transpose())));
      Tensor part = inner.matmul(vh);
      if (vh.shape().dim(-1) > vh.shape().dim(-2)) {
        part = part.add(gv.sub(t.transpose().matmul(vh)).div(column));
      }
      part = u.matmul(part);
      sum = sum == null ? part : sum.add(part);
    }
    return sum;
  }
}
