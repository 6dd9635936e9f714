package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.IndexError;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Reads and writes by index. */
final class ReferenceIndexing {
  private ReferenceIndexing() {}

  static void addTo(Map<String, ReferenceKernels.Kernel> kernels) {
    kernels.put("gather", ReferenceIndexing::gather);
    kernels.put("scatter", ReferenceIndexing::scatter);
    kernels.put("dynamic_slice", ReferenceIndexing::dynamicSlice);
    kernels.put("dynamic_update_slice", ReferenceIndexing::dynamicUpdateSlice);
    kernels.put("sort", (ReferenceKernels.Kernel.Many) ReferenceIndexing::sort);
  }

  private static void gather(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    Shape table = in.get(0).shape();
    Shape ids = in.get(1).shape();
    long row = table.slice(1, table.rank()).size();
    for (long i = 0, n = ids.size(); i < n; i++) {
      long id = checked("gather", a, x[1].getLong(DType.I32, i), table.dim(0), i, ids);
      for (long k = 0; k < row; k++) {
        ReferenceMovement.move(out.dtype(), x[0], id * row + k, y, i * row + k);
      }
    }
  }

  /** The index, if it lies in the table. */
  static long checked(String op, Attrs a, long id, int bound, long at, Shape ids) {
    if (id < 0 || id >= bound) {
      throw IndexError.of(op, a, (int) id, bound, at, ids);
    }
    return id;
  }

  private static void scatter(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    DType t = out.dtype();
    Scatter mode = Scatter.parse(a.text("mode"));
    long row = out.shape().slice(1, out.shape().rank()).size();
    long n = in.get(1).shape().size();
    for (long i = 0; i < n; i++) {
      checked("scatter", a, x[1].getLong(DType.I32, i), out.shape().dim(0), i, in.get(1).shape());
    }
    y.copyFrom(x[0]);
    if (mode == Scatter.SET) {
      for (long i = 0; i < n * row; i++) {
        ReferenceMovement.move(t, x[2], i, y, x[1].getLong(DType.I32, i / row) * row + i % row);
      }
    } else if (t.isFloating()) {
      double[] table = new double[Math.toIntExact(out.shape().size())];
      boolean[] touched = new boolean[table.length];
      for (long i = 0; i < n * row; i++) {
        int k = (int) (x[1].getLong(DType.I32, i / row) * row + i % row);
        double old = touched[k] ? table[k] : x[0].getDouble(t, k);
        table[k] = real(mode, old, x[2].getDouble(t, i));
        touched[k] = true;
      }
      for (int k = 0; k < table.length; k++) {
        if (touched[k]) {
          y.putDouble(t, k, table[k]);
        }
      }
    } else {
      for (long i = 0; i < n * row; i++) {
        long k = x[1].getLong(DType.I32, i / row) * row + i % row;
        y.putLong(t, k, integer(mode, y.getLong(t, k), x[2].getLong(t, i)));
      }
    }
  }

  /** A row's element and an update of it as one. */
  static double real(Scatter mode, double x, double u) {
    return switch (mode) {
      case ADD -> x + u;
      case MUL -> x * u;
      case MIN -> Math.min(x, u);
      case MAX -> Math.max(x, u);
      case SET -> u;
    };
  }

  private static long integer(Scatter mode, long x, long u) {
    return switch (mode) {
      case ADD -> x + u;
      case MUL -> x * u;
      case MIN -> Math.min(x, u);
      case MAX -> Math.max(x, u);
      case SET -> u;
    };
  }

  private static void dynamicSlice(
      Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int axis = a.integer("axis");
    Shape from = in.get(0).shape();
    int start = start(x[1], from.dim(axis), out.shape().dim(axis));
    for (long i = 0, n = out.shape().size(); i < n; i++) {
      int[] index = ReferenceMovement.index(out.shape(), i);
      index[axis] += start;
      ReferenceMovement.move(out.dtype(), x[0], ReferenceMovement.position(from, index), y, i);
    }
  }

  private static void dynamicUpdateSlice(
      Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    int axis = a.integer("axis");
    Shape u = in.get(1).shape();
    int start = start(x[2], out.shape().dim(axis), u.dim(axis));
    y.copyFrom(x[0]);
    for (long i = 0, n = u.size(); i < n; i++) {
      int[] index = ReferenceMovement.index(u, i);
      index[axis] += start;
      ReferenceMovement.move(
          out.dtype(), x[1], i, y, ReferenceMovement.position(out.shape(), index));
    }
  }

  /** The start, moved so that the piece lies inside. */
  private static int start(Buffer x, int n, int size) {
    return (int) Math.max(0, Math.min(n - size, x.getLong(DType.I32, 0)));
  }

  private static void sort(
      Attrs a, List<TensorType> in, Buffer[] x, List<TensorType> out, Buffer[] y) {
    DType t = in.get(0).dtype();
    Shape s = in.get(0).shape();
    int axis = a.integer("axis");
    int n = s.dim(axis);
    long inner = s.slice(axis + 1, s.rank()).size();
    for (long line = 0; line < (n == 0 ? 0 : s.size() / n); line++) {
      long first = line / inner * n * inner + line % inner;
      Comparator<Integer> ascending =
          (i, j) -> compare(t, x[0], first + i * inner, first + j * inner);
      List<Integer> order = new ArrayList<>(IntStream.range(0, n).boxed().toList());
      order.sort(a.integer("descending") == 1 ? ascending.reversed() : ascending);
      for (int i = 0; i < n; i++) {
        ReferenceMovement.move(t, x[0], first + order.get(i) * inner, y[0], first + i * inner);
        y[1].putLong(DType.I32, first + i * inner, order.get(i));
      }
    }
  }

  /** NaN is the largest; the zeros are equal. */
  private static int compare(DType t, Buffer x, long i, long j) {
    return t.isFloating()
        ? Double.compare(x.getDouble(t, i) + 0.0, x.getDouble(t, j) + 0.0)
        : Long.compare(x.getLong(t, i), x.getLong(t, j));
  }
}
