package io.fragua.image;

import io.fragua.tensor.Check;
import io.fragua.tensor.Taps;
import io.fragua.tensor.Tensor;
import java.util.stream.IntStream;

/**
 * Separable filters: weights for the rows and weights for the columns, two products with small
 * matrices (of large images sums of a few pixels, see {@link Taps}). They have gradients, and cost
 * the same at the borders. Images are floating [N, H, W, C].
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
    Tensor y = h == height ? images : along(images, 1, by.taps("resize", h, height, antialias));
    return w == width ? y : along(y, 2, by.taps("resize", w, width, antialias));
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
    return along(along(images, 1, blur(h, size, sigma)), 2, blur(w, size, sigma));
  }

  private static Taps blur(int n, int size, double sigma) {
    int r = size / 2;
    double sum = IntStream.rangeClosed(-r, r).mapToDouble(d -> weight(d, sigma)).sum();
    return Taps.of(
        "gaussian_blur",
        n,
        n,
        size,
        (i, pixels, weights) -> {
          for (int t = 0; t < size; t++) {
            int k = Math.abs(i + t - r);
            pixels[t] = k >= n ? 2 * (n - 1) - k : k;
            weights[t] = weight(t - r, sigma) / sum;
          }
        });
  }

  private static double weight(int d, double sigma) {
    return Math.exp(-(double) d * d / (2 * sigma * sigma));
  }

  private static Tensor along(Tensor x, int axis, Taps taps) {
    return taps.isMatrix() ? along(x, axis, taps.matrix().transpose()) : taps.apply(x, axis);
  }

  /**
   * A matrix applied to rows (axis 1) or columns (axis 2).
   *
   * @param matrix [n, new n], or [N, n, new n] with one for each image
   */
  static Tensor along(Tensor x, int axis, Tensor matrix) {
    // The filtered axis is last, so that a matrix for all images makes one tall product.
    int[] perm = axis == 1 ? new int[] {0, 3, 2, 1} : new int[] {0, 1, 3, 2};
    return product(x.transpose(perm), matrix).transpose(perm);
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
