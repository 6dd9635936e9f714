package io.fragua.cpu;

import java.util.Arrays;
import java.util.function.BooleanSupplier;
import org.bytedeco.dnnl.primitive_desc_base;
import org.bytedeco.javacpp.BytePointer;

/** Convolutions that an implementation of oneDNN 3.11 gets wrong, and how to get another one. */
final class ConvFaults {
  private ConvFaults() {}

  /**
   * True for a convolution, or a gradient of one, whose sums have no terms: it is not left to
   * oneDNN.
   */
  static boolean isEmpty(Value conv) {
    return conv.args.stream().anyMatch(a -> a.shape().size() == 0)
        || readsNothing(ConvShape.of(conv));
  }

  /**
   * True if every window lies in the padding alone: brgemm implementations that apply an activation
   * read at address 0.
   */
  private static boolean readsNothing(ConvShape c) {
    for (int i = 0; i < c.window.rank(); i++) {
      boolean touches = false;
      for (int o = 0; !touches && o < c.output.dim(1 + i); o++) {
        long start = (long) o * c.window.strides()[i] - c.window.low()[i];
        for (int k = 0; !touches && k < c.window.size()[i]; k++) {
          long at = start + (long) k * c.window.dilations()[i];
          touches = at >= 0 && at < c.input.dim(1 + i);
        }
      }
      if (!touches) {
        return true;
      }
    }
    return false;
  }

  /**
   * Leaves an implementation of a convolution that is wrong for one channel and one window along
   * the last axis, which is wider than one element and has a step.
   */
  static void avoidForward(ConvShape c, primitive_desc_base pd, BooleanSupplier next) {
    int last = c.window.rank() - 1;
    if (c.input.dim(-1) == 1
        && c.output.dim(1 + last) == 1
        && c.window.strides()[last] > 1
        && c.window.size()[last] > 1) {
      avoid("brg", pd, next);
    }
  }

  /**
   * Leaves an implementation of a kernel's gradient that writes behind its scratch memory, for
   * kernels of one element with a step on fewer than eight channels.
   *
   * @source oneDNN issue 6035
   */
  static void avoidKernelGrad(ConvShape c, primitive_desc_base pd, BooleanSupplier next) {
    if (Arrays.stream(c.window.size()).allMatch(n -> n == 1)
        && Arrays.stream(c.window.strides()).anyMatch(n -> n > 1)
        && c.kernel.dim(-2) < 8) {
      avoid("jit_1x1", pd, next);
    }
  }

  private static void avoid(String kind, primitive_desc_base pd, BooleanSupplier next) {
    while (true) {
      try (BytePointer name = pd.impl_info_str()) {
        if (!name.getString().startsWith(kind)) {
          return;
        }
      }
      if (!next.getAsBoolean()) {
        throw new IllegalStateException(
            "conv: oneDNN must have an implementation that is right: it has none but "
                + kind
                + "; report this shape");
      }
    }
  }
}
