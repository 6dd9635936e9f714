package io.fragua.nn;

import io.fragua.tensor.Tensor;
import io.fragua.tensor.Window;

/**
 * Mean of each window.
 *
 * <p>Shapes: x [N, spatial..., C], result [N, windows..., C].
 *
 * @param window size and strides; padding too if it is {@link Padding#EXPLICIT}
 * @param padding how far windows reach over the edge
 * @param countPadding true to divide by the size of the window everywhere; false to leave padding
 *     out
 * @source Flax {@code avg_pool}; PyTorch {@code AvgPool2d}
 */
public record AvgPool(Window window, Padding padding, boolean countPadding) implements Layer {
  /** Checks the settings. */
  public AvgPool {
    Settings.given("avg_pool", "a window", window);
    Settings.given("avg_pool", "a padding", padding);
  }

  /** Windows side by side: strides are the sizes; no padding. */
  public AvgPool(int... size) {
    this(Window.of(size).withStrides(size), Padding.VALID, true);
  }

  /** Other steps. */
  public AvgPool withStrides(int... strides) {
    return new AvgPool(window.withStrides(strides), padding, countPadding);
  }

  /** {@code SAME} or {@code VALID}. */
  public AvgPool withPadding(Padding p) {
    return new AvgPool(window, p, countPadding);
  }

  /** So many elements before the first and after the last, along each axis. */
  public AvgPool withPadding(int... both) {
    return new AvgPool(window.withPadding(both, both), Padding.EXPLICIT, countPadding);
  }

  /** Leaves padding out of the means. */
  public AvgPool withoutPadding() {
    return new AvgPool(window, padding, false);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Conv.check("avg_pool", x, window);
    return x.avgPool(padding.on(window, x), countPadding);
  }

  @Override
  public String toString() {
    return "AvgPool(" + padding.text(window) + (countPadding ? ")" : ", not counted)");
  }
}
