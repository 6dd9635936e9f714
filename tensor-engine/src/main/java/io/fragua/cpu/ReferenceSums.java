package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.stream.IntStream;

/** Folds many elements into one, in row-major order: reductions, products. */
final class ReferenceSums {
  /** Which element of the result an element of the operand goes into. */
  private interface Target {
    long of(long i);
  }

  private ReferenceSums() {}

  static void addTo(Map<String, ReferenceKernels.Kernel> kernels) {
    kernels.put(
        "reduce_sum", (a, in, x, out, y) -> reduce(a, in, x, out, y, 0, Double::sum, 0, Long::sum));
    kernels.put(
        "reduce_max",
        (a, in, x, out, y) ->
            reduce(
                a,
                in,
                x,
                out,
                y,
                Double.NEGATIVE_INFINITY,
                Math::max,
                out.dtype().least(),
                Math::max));
    kernels.put(
        "reduce_min",
        (a, in, x, out, y) ->
            reduce(
                a,
                in,
                x,
                out,
                y,
                Double.POSITIVE_INFINITY,
                Math::min,
                out.dtype().greatest(),
                Math::min));
    kernels.put(
        "reduce_prod",
        (a, in, x, out, y) -> reduce(a, in, x, out, y, 1, (s, v) -> s * v, 1, (s, v) -> s * v));
    kernels.put("argmax", ReferenceSums::argmax);
    kernels.put("matmul", ReferenceSums::matmul);
  }

  private static void reduce(
      Attrs a,
      List<TensorType> in,
      Buffer[] x,
      TensorType out,
      Buffer y,
      double realStart,
      DoubleBinaryOperator real,
      long integerStart,
      LongBinaryOperator integer) {
    int[] axes = a.ints("axes");
    Shape from = in.get(0).shape();
    int[] kept =
        IntStream.range(0, from.rank())
            .filter(k -> Arrays.stream(axes).noneMatch(axis -> axis == k))
            .toArray();
    Target target =
        i -> {
          int[] index = ReferenceMovement.index(from, i);
          return ReferenceMovement.position(
              out.shape(), Arrays.stream(kept).map(k -> index[k]).toArray());
        };
    fold(in.get(0), x[0], out, y, target, realStart, real, integerStart, integer);
  }

  private static void fold(
      TensorType in,
      Buffer x,
      TensorType out,
      Buffer y,
      Target target,
      double realStart,
      DoubleBinaryOperator real,
      long integerStart,
      LongBinaryOperator integer) {
    DType t = out.dtype();
    int size = Math.toIntExact(out.shape().size());
    if (t.isFloating()) {
      double[] sums = new double[size];
      Arrays.fill(sums, realStart);
      for (long i = 0, n = in.shape().size(); i < n; i++) {
        int k = (int) target.of(i);
        sums[k] = real.applyAsDouble(sums[k], x.getDouble(t, i));
      }
      for (int k = 0; k < size; k++) {
        y.putDouble(t, k, sums[k]);
      }
    } else {
      long[] sums = new long[size];
      Arrays.fill(sums, integerStart);
      for (long i = 0, n = in.shape().size(); i < n; i++) {
        int k = (int) target.of(i);
        sums[k] = integer.applyAsLong(sums[k], x.getLong(t, i));
      }
      for (int k = 0; k < size; k++) {
        y.putLong(t, k, sums[k]);
      }
    }
  }

  private static void argmax(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int axis = a.integer("axis");
    DType t = in.get(0).dtype();
    Shape from = in.get(0).shape();
    long inner = from.slice(axis + 1, from.rank()).size();
    int n = from.dim(axis);
    for (long i = 0, m = out.shape().size(); i < m; i++) {
      long first = i / inner * n * inner + i % inner;
      int best = 0;
      for (int k = 1; k < n; k++) {
        if (larger(t, x[0], first + k * inner, first + best * inner)) {
          best = k;
        }
      }
      y.putLong(DType.I32, i, best);
    }
  }

  static boolean larger(DType t, Buffer x, long i, long j) {
    if (!t.isFloating()) {
      return x.getLong(t, i) > x.getLong(t, j);
    }
    double a = x.getDouble(t, i);
    double b = x.getDouble(t, j);
    return a > b || Double.isNaN(a) && !Double.isNaN(b);
  }

  private static void matmul(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    DType t = out.dtype();
    int m = in.get(0).shape().dim(-2);
    int inner = in.get(0).shape().dim(-1);
    int n = in.get(1).shape().dim(-1);
    for (long i = 0, size = out.shape().size(); i < size; i++) {
      long column = i % n;
      long row = i / n; // of all matrices under each other
      long matrix = row / m;
      if (!t.isFloating()) {
        long sum = 0;
        for (int k = 0; k < inner; k++) {
          sum +=
              x[0].getLong(t, row * inner + k) * x[1].getLong(t, (matrix * inner + k) * n + column);
        }
        y.putLong(t, i, sum);
        continue;
      }
      double sum = 0;
      for (int k = 0; k < inner; k++) {
        sum +=
            x[0].getDouble(t, row * inner + k)
                * x[1].getDouble(t, (matrix * inner + k) * n + column);
      }
      y.putDouble(t, i, sum);
    }
  }
}
