package io.fragua.tensor;

/** Products summed over an axis. */
public interface Contractions {
  /** This tensor. */
  Tensor self();

  /**
   * Matrix product over the last axis of this and the second-last of {@code b}.
   *
   * <p>Shapes: this [..., M, K], b [..., K, N], result [..., M, N]; leading axes broadcast. Dtype:
   * both the same floating type.
   *
   * @throws ShapeException if K differs, an operand has fewer than two axes, or leading axes do not
   *     broadcast
   * @source NumPy matmul; ONNX MatMul-13
   */
  default Tensor matmul(Tensor b) {
    Tensor a = self();
    Check.shape(
        a.shape().rank() >= 2 && b.shape().rank() >= 2,
        "matmul: operands need at least two axes: %s x %s; reshape a vector to [1, K] or [K, 1]",
        a.shape(),
        b.shape());
    int ra = a.shape().rank();
    int rb = b.shape().rank();
    Shape ba = a.shape().slice(0, ra - 2);
    Shape bb = b.shape().slice(0, rb - 2);
    if (bb.rank() == 0 && ba.rank() > 0) { // one weight for all: a single tall product
      int m = Math.toIntExact(a.shape().without(ra - 1).size());
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
}
