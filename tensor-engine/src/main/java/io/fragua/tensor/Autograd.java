package io.fragua.tensor;

import java.util.function.Supplier;

/**
 * Switches for eager gradients ({@link Differentiation}), which are on unless said otherwise. A
 * switch is of the thread that calls.
 */
public final class Autograd {
  private static final ThreadLocal<Boolean> OFF = ThreadLocal.withInitial(() -> false);
  private static final ThreadLocal<Boolean> MAY_CAPTURE = ThreadLocal.withInitial(() -> false);

  private Autograd() {}

  /**
   * Computes without remembering: what comes out requires no gradient, whatever went in. For
   * scoring, and for changing parameters.
   *
   * @source PyTorch {@code torch.no_grad}
   */
  public static <T> T noGrad(Supplier<T> f) {
    boolean before = OFF.get();
    OFF.set(true);
    try {
      return f.get();
    } finally {
      OFF.set(before);
    }
  }

  /** As {@link #noGrad(Supplier)}, without a result. */
  public static void noGrad(Runnable f) {
    noGrad(
        () -> {
          f.run();
          return null;
        });
  }

  /**
   * Runs a function that is being traced, for {@link io.fragua.graph.Tracer}: whether it may
   * capture tensors that require a gradient, because they become operands of what is traced.
   * Elsewhere they would be constants, and are refused.
   */
  public static <T> T tracing(boolean mayCapture, Supplier<T> f) {
    boolean before = MAY_CAPTURE.get();
    MAY_CAPTURE.set(mayCapture);
    try {
      return f.get();
    } finally {
      MAY_CAPTURE.set(before);
    }
  }

  /** True if a function is being traced that may capture tensors that require a gradient. */
  static boolean mayCapture() {
    return MAY_CAPTURE.get();
  }

  /** True unless this thread is inside {@link #noGrad}. */
  public static boolean isOn() {
    return !OFF.get();
  }
}
