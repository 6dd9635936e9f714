package io.fragua.image;

import java.util.function.DoubleUnaryOperator;

/** How values between pixels are made of the pixels around. */
public enum Interpolation {
  /** The pixel whose square the point lies in. */
  NEAREST(null),

  /** Weights fall in a straight line to 0 at distance 1. */
  BILINEAR(d -> Math.max(0, 1 - d)),

  /**
   * Cubic weights up to distance 2 with parameter -0.5; may overshoot.
   *
   * @source Keys, "Cubic convolution interpolation for digital image processing", 1981
   */
  BICUBIC(Interpolation::keys),

  /** A windowed sinc up to distance 3: the sharpest; may overshoot. */
  LANCZOS3(Interpolation::lanczos);

  private final DoubleUnaryOperator kernel;

  Interpolation(DoubleUnaryOperator kernel) {
    this.kernel = kernel;
  }

  /**
   * The matrix [from, to] whose column i has the weights of result i, in f64, row-major. Weights of
   * a column add up to 1, at the borders too.
   *
   * @param antialias true to widen the kernel when there are fewer results than pixels
   * @source JAX {@code jax.image.resize}
   */
  double[] matrix(int from, int to, boolean antialias) {
    double[] m = new double[from * to];
    double step = (double) from / to;
    double wide = antialias ? Math.max(step, 1) : 1;
    for (int i = 0; i < to; i++) {
      if (kernel == null) {
        m[Math.min(from - 1, (int) Math.floor((i + 0.5) * step)) * to + i] = 1;
        continue;
      }
      double at = (i + 0.5) * step - 0.5;
      double sum = 0;
      for (int k = 0; k < from; k++) {
        double w = kernel.applyAsDouble(Math.abs(at - k) / wide);
        m[k * to + i] = w;
        sum += w;
      }
      for (int k = 0; k < from; k++) {
        m[k * to + i] /= sum;
      }
    }
    return m;
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
