package io.fragua.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Products summed over axes. Dtype: all operands of one type, f32 f64 f16 bf16 i32 i64; the half
 * types are multiplied and summed in f32 and rounded once; integers wrap. All but {@link #matmul}
 * are compositions of it.
 */
public interface Contractions {
  /** This tensor. */
  Tensor self();

  /**
   * Matrix product over the last axis of this and the second-last of {@code b}.
   *
   * <p>Shapes: this [..., M, K], b [..., K, N], result [..., M, N]; leading axes broadcast. A
   * vector on the left is a row [1, K], one on the right a column [K, 1], and the result lacks that
   * axis.
   *
   * @throws ShapeException if K or the dtypes differ, an operand is a scalar, or leading axes do
   *     not broadcast
   * @source NumPy matmul; ONNX MatMul-13
   */
  default Tensor matmul(Tensor b) {
    Tensor a = self();
    int ra = a.shape().rank();
    int rb = b.shape().rank();
    Check.shape(
        ra >= 1 && rb >= 1,
        "matmul: operands need at least one axis: %s x %s; multiply by a scalar with mul",
        a.shape(),
        b.shape());
    if (ra == 1 || rb == 1) {
      Check.shape(
          a.shape().dim(-1) == b.shape().dim(rb == 1 ? 0 : -2),
          "matmul: inner sizes differ: %s x %s (%d vs %d); transpose the right operand or reshape"
              + " the vector",
          a.shape(),
          b.shape(),
          a.shape().dim(-1),
          b.shape().dim(rb == 1 ? 0 : -2));
      Tensor y =
          (ra == 1 ? a.expandDims(0) : a).matmul(rb == 1 ? b.expandDims(1) : b); // both matrices
      int r = y.shape().rank();
      Shape s = y.shape();
      s = rb == 1 ? s.without(r - 1) : s;
      return y.reshape((ra == 1 ? s.without(r - 2) : s).dims());
    }
    Shape ba = a.shape().slice(0, ra - 2);
    Shape bb = b.shape().slice(0, rb - 2);
    if (bb.rank() == 0 && ba.rank() > 0) { // one weight for all: a single tall product
      int m = Check.size("matmul", a.shape().without(ra - 1).size());
      return Tensor.apply("matmul", Attrs.NONE, a.reshape(m, a.shape().dim(-1)), b)
          .reshape(a.shape().with(-1, b.shape().dim(-1)).dims());
    }
    Shape batch = Shape.broadcast("matmul", ba, bb);
    return Tensor.apply(
        "matmul",
        Attrs.NONE,
        a.broadcastTo(batch.concat(a.shape().slice(ra - 2, ra))),
        b.broadcastTo(batch.concat(b.shape().slice(rb - 2, rb))));
  }

  /**
   * Sums of products by Einstein's notation.
   *
   * <p>Each operand has a term of letters, one an axis, terms separated by commas: {@code
   * "bqd,bkd->bqk"}. Equal letters are one index. After {@code ->} stand the letters of the result
   * in its order; the others are summed. Without {@code ->} the letters that occur once stay, in
   * alphabetical order. A letter twice in one term takes the diagonal. {@code ...} stands for
   * further axes, which broadcast. Spaces do not count.
   *
   * <p>More than two operands are contracted pair by pair, always the pair whose result grows least
   * over its operands.
   *
   * @throws ShapeException if the equation does not fit the operands; the message names both
   * @source NumPy einsum; the order of pairs is opt_einsum's greedy one
   */
  static Tensor einsum(String equation, Tensor... operands) {
    return new Einsum(equation, List.of(operands)).compute();
  }

  /**
   * NumPy's dot: the inner product of vectors, the product of matrices; otherwise the sum over the
   * last axis of this and the second-last (or only) axis of {@code b}, with all other axes of both
   * in the result. A scalar multiplies.
   *
   * <p>Shapes: this [A..., K], b [B..., K, N], result [A..., B..., N].
   *
   * @throws ShapeException if the sizes of the summed axes differ
   * @source NumPy dot
   */
  default Tensor dot(Tensor b) {
    int ra = self().shape().rank();
    int rb = b.shape().rank();
    return ra == 0 || rb == 0
        ? self().mul(b)
        : tensordot(b, new int[] {ra - 1}, new int[] {Math.max(0, rb - 2)});
  }

  /**
   * Inner product of all elements in row-major order, a scalar; shapes may differ in all but size.
   *
   * @throws ShapeException if the numbers of elements differ
   * @source NumPy vdot
   */
  default Tensor vdot(Tensor b) {
    Check.shape(
        self().shape().size() == b.shape().size(),
        "vdot: operands must have as many elements: %s with %s (%d vs %d); slice one of them",
        self().type(),
        b.type(),
        self().shape().size(),
        b.shape().size());
    return self().reshape((int) self().shape().size()).matmul(b.reshape((int) b.shape().size()));
  }

  /**
   * Inner product along the last axis: this [..., K], b [..., K], result [...]; leading axes
   * broadcast.
   *
   * @throws ShapeException if K differs or the leading axes do not broadcast
   * @source NumPy vecdot
   */
  default Tensor vecdot(Tensor b) {
    Check.shape(
        self().shape().rank() >= 1
            && b.shape().rank() >= 1
            && self().shape().dim(-1) == b.shape().dim(-1),
        "vecdot: the last axes must have one size: %s with %s; transpose one of them",
        self().type(),
        b.type());
    return einsum("...k,...k->...", self(), b);
  }

  /**
   * Sum over the last axes of both: this [A..., K], b [B..., K], result [A..., B...]. A scalar
   * multiplies.
   *
   * @throws ShapeException if K differs
   * @source NumPy inner
   */
  default Tensor inner(Tensor b) {
    int ra = self().shape().rank();
    int rb = b.shape().rank();
    return ra == 0 || rb == 0
        ? self().mul(b)
        : tensordot(b, new int[] {ra - 1}, new int[] {rb - 1});
  }

  /**
   * All products of an element of this and one of {@code b}, both in row-major order: [M, N].
   *
   * @source NumPy outer
   */
  default Tensor outer(Tensor b) {
    int m = Math.toIntExact(self().shape().size());
    int n = Math.toIntExact(b.shape().size());
    return self().reshape(m, 1).matmul(b.reshape(1, n));
  }

  /**
   * Sum over the last {@code n} axes of this and the first {@code n} of {@code b}.
   *
   * @throws ShapeException if there are fewer axes or their sizes differ
   * @source NumPy tensordot
   */
  default Tensor tensordot(Tensor b, int n) {
    int ra = self().shape().rank();
    Check.shape(
        n >= 0 && n <= ra && n <= b.shape().rank(),
        "tensordot: the number of axes must lie in [0, %d]: %d axes of %s and %s; sum fewer",
        Math.min(ra, b.shape().rank()),
        n,
        self().type(),
        b.type());
    return tensordot(b, IntStream.range(ra - n, ra).toArray(), IntStream.range(0, n).toArray());
  }

  /**
   * Sum over pairs of axes: axis {@code aAxes[i]} of this with {@code bAxes[i]} of {@code b}. The
   * result has the other axes of this, then those of {@code b}. Negative axes count from the back.
   *
   * @throws ShapeException if sizes of a pair differ or an axis is named twice
   * @source NumPy tensordot
   */
  default Tensor tensordot(Tensor b, int[] aAxes, int[] bAxes) {
    Tensor a = self();
    int[] as = IntStream.of(aAxes).map(a.shape()::axis).toArray();
    int[] bs = IntStream.of(bAxes).map(b.shape()::axis).toArray();
    boolean fits =
        as.length == bs.length
            && IntStream.of(as).distinct().count() == as.length
            && IntStream.of(bs).distinct().count() == bs.length;
    for (int i = 0; fits && i < as.length; i++) {
      fits = a.shape().dim(as[i]) == b.shape().dim(bs[i]);
    }
    Check.shape(
        fits,
        "tensordot: axes must be pairs of equal size, each once: axes %s of %s with %s of %s;"
            + " correct the axes",
        Arrays.toString(aAxes),
        a.type(),
        Arrays.toString(bAxes),
        b.type());
    char[] left = Einsum.letters(0, a.shape().rank());
    char[] right = Einsum.letters(left.length, b.shape().rank());
    StringBuilder out = new StringBuilder();
    IntStream.range(0, left.length)
        .filter(i -> IntStream.of(as).noneMatch(x -> x == i))
        .forEach(i -> out.append(left[i]));
    for (int i = 0; i < as.length; i++) {
      right[bs[i]] = left[as[i]];
    }
    IntStream.range(0, right.length)
        .filter(i -> IntStream.of(bs).noneMatch(x -> x == i))
        .forEach(i -> out.append(right[i]));
    return einsum(new String(left) + "," + new String(right) + "->" + out, a, b);
  }

  /**
   * Kronecker product: blocks of {@code b}, scaled by the elements of this. Axis sizes multiply; a
   * missing axis has size 1.
   *
   * @source NumPy kron
   */
  default Tensor kron(Tensor b) {
    int r = Math.max(self().shape().rank(), b.shape().rank());
    int[] x = new int[2 * r];
    int[] y = new int[2 * r];
    int[] out = new int[r];
    int da = r - self().shape().rank();
    int db = r - b.shape().rank();
    for (int i = 0; i < r; i++) {
      x[2 * i] = i < da ? 1 : self().shape().dim(i - da);
      x[2 * i + 1] = 1;
      y[2 * i] = 1;
      y[2 * i + 1] = i < db ? 1 : b.shape().dim(i - db);
      out[i] = Check.size("kron", (long) x[2 * i] * y[2 * i + 1]);
    }
    return self().reshape(x).mul(b.reshape(y)).reshape(out);
  }

  /**
   * Main diagonal of the last two axes, which need not have one size: [..., M, N] to [..., min(M,
   * N)].
   *
   * @throws ShapeException if there are fewer than two axes
   * @source NumPy linalg.diagonal
   */
  default Tensor diagonal() {
    Shape s = self().shape();
    Check.shape(s.rank() >= 2, "diagonal: needs two axes: %s; reshape it first", self().type());
    int n = Math.min(s.dim(-2), s.dim(-1));
    Tensor square = self().slice(-2, 0, n).slice(-1, 0, n);
    int r = s.rank();
    Shape lead = s.slice(0, r - 2);
    int all = Check.size("diagonal", (long) n * n);
    return square.reshape(lead.concat(Shape.of(all)).dims()).slice(r - 2, 0, all, n + 1);
  }

  /**
   * Sum of the main diagonal of the last two axes: [..., M, N] to [...].
   *
   * @throws ShapeException if there are fewer than two axes
   * @source NumPy linalg.trace
   */
  default Tensor trace() {
    Check.shape(
        self().shape().rank() >= 2, "trace: needs two axes: %s; reshape it first", self().type());
    return diagonal().sum(-1);
  }

  /**
   * Cross product along the last axis of size 3; leading axes broadcast.
   *
   * @throws ShapeException if a last axis has another size, or leading axes do not broadcast
   * @source NumPy linalg.cross
   */
  default Tensor cross(Tensor b) {
    Tensor a = self();
    Check.shape(
        a.shape().rank() >= 1
            && b.shape().rank() >= 1
            && a.shape().dim(-1) == 3
            && b.shape().dim(-1) == 3,
        "cross: the last axes must have size 3: %s with %s; transpose or pad with a zero",
        a.type(),
        b.type());
    return Einsum.turn(a, 1).mul(Einsum.turn(b, 2)).sub(Einsum.turn(a, 2).mul(Einsum.turn(b, 1)));
  }
}
