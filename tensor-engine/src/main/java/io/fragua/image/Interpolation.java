package io.fragua.image;

import io.fragua.tensor.Taps;
import java.util.function.DoubleUnaryOperator;

/** How values between pixels are made of the pixels around. */
public enum Interpolation {
  /** The pixel whose square the point lies in. */
  NEAREST(null, 0),

  /** Weights fall in a straight line to 0 at distance 1. */
  BILINEAR(d -> Math.max(0, 1 - d), 1),

  /**
   * Cubic weights up to distance 2 with parameter -0.5; may overshoot.
   *
   * @source Keys, "Cubic convolution interpolation for digital image processing", 1981
   */
  BICUBIC(Interpolation::keys, 2),

  /** A windowed sinc up to distance 3: the sharpest; may overshoot. */
  LANCZOS3(Interpolation::lanczos, 3);

  private final DoubleUnaryOperator kernel;
  private final int reach;

  /** Weights by distance, 0 from {@code reach} on; no weights for the nearest pixel alone. */
  Interpolation(DoubleUnaryOperator kernel, int reach) {
    this.kernel = kernel;
    this.reach = reach;
  }

  /**
   * The pixels of each result and their weights, which add up to 1, at the borders too.
   *
   * @param antialias true to widen the kernel when there are fewer results than pixels
   * @source JAX {@code jax.image.resize}
   */
  Taps taps(String who, int from, int to, boolean antialias) {
    double step = (double) from / to;
    if (kernel == null) {
      return Taps.of(
          who,
          from,
          to,
          1,
          (i, pixels, weights) -> {
            pixels[0] = Math.min(from - 1, (int) Math.floor((i + 0.5) * step));
            weights[0] = 1;
          });
    }
    double wide = antialias ? Math.max(step, 1) : 1;
    int count = (int) Math.min(from, Math.ceil(2 * reach * wide) + 2);
    return Taps.of(
        who,
        from,
        to,
        count,
        (i, pixels, weights) -> {
          double at = (i + 0.5) * step - 0.5;
          int first = (int) Math.floor(at - reach * wide);
          int start = Math.max(0, Math.min(from - count, first));
          double sum = 0;
          for (int t = 0; t < count; t++) {
            pixels[t] = start + t;
            weights[t] = kernel.applyAsDouble(Math.abs(at - pixels[t]) / wide);
            sum += weights[t];
          }
          for (int t = 0; t < count; t++) {
            weights[t] /= sum;
          }
        });
  }

  private static double keys(double d) {
    if (d >= 2) {
      return 0;
    }
    return d >= 1 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : (1.5 * d - 2.5) * d * d + 1;
  }

  private static double lanczos(double d) {
    double x = Math.PI * d;
    return d >= 3 ? 0 : d < 1e-3 ? 1 : 3 * Math.sin(x) * Math.sin(x / 3) / (x * x);
  }
}
