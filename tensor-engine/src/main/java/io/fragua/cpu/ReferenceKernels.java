package io.fragua.cpu;

import io.fragua.graph.Graph;
import io.fragua.op.Op;
import io.fragua.op.Scalar;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.TensorType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What one equation means: elementwise rows here, the other families in their own classes. */
final class ReferenceKernels {
  /** Computes one equation. */
  interface Kernel {
    void compute(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y);

    /** All results of the row: the one, unless the kernel is {@link Many}. */
    default void computeAll(
        Attrs a, List<TensorType> in, Buffer[] x, List<TensorType> out, Buffer[] y) {
      compute(a, in, x, out.get(0), y[0]);
    }

    /** Computes an equation with several results. */
    interface Many extends Kernel {
      @Override
      void computeAll(Attrs a, List<TensorType> in, Buffer[] x, List<TensorType> out, Buffer[] y);

      @Override
      default void compute(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
        computeAll(a, in, x, List.of(out), new Buffer[] {y});
      }
    }
  }

  /** The rows that are not element by element, and those whose meaning depends on attributes. */
  private static final Map<String, Kernel> KERNELS = new HashMap<>();

  static {
    KERNELS.put("cast", ReferenceKernels::cast);
    KERNELS.put("bitcast", (a, in, x, out, y) -> y.copyFrom(x[0]));
    KERNELS.put("threefry2x32", ReferenceThreefry::compute);
    ReferenceMovement.addTo(KERNELS);
    KERNELS.put("nextafter", ReferenceKernels::nextAfter);
    KERNELS.put("shift_right_logical", (a, in, x, out, y) -> unsigned(x, out, y, true));
    KERNELS.put("population_count", (a, in, x, out, y) -> unsigned(x, out, y, false));
    ReferenceSums.addTo(KERNELS);
    ReferenceControl.addTo(KERNELS);
    ReferenceCumulative.addTo(KERNELS);
    ReferenceWindows.addTo(KERNELS);
    ReferenceIndexing.addTo(KERNELS);
    Lapack.addTo(KERNELS);
    ReferenceFft.addTo(KERNELS);
  }

  private ReferenceKernels() {}

  /**
   * Checks that an equation can be computed.
   *
   * @throws UnsupportedOperationException if not
   */
  static void require(Graph.Equation e) {
    Scalar s = e.op().scalar();
    if (!KERNELS.containsKey(e.op().name())
        && (s == null || s.real() == null && s.integer() == null)) {
      throw new UnsupportedOperationException(
          "reference: every row needs a meaning: "
              + e.op()
              + " giving "
              + e.types()
              + "; add it to the reference backend");
    }
  }

  /** Computes an equation; {@code y} are its results. */
  static void compute(Graph.Equation e, List<TensorType> in, Buffer[] x, Buffer... y) {
    if (e.types().stream().allMatch(t -> t.shape().size() == 0)) {
      return; // nothing is read for it, so nothing in the operands can be wrong
    }
    Kernel k = KERNELS.get(e.op().name());
    if (k != null) {
      k.computeAll(e.attrs(), in, x, e.types(), y);
    } else if (in.stream().anyMatch(t -> t.dtype().isFloating())) {
      real(e.op(), in, x, e.type(), y[0]);
    } else {
      integer(e.op(), in, x, e.type(), y[0]);
    }
  }

  private static void real(Op op, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    double[] operands = new double[x.length];
    for (long i = 0, n = out.shape().size(); i < n; i++) {
      for (int k = 0; k < x.length; k++) {
        operands[k] = x[k].getDouble(in.get(k).dtype(), i);
      }
      y.putDouble(out.dtype(), i, op.scalar().real().apply(operands));
    }
  }

  private static void integer(Op op, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    long[] operands = new long[x.length];
    for (long i = 0, n = out.shape().size(); i < n; i++) {
      for (int k = 0; k < x.length; k++) {
        operands[k] = x[k].getLong(in.get(k).dtype(), i);
      }
      y.putLong(out.dtype(), i, op.scalar().integer().apply(operands));
    }
  }

  private static void nextAfter(
      Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    DType t = out.dtype();
    for (long i = 0, n = out.shape().size(); i < n; i++) {
      double v = x[0].getDouble(t, i);
      double to = x[1].getDouble(t, i);
      y.putDouble(t, i, t == DType.F32 ? Math.nextAfter((float) v, to) : Math.nextAfter(v, to));
    }
  }

  /** Rows on the bits of an integer without its sign: shifted to the right, or counted. */
  private static void unsigned(Buffer[] x, TensorType out, Buffer y, boolean shift) {
    DType t = out.dtype();
    int width = 8 * t.bytes();
    for (long i = 0, n = out.shape().size(); i < n; i++) {
      long bits = x[0].getLong(t, i) & -1L >>> (64 - width);
      if (shift) {
        long by = x[1].getLong(t, i);
        y.putLong(t, i, by < 0 || by >= width ? 0 : bits >>> by);
      } else {
        y.putLong(t, i, Long.bitCount(bits));
      }
    }
  }

  private static void cast(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    DType from = in.get(0).dtype();
    DType to = out.dtype();
    for (long i = 0, n = out.shape().size(); i < n; i++) {
      if (!from.isFloating()) {
        y.putLong(to, i, x[0].getLong(from, i));
      } else if (to.isFloating()) {
        y.putDouble(to, i, x[0].getDouble(from, i));
      } else {
        double v = x[0].getDouble(from, i);
        y.putLong(to, i, to == DType.BOOL ? (v != 0 ? 1 : 0) : saturated(to, v));
      }
    }
  }

  /** Toward zero, at most the type's range; NaN is 0. Java's conversion does so for 64 bits. */
  static long saturated(DType to, double v) {
    return Math.max(to.least(), Math.min(to.greatest(), (long) v));
  }
}
