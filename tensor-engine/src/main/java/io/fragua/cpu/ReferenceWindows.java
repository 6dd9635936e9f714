package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import io.fragua.tensor.Window;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Convolutions and pools by one walk over all (input, kernel, output) triples of elements that
 * belong together. Padding belongs to nothing, so it adds nothing.
 */
final class ReferenceWindows {
  /** One triple, as row-major positions. */
  private interface Term {
    void add(int input, int kernel, int output);
  }

  private ReferenceWindows() {}

  static void addTo(Map<String, ReferenceKernels.Kernel> kernels) {
    kernels.put(
        "conv",
        (a, in, x, out, y) -> {
          double[] sums = new double[Math.toIntExact(out.shape().size())];
          DType t = out.dtype();
          walk(
              a,
              in.get(0).shape(),
              in.get(1).shape(),
              out.shape(),
              (i, k, o) -> sums[o] += x[0].getDouble(t, i) * x[1].getDouble(t, k));
          put(t, sums, y);
        });
    kernels.put(
        "conv_input_grad",
        (a, in, x, out, y) -> {
          double[] sums = new double[Math.toIntExact(out.shape().size())];
          DType t = out.dtype();
          walk(
              a,
              out.shape(),
              in.get(1).shape(),
              in.get(0).shape(),
              (i, k, o) -> sums[i] += x[0].getDouble(t, o) * x[1].getDouble(t, k));
          put(t, sums, y);
        });
    kernels.put(
        "conv_kernel_grad",
        (a, in, x, out, y) -> {
          double[] sums = new double[Math.toIntExact(out.shape().size())];
          DType t = out.dtype();
          walk(
              a,
              in.get(0).shape(),
              out.shape(),
              in.get(1).shape(),
              (i, k, o) -> sums[k] += x[0].getDouble(t, i) * x[1].getDouble(t, o));
          put(t, sums, y);
        });
    kernels.put("sum_pool", ReferenceWindows::sum);
    kernels.put("max_pool", (a, in, x, out, y) -> take(a, in, x[0], x[0], out, y));
    kernels.put("max_pool_take", (a, in, x, out, y) -> take(a, in, x[0], x[1], out, y));
    kernels.put("max_pool_grad", ReferenceWindows::spread);
  }

  private static void put(DType t, double[] sums, Buffer y) {
    for (int i = 0; i < sums.length; i++) {
      y.putDouble(t, i, sums[i]);
    }
  }

  private static void sum(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    DType t = out.dtype();
    int n = Math.toIntExact(out.shape().size());
    if (t.isFloating()) {
      double[] sums = new double[n];
      pool(a, in.get(0).shape(), out.shape(), (i, k, o) -> sums[o] += x[0].getDouble(t, i));
      put(t, sums, y);
    } else {
      long[] sums = new long[n];
      pool(a, in.get(0).shape(), out.shape(), (i, k, o) -> sums[o] += x[0].getLong(t, i));
      for (int i = 0; i < n; i++) {
        y.putLong(t, i, sums[i]);
      }
    }
  }

  /** For each window, the position of its first maximum. */
  private static int[] best(Attrs a, Shape from, Shape to, DType t, Buffer x) {
    int[] best = new int[Math.toIntExact(to.size())];
    Arrays.fill(best, -1);
    pool(
        a,
        from,
        to,
        (i, k, o) -> best[o] = best[o] < 0 || ReferenceSums.larger(t, x, i, best[o]) ? i : best[o]);
    return best;
  }

  private static void take(
      Attrs a, List<TensorType> in, Buffer x, Buffer from, TensorType out, Buffer y) {
    DType t = out.dtype();
    int[] best = best(a, in.get(0).shape(), out.shape(), t, x);
    for (int o = 0; o < best.length; o++) {
      if (t.isFloating()) {
        y.putDouble(t, o, from.getDouble(t, best[o]));
      } else {
        y.putLong(t, o, from.getLong(t, best[o]));
      }
    }
  }

  private static void spread(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    DType t = out.dtype();
    int n = Math.toIntExact(out.shape().size());
    int[] best = best(a, out.shape(), in.get(1).shape(), t, x[0]);
    double[] real = new double[n];
    long[] whole = new long[n];
    for (int o = 0; o < best.length; o++) {
      if (t.isFloating()) {
        real[best[o]] += x[1].getDouble(t, o);
      } else {
        whole[best[o]] += x[1].getLong(t, o);
      }
    }
    for (int i = 0; i < n; i++) {
      if (t.isFloating()) {
        y.putDouble(t, i, real[i]);
      } else {
        y.putLong(t, i, whole[i]);
      }
    }
  }

  /** A pool takes the elements that a convolution with one kernel a channel does. */
  private static void pool(Attrs a, Shape x, Shape y, Term term) {
    int c = x.dim(-1);
    walk(
        a.with("groups", Math.max(1, c)),
        x,
        Shape.of(a.ints("size")).concat(Shape.of(1, c)),
        y,
        term);
  }

  private static void walk(Attrs a, Shape x, Shape kernel, Shape y, Term term) {
    if (x.size() == 0 || kernel.size() == 0 || y.size() == 0) {
      return;
    }
    int r = x.rank() - 2;
    Window w = Window.of(a, kernel.slice(0, r).dims());
    int[] strides = w.strides();
    int[] low = w.low();
    int[] dilations = w.dilations();
    int groups = a.integer("groups");
    int c = kernel.dim(-2); // inputs of a group
    int f = kernel.dim(-1) / groups; // outputs of a group
    int points = Math.toIntExact(y.slice(0, r + 1).size());
    int taps = Math.toIntExact(kernel.slice(0, r).size());
    for (int p = 0; p < points; p++) {
      for (int k = 0; k < taps; k++) {
        int at = position(p, k, strides, low, dilations, x, kernel, y);
        if (at < 0) {
          continue;
        }
        for (int g = 0; g < groups; g++) {
          for (int o = g * f; o < (g + 1) * f; o++) {
            for (int i = 0; i < c; i++) {
              term.add(
                  at * c * groups + g * c + i, (k * c + i) * f * groups + o, p * f * groups + o);
            }
          }
        }
      }
    }
  }

  /** Number of the input's pixel that an output's pixel reads through one tap; -1 in padding. */
  private static int position(
      int p, int k, int[] strides, int[] low, int[] dilations, Shape x, Shape kernel, Shape y) {
    int left = p;
    int tap = k;
    int at = 0;
    int step = 1;
    for (int i = strides.length - 1; i >= 0; i--) {
      int n = y.dim(1 + i);
      int pixel = left % n * strides[i] + tap % kernel.dim(i) * dilations[i] - low[i];
      if (pixel < 0 || pixel >= x.dim(1 + i)) {
        return -1;
      }
      at += pixel * step;
      step *= x.dim(1 + i);
      left /= n;
      tap /= kernel.dim(i);
    }
    return at + left * step;
  }
}
