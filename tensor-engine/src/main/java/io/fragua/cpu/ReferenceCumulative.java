package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/** Running sums, products, extrema and recurrences: in f64 or 64 bits, rounded when stored. */
final class ReferenceCumulative {
  private ReferenceCumulative() {}

  static void addTo(Map<String, ReferenceKernels.Kernel> kernels) {
    for (String op : List.of("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp")) {
      kernels.put(op, (a, in, x, out, y) -> run(a, out, x[0], y, real(op), integer(op)));
    }
    kernels.put("linear_recurrence", ReferenceCumulative::recurrence);
  }

  /** What is kept after one more real element. */
  static DoubleBinaryOperator real(String op) {
    return switch (op) {
      case "cumsum" -> Double::sum;
      case "cumprod" -> (s, x) -> s * x;
      case "cummax" -> Math::max;
      case "cummin" -> Math::min;
      default -> ReferenceCumulative::logAddExp;
    };
  }

  /** What is kept after one more integer; null if the row takes none. */
  static LongBinaryOperator integer(String op) {
    return switch (op) {
      case "cumsum" -> Long::sum;
      case "cumprod" -> (s, x) -> s * x;
      case "cummax" -> Math::max;
      case "cummin" -> Math::min;
      default -> null;
    };
  }

  /** log(e^a + e^b); two equal infinities are themselves. */
  static double logAddExp(double a, double b) {
    return a == b ? a + Math.log(2) : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
  }

  private static void run(
      Attrs a,
      TensorType type,
      Buffer x,
      Buffer y,
      DoubleBinaryOperator real,
      LongBinaryOperator integer) {
    DType t = type.dtype();
    Lines lines = new Lines(a, type.shape());
    for (long line = 0; line < lines.count; line++) {
      double r = 0;
      long n = 0;
      for (int k = 0; k < lines.length; k++) {
        long i = lines.at(line, k);
        if (t.isFloating()) {
          double v = x.getDouble(t, i);
          r = k == 0 ? v : real.applyAsDouble(r, v);
          y.putDouble(t, i, r);
        } else {
          long v = x.getLong(t, i);
          n = k == 0 ? v : integer.applyAsLong(n, v);
          y.putLong(t, i, n);
        }
      }
    }
  }

  private static void recurrence(
      Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    DType t = out.dtype();
    Lines lines = new Lines(a, out.shape());
    for (long line = 0; line < lines.count; line++) {
      double r = 0;
      for (int k = 0; k < lines.length; k++) {
        long i = lines.at(line, k);
        double b = x[1].getDouble(t, i);
        r = k == 0 ? b : x[0].getDouble(t, i) * r + b;
        y.putDouble(t, i, r);
      }
    }
  }

  /** The lines along an axis, in the direction that is walked. */
  static final class Lines {
    final int length;
    final long count;
    final long inner;
    final boolean reverse;

    Lines(Attrs a, Shape s) {
      int axis = a.integer("axis");
      length = s.dim(axis);
      inner = s.slice(axis + 1, s.rank()).size();
      count = s.slice(0, axis).size() * inner;
      reverse = a.integer("reverse") == 1;
    }

    /** The place of the k-th element of a line. */
    long at(long line, int k) {
      return (line / inner * length + (reverse ? length - 1 - k : k)) * inner + line % inner;
    }
  }
}
