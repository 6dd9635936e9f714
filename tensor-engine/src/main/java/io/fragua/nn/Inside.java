package io.fragua.nn;

import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * Whole numbers that must lie in a range, where only a computation knows them. A row of a table is
 * looked up by each, and a look-up is checked on every backend; the table holds its rows' numbers,
 * so what comes back is what was given. That costs one read and one write a number, and leaves the
 * formula that takes them as it is: a comparison of labels with all classes still fuses.
 */
final class Inside {
  private Inside() {}

  /**
   * These numbers.
   *
   * @param ids i32
   * @throws IndexOutOfBoundsException when computed, if one is not in [0, n)
   */
  static Tensor of(Tensor ids, int n) {
    return ids.iotaLike(DType.I32, Shape.of(n), 0).gather(ids);
  }
}
