package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/**
 * Running sums and the like. Lines that lie side by side are walked together, a block of them at a
 * time, so that memory is read in order; what has been gathered so far is kept in f64 or 64 bits,
 * as the definition does, and results are the same bits.
 */
final class CumulativeStep extends CallStep {
  /** The rows that it computes. */
  static final List<String> ROWS =
      List.of("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp", "linear_recurrence");

  /** Lines walked together. */
  private static final int BLOCK = 256;

  private final ReferenceCumulative.Lines lines;
  private final DType dtype;
  private final boolean recurrence;
  private final DoubleBinaryOperator real;
  private final LongBinaryOperator integer;
  private final boolean sum;

  CumulativeStep(Value v) {
    super(v);
    lines = new ReferenceCumulative.Lines(v.attrs, v.type.shape());
    dtype = v.type.dtype();
    recurrence = v.op.name().equals("linear_recurrence");
    sum = v.op.name().equals("cumsum");
    real = ReferenceCumulative.real(v.op.name());
    integer = ReferenceCumulative.integer(v.op.name());
  }

  @Override
  void run(Buffer[] in, Buffer out, Buffer scratch) {
    int width = (int) Math.min(BLOCK, lines.inner);
    double[] reals = new double[dtype.isFloating() ? width : 0];
    long[] integers = new long[dtype.isFloating() ? 0 : width];
    for (long first = 0; first < lines.count; ) {
      // The block must not go beyond the lines that lie side by side.
      int n = (int) Math.min(width, lines.inner - first % lines.inner);
      for (int k = 0; k < lines.length; k++) {
        int at = Math.toIntExact(lines.at(first, k));
        if (!dtype.isFloating()) {
          integers(in[0], out, at, n, k == 0, integers);
        } else if (recurrence) {
          recurrence(in[0], in[1], out, at, n, k == 0, reals);
        } else if (dtype == DType.F32) {
          floats(in[0].bytes(), out.bytes(), at * 4, n, k == 0, reals);
        } else {
          reals(in[0], out, at, n, k == 0, reals);
        }
      }
      first += n;
    }
  }

  private void floats(ByteBuffer x, ByteBuffer y, int at, int n, boolean start, double[] s) {
    if (start) {
      for (int j = 0; j < n; j++) {
        s[j] = x.getFloat(at + 4 * j);
      }
      y.put(at, x, at, 4 * n);
      return;
    }
    if (sum) {
      for (int j = 0; j < n; j++) {
        s[j] += x.getFloat(at + 4 * j);
        y.putFloat(at + 4 * j, (float) s[j]);
      }
      return;
    }
    for (int j = 0; j < n; j++) {
      s[j] = real.applyAsDouble(s[j], x.getFloat(at + 4 * j));
      y.putFloat(at + 4 * j, (float) s[j]);
    }
  }

  private void reals(Buffer x, Buffer y, int at, int n, boolean start, double[] s) {
    for (int j = 0; j < n; j++) {
      double v = x.getDouble(dtype, at + j);
      s[j] = start ? v : real.applyAsDouble(s[j], v);
      y.putDouble(dtype, at + j, s[j]);
    }
  }

  private void recurrence(Buffer a, Buffer b, Buffer y, int at, int n, boolean start, double[] s) {
    for (int j = 0; j < n; j++) {
      double v = b.getDouble(dtype, at + j);
      s[j] = start ? v : a.getDouble(dtype, at + j) * s[j] + v;
      y.putDouble(dtype, at + j, s[j]);
    }
  }

  private void integers(Buffer x, Buffer y, int at, int n, boolean start, long[] s) {
    for (int j = 0; j < n; j++) {
      long v = x.getLong(dtype, at + j);
      s[j] = start ? v : integer.applyAsLong(s[j], v);
      y.putLong(dtype, at + j, s[j]);
    }
  }

  @Override
  String describe() {
    return result.name() + " of " + lines.length + ", " + lines.count + " times";
  }
}
