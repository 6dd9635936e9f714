package io.fragua.nn;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.IndexError;
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
   * @param who names what checks them
   * @param what one of the numbers is called
   * @param ids i32
   * @throws IndexOutOfBoundsException when computed, if one is not in [0, n)
   */
  static Tensor of(String who, String what, Tensor ids, int n) {
    String error =
        who
            + (": " + what + "s must lie in [0, {size}): " + what)
            + (" {index} at position {position} of {shape}; correct the " + what + "s");
    return of(error, ids, n);
  }

  /** As {@link #of(String, String, Tensor, int)}, with a text as {@link IndexError} takes it. */
  static Tensor of(String error, Tensor ids, int n) {
    Attrs a = IndexError.explained(error);
    return Tensor.apply("gather", a, ids.iotaLike(DType.I32, Shape.of(n), 0), ids);
  }
}
