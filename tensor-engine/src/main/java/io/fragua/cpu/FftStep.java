package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import org.jtransforms.fft.DoubleFFT_1D;
import org.jtransforms.utils.CommonUtils;

/**
 * Fourier transforms along one axis by JTransforms, line after line, in f64 whatever the dtype. Any
 * length takes n log n steps.
 */
final class FftStep extends CallStep {
  static {
    // One transform would otherwise run on threads of the library's own, beside those of the tasks.
    CommonUtils.setThreadsBeginN_1D_FFT_2Threads(Long.MAX_VALUE);
    CommonUtils.setThreadsBeginN_1D_FFT_4Threads(Long.MAX_VALUE);
  }

  private final DType dtype;
  private final boolean inverse;
  private final int outer;
  private final int length;
  private final int inner;

  /** Tables for the length; used by many threads, it keeps nothing else. */
  private final DoubleFFT_1D transform;

  FftStep(Value v) {
    super(v);
    Shape s = operand(0).shape();
    int axis = v.attrs.integer("axis");
    dtype = operand(0).dtype();
    inverse = v.attrs.integer("inverse") == 1;
    outer = Math.toIntExact(s.slice(0, axis).size());
    length = s.dim(axis);
    inner = Math.toIntExact(s.slice(axis + 1, s.rank() - 1).size());
    transform = new DoubleFFT_1D(length);
  }

  @Override
  void run(Buffer[] in, Buffer out, Buffer scratch) {
    double[] line = new double[2 * length];
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < inner; i++) {
        int first = o * length * inner + i;
        for (int k = 0; k < length; k++) {
          int at = (first + k * inner) * 2;
          line[2 * k] = in[0].getDouble(dtype, at);
          line[2 * k + 1] = in[0].getDouble(dtype, at + 1);
        }
        if (inverse) {
          transform.complexInverse(line, true);
        } else {
          transform.complexForward(line);
        }
        for (int k = 0; k < length; k++) {
          int at = (first + k * inner) * 2;
          out.putDouble(dtype, at, line[2 * k]);
          out.putDouble(dtype, at + 1, line[2 * k + 1]);
        }
      }
    }
  }

  @Override
  String describe() {
    return super.describe() + ", by JTransforms";
  }
}
