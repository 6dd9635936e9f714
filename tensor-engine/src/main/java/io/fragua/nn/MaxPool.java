package io.fragua.nn;

import io.fragua.tensor.Tensor;
import io.fragua.tensor.Window;

/**
 * Maximum of each window; padding is never taken.
 *
 * <p>Shapes: x [N, spatial..., C], result [N, windows..., C].
 *
 * @param window size and strides; padding too if it is {@link Padding#EXPLICIT}
 * @param padding how far windows reach over the edge
 * @source Flax {@code max_pool}; PyTorch {@code MaxPool2d}
 */
public record MaxPool(Window window, Padding padding) implements Layer {
  /** Checks the settings. */
  public MaxPool {
    Settings.given("max_pool", "a window", window);
    Settings.given("max_pool", "a padding", padding);
  }

  /** Windows side by side: strides are the sizes; no padding. */
  public MaxPool(int... size) {
    this(Window.of(size).withStrides(size), Padding.VALID);
  }

  /** Other steps. */
  public MaxPool withStrides(int... strides) {
    return new MaxPool(window.withStrides(strides), padding);
  }

  /** {@code SAME} or {@code VALID}. */
  public MaxPool withPadding(Padding p) {
    return new MaxPool(window, p);
  }

  /** So many elements before the first and after the last, along each axis. */
  public MaxPool withPadding(int... both) {
    return new MaxPool(window.withPadding(both, both), Padding.EXPLICIT);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Conv.check("max_pool", x, window);
    return x.maxPool(padding.on(window, x));
  }

  @Override
  public String toString() {
    return "MaxPool(" + padding.text(window) + ")";
  }
}
