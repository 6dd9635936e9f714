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
        double angle = 2 * Math.PI * (j * k % n) / n;
        double c = Math.cos(angle);
        double d = inverse ? Math.sin(angle) : -Math.sin(angle);
        double u = x[0].getDouble(t, (first + j * step) * 2);
        double v = x[0].getDouble(t, (first + j * step) * 2 + 1);
        re += u * c - v * d;
        im += u * d + v * c;
      }
      y.putDouble(t, i * 2, inverse ? re / n : re);
      y.putDouble(t, i * 2 + 1, inverse ? im / n : im);
    }
  }
}
