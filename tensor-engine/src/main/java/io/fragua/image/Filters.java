package io.fragua.image;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * Separable filters: each is a small matrix for the rows and one for the columns, so it is two
 * products, has a gradient, and costs the same at the borders. Images are floating [N, H, W, C].
 */
public final class Filters {
  private Filters() {}

  /**
   * Other height and width, antialiased when smaller.
   *
   * @return [N, height, width, C]
   * @source JAX {@code jax.image.resize}
   */
  public static Tensor resize(Tensor images, int height, int width, Interpolation by) {
    return resize(images, height, width, by, true);
  }

  /**
   * As {@link #resize(Tensor, int, int, Interpolation)}.
   *
   * @param antialias false to look at the nearest pixels alone, however much smaller the result is
   */
  public static Tensor resize(
      Tensor images, int height, int width, Interpolation by, boolean antialias) {
    Images.check("resize", images);
    int h = images.shape().dim(1);
    int w = images.shape().dim(2);
    Check.shape(
        height >= 1 && width >= 1 && h >= 1 && w >= 1,
        "resize: images and results have pixels: %s to %d x %d; correct the size",
        images.type(),
        height,
        width);
    return apply(
        images,
        h == height ? null : Tensor.of(by.matrix(h, height, antialias), h, height),
        w == width ? null : Tensor.of(by.matrix(w, width, antialias), w, width));
  }

  /**
   * Each pixel becomes the mean of those around it with weights exp(-d^2 / (2 sigma^2)); beyond the
   * border the image is mirrored at its last pixel.
   *
   * @param size of the square that is looked at, odd, less than twice the height and width
   * @param sigma above 0
   * @source torchvision {@code gaussian_blur}
   */
  public static Tensor gaussianBlur(Tensor images, int size, double sigma) {
    Images.check("gaussian_blur", images);
    int h = images.shape().dim(1);
    int w = images.shape().dim(2);
    Check.that(
        size >= 1 && size % 2 == 1 && size / 2 < Math.min(h, w),
        "gaussian_blur: the size is odd and its half below height and width: %d for %s; correct it",
        size,
        images.type());
    Check.that(
        sigma > 0 && Double.isFinite(sigma),
        "gaussian_blur: sigma is finite and above 0: %s; correct it",
        sigma);
    return apply(
        images, Tensor.of(blur(h, size, sigma), h, h), Tensor.of(blur(w, size, sigma), w, w));
  }

  private static double[] blur(int n, int size, double sigma) {
    double[] m = new double[n * n];
    int r = size / 2;
    double sum = 0;
    for (int d = -r; d <= r; d++) {
      sum += weight(d, sigma);
    }
    for (int i = 0; i < n; i++) {
      for (int d = -r; d <= r; d++) {
        int k = Math.abs(i + d);
        k = k >= n ? 2 * (n - 1) - k : k;
        m[k * n + i] += weight(d, sigma) / sum;
      }
    }
    return m;
  }

  private static double weight(int d, double sigma) {
    return Math.exp(-(double) d * d / (2 * sigma * sigma));
  }

  /**
   * Both matrices applied; null for none.
   *
   * @param rows [H, h], or [N, H, h] with one for each image
   * @param columns [W, w], or [N, W, w]
   */
  static Tensor apply(Tensor x, Tensor rows, Tensor columns) {
    Tensor y = x;
    // The filtered axis is last, so that a matrix for all images makes one tall product.
    if (rows != null) {
      y = product(y.transpose(0, 3, 2, 1), rows).transpose(0, 3, 2, 1);
    }
    if (columns != null) {
      y = product(y.transpose(0, 1, 3, 2), columns).transpose(0, 1, 3, 2);
    }
    return y;
  }

  private static Tensor product(Tensor x, Tensor matrix) {
    Tensor m = matrix.cast(x.dtype());
    int n = x.shape().dim(0);
    int last = x.shape().dim(3);
    if (m.shape().rank() == 2) {
      return x.matmul(m.lift(x));
    }
    return x.reshape(n, x.shape().dim(1) * x.shape().dim(2), last)
        .matmul(m)
        .reshape(x.shape().with(3, m.shape().dim(2)).dims());
  }
}
