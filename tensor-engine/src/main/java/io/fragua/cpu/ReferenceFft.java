package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import java.util.List;
import java.util.Map;

/** The discrete Fourier transform by its definition: a sum for each element. */
final class ReferenceFft {
  private ReferenceFft() {}

  static void addTo(Map<String, ReferenceKernels.Kernel> kernels) {
    kernels.put("fft", ReferenceFft::fft);
  }

  private static void fft(Attrs a, List<TensorType> in, Buffer[] x, TensorType out, Buffer y) {
    DType t = out.dtype();
    Shape s = out.shape();
    int axis = a.integer("axis");
    boolean inverse = a.integer("inverse") == 1;
    int n = s.dim(axis);
    long step = s.slice(axis + 1, s.rank() - 1).size();
    for (long i = 0, size = s.size() / 2; i < size; i++) {
      long k = i / step % n;
      long first = i - k * step;
      double re = 0;
      double im = 0;
      for (long j = 0; j < n; j++) {
        long turn = j * k % n;
        double c = cos(turn, n);
        double d = inverse ? -cos(turn + n / 4.0, n) : cos(turn + n / 4.0, n);
        double u = x[0].getDouble(t, (first + j * step) * 2);
        double v = x[0].getDouble(t, (first + j * step) * 2 + 1);
        re += times(u, c) - times(v, d);
        im += times(u, d) + times(v, c);
      }
      y.putDouble(t, i * 2, inverse ? re / n : re);
      y.putDouble(t, i * 2 + 1, inverse ? im / n : im);
    }
  }

  /** The cosine of so many n-th parts of a turn: 0 and 1 are exact. */
  private static double cos(double part, int n) {
    double quarters = part * 4 / n;
    if (quarters == Math.rint(quarters)) {
      return new double[] {1, 0, -1, 0}[(int) quarters % 4];
    }
    return Math.cos(2 * Math.PI * part / n);
  }

  /** A part that does not count adds nothing, whatever it is. */
  private static double times(double x, double factor) {
    return factor == 0 ? 0 : x * factor;
  }
}
