package io.fragua.tensor;

/** Reads and writes by index. */
public interface Indexing {
  /** This tensor. */
  Tensor self();

  /**
   * Rows by index: result [ids..., D...] from this [N, D...].
   *
   * @param ids i32, each in [0, N)
   * @throws IndexOutOfBoundsException when computed, if an index lies outside
   * @source NumPy take(axis=0); ONNX Gather-13
   */
  default Tensor gather(Tensor ids) {
    return Tensor.apply("gather", Attrs.NONE, self(), ids);
  }

  /**
   * Adds rows into zeros: result [rows, D...] where row {@code ids[i]} is the sum of this [ids...,
   * D...] over all such i.
   *
   * @param ids i32, each in [0, rows)
   * @throws IndexOutOfBoundsException when computed, if an index lies outside
   * @source JAX segment_sum; ONNX ScatterElements-18 (add)
   */
  default Tensor scatterAdd(int rows, Tensor ids) {
    return Tensor.apply("scatter_add", Attrs.of("rows", rows), self(), ids);
  }

  /**
   * 1 where the index is the position on the new last axis, else 0; all 0 for an index outside.
   *
   * @param depth size of the new last axis
   * @param dtype of the result
   */
  default Tensor oneHot(int depth, DType dtype) {
    Shape s = self().shape().concat(Shape.of(depth));
    return self()
        .expandDims(self().shape().rank())
        .equal(self().iotaLike(self().dtype(), s, -1))
        .cast(dtype);
  }
}
