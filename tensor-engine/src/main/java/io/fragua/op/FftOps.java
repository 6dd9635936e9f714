package io.fragua.op;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import java.util.List;

/** Fourier transforms. Complex numbers are pairs on a last axis of size 2, as in ONNX's DFT. */
final class FftOps {
  static final List<Op> ROWS =
      List.of(
          new Op(
              "fft",
              Family.FFT,
              1,
              Rules.REAL,
              (op, in, a) -> {
                Rules.dtype(op, in.get(0));
                Shape s = in.get(0).shape();
                int axis = a.integer("axis");
                int inverse = a.integer("inverse");
                Check.shape(
                    s.rank() >= 2 && s.dim(-1) == 2,
                    "fft: the last axis must be the pair of real and imaginary part: %s; use rfft"
                        + " for real numbers, or stack the two parts on a last axis",
                    in.get(0));
                Check.shape(
                    axis >= 0 && axis < s.rank() - 1,
                    "fft: axis must lie in [0, %d), before that of the pairs: axis %d of %s; name"
                        + " another axis",
                    s.rank() - 1,
                    axis,
                    in.get(0));
                Check.shape(
                    inverse == 0 || inverse == 1,
                    "fft: setting inverse must be 0 or 1: %d; correct it",
                    inverse);
                return in.get(0);
              },
              // The matrix is symmetric, so its adjoint is its conjugate: the other direction.
              (g, in, y, a) -> {
                int axis = a.integer("axis");
                double n = in.get(0).shape().dim(axis);
                return List.of(
                    a.integer("inverse") == 1 ? g.fft(axis).div(n) : g.ifft(axis).mul(n));
              },
              null,
              Batching.AXIS,
              null,
              "DFT-20",
              "NumPy fft.fft and fft.ifft"));

  private FftOps() {}
}
