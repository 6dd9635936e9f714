package io.fragua.tensor;

import java.util.function.Supplier;

/**
 * Switches for eager gradients ({@link Differentiation}), which are on unless said otherwise. A
 * switch is of the thread that calls.
 */
public final class Autograd {
  private static final ThreadLocal<Boolean> OFF = ThreadLocal.withInitial(() -> false);

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

  /** True unless this thread is inside {@link #noGrad}. */
  public static boolean isOn() {
    return !OFF.get();
  }
}
