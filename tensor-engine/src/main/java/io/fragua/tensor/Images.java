package io.fragua.tensor;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Weights and index lists by which spatial axes get another size. */
final class Images {
  /** Coefficient of the cubic, as in PyTorch and ONNX (Keys' own choice is -0.5). */
  private static final double CUBIC = -0.75;

  private Images() {}

  /** These numbers in the dtype of a tensor, part of its trace if it has one. */
  static Tensor constant(double[] values, Tensor like, int... dims) {
    return Tensor.of(values, dims).cast(like.dtype()).lift(like);
  }

  static int partStart(int part, int size, int parts) {
    return (int) ((long) part * size / parts);
  }

  static int partEnd(int part, int size, int parts) {
    return (int) (((part + 1L) * size + parts - 1) / parts);
  }

  /** The window that gives so many equal parts, or null if sizes do not divide. */
  static Window evenParts(String who, Tensor x, int... parts) {
    check(who, x, parts);
    int[] size = new int[parts.length];
    for (int i = 0; i < parts.length; i++) {
      if (x.shape().dim(1 + i) % parts[i] != 0) {
        return null;
      }
      size[i] = x.shape().dim(1 + i) / parts[i];
    }
    return Window.of(size).withStrides(size);
  }

  private static void check(String who, Tensor x, int... sizes) {
    Check.shape(
        x.shape().rank() >= 3
            && x.shape().rank() <= 5
            && sizes.length == x.shape().rank() - 2
            && IntStream.of(sizes).allMatch(s -> s >= 1)
            && IntStream.range(1, x.shape().rank() - 1).allMatch(i -> x.shape().dim(i) >= 1),
        "%s: needs one positive size for each spatial axis of [N, spatial..., C]: sizes %s for %s;"
            + " correct the sizes",
        who,
        Arrays.toString(sizes),
        x.type());
  }

  static Tensor nearest(Tensor x, int... sizes) {
    check("resize_nearest", x, sizes);
    Tensor y = x;
    for (int i = 0; i < sizes.length; i++) {
      int axis = 1 + i;
      int n = y.shape().dim(axis);
      int to = sizes[i];
      if (to % n == 0) {
        y = y.repeat(to / n, axis);
      } else {
        int[] from = new int[to];
        for (int k = 0; k < to; k++) {
          from[k] = (int) ((2L * k + 1) * n / (2L * to));
        }
        int[] perm = IntStream.range(0, y.shape().rank()).toArray();
        perm[0] = axis;
        perm[axis] = 0;
        Tensor ids = Tensor.of(from, to).lift(y);
        y = y.transpose(perm).gather(ids).transpose(perm);
      }
    }
    return y;
  }

  static Tensor resize(Tensor x, boolean alignCorners, boolean cubic, int... sizes) {
    String who = cubic ? "resize_cubic" : "resize_linear";
    check(who, x, sizes);
    Check.shape(
        x.dtype() == DType.F32 || x.dtype() == DType.F64,
        "%s: dtype must be f32 or f64: %s; cast it first",
        who,
        x.type());
    Tensor y = x;
    for (int i = 0; i < sizes.length; i++) {
      int n = y.shape().dim(1 + i);
      if (n != sizes[i]) {
        y = taps(who, n, sizes[i], alignCorners, cubic).apply(y, 1 + i);
      }
    }
    return y;
  }

  private static Taps taps(String who, int n, int to, boolean alignCorners, boolean cubic) {
    return Taps.of(
        who,
        n,
        to,
        cubic ? 4 : 2,
        (k, from, weights) -> {
          double at =
              alignCorners
                  ? (to == 1 ? 0 : (double) k * (n - 1) / (to - 1))
                  : (k + 0.5) * n / to - 0.5;
          if (!cubic) {
            at = Math.max(0, at);
          }
          int first = (int) Math.floor(at) - (cubic ? 1 : 0);
          for (int t = 0; t < from.length; t++) {
            double distance = Math.abs(at - (first + t));
            from[t] = Math.max(0, Math.min(n - 1, first + t));
            weights[t] = cubic ? cubic(distance) : 1 - distance;
          }
        });
  }

  /** The means of uneven parts. */
  static Taps means(String who, int n, int parts) {
    int largest =
        IntStream.range(0, parts)
            .map(p -> partEnd(p, n, parts) - partStart(p, n, parts))
            .max()
            .orElse(0);
    return Taps.of(
        who,
        n,
        parts,
        largest,
        (p, from, weights) -> {
          int start = partStart(p, n, parts);
          int count = partEnd(p, n, parts) - start;
          Arrays.fill(weights, 0, count, 1.0 / count);
          Arrays.setAll(from, t -> start + (t < count ? t : 0));
        });
  }

  private static double cubic(double x) {
    double a = CUBIC;
    return x <= 1
        ? ((a + 2) * x - (a + 3)) * x * x + 1
        : x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  }
}
