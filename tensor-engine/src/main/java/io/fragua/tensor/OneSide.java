package io.fragua.tensor;

/**
 * The larger and the smaller of two numbers, of which all derivatives on a tie are those of one
 * side: there the first counts as the larger. What is smooth in both, as log(e^a + e^b) is, stays
 * so; {@link Elementwise#maximum} and {@link Elementwise#abs} share the slope and have no curvature
 * there.
 */
public final class OneSide {
  private OneSide() {}

  /** The larger, on a tie the first. */
  public static Tensor larger(Tensor a, Tensor b) {
    return a.less(b).select(b, a);
  }

  /** The smaller, on a tie the second. */
  public static Tensor smaller(Tensor a, Tensor b) {
    return a.less(b).select(a, b);
  }
}
