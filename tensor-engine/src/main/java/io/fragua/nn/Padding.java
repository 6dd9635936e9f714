package io.fragua.nn;

import io.fragua.tensor.Tensor;
import io.fragua.tensor.Window;

/** How far windows reach over the edge of an image. */
public enum Padding {
  /** As far as it takes to have one window for every {@code stride} elements. */
  SAME,
  /** Not at all. */
  VALID,
  /** As far as the window itself says. */
  EXPLICIT;

  /** The window with this padding on an input [N, spatial..., C]. */
  Window on(Window w, Tensor x) {
    return switch (this) {
      case SAME -> w.same(x.shape().slice(1, x.shape().rank() - 1).dims());
      case VALID -> w.withPadding(new int[w.rank()], new int[w.rank()]);
      case EXPLICIT -> w;
    };
  }

  /** The part of a layer's text that says how its windows move. */
  String text(Window w) {
    String s =
        java.util.Arrays.toString(w.size())
            + ", strides "
            + java.util.Arrays.toString(w.strides())
            + ", padding ";
    return this == EXPLICIT
        ? s + java.util.Arrays.toString(w.low()) + " and " + java.util.Arrays.toString(w.high())
        : s + this;
  }
}
