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

  /** Fewer elements than this are not worth a second thread. */
  private static final int MIN_PER_THREAD = 16_384;

  /** Lines walked together. */
  private static final int BLOCK = 256;

  private final ReferenceCumulative.Lines lines;
  private final DType dtype;
  private final boolean recurrence;
  private final DoubleBinaryOperator real;
  private final LongBinaryOperator integer;
  private final boolean sum;
  private final int parts;

  CumulativeStep(Value v, int threads) {
    super(v);
    lines = new ReferenceCumulative.Lines(v.attrs, v.type.shape());
    dtype = v.type.dtype();
    recurrence = v.op.name().equals("linear_recurrence");
    sum = v.op.name().equals("cumsum");
    real = ReferenceCumulative.real(v.op.name());
    integer = ReferenceCumulative.integer(v.op.name());
    parts = Pool.parts(threads, lines.count, v.size(), MIN_PER_THREAD);
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  @Override
  void run(Buffer[] in, Buffer out, Buffer scratch) {
    throw new IllegalStateException("cumulative: runs only when bound, with its own memory");
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final Buffer[] in = new Buffer[result.args.size()];
    private final int width = (int) Math.min(BLOCK, lines.inner);
    private final double[][] reals = new double[parts][dtype.isFloating() ? width : 0];
    private final long[][] integers = new long[parts][dtype.isFloating() ? 0 : width];
    private final Pool.Range part = this::lines;
    private Buffer out;

    Run(CpuExecution x) {
      this.x = x;
    }

    @Override
    public void rebind() {
      for (int i = 0; i < in.length; i++) {
        in[i] = x.buffer(result.args.get(i).base());
      }
      out = x.buffer(result);
    }

    @Override
    public void run() {
      Pool.split(x.pool(), parts, Math.toIntExact(lines.count), part);
    }

    private void lines(int t, int from, int to) {
      boolean simple = dtype == DType.F32 && !recurrence || dtype == DType.I32 && sum;
      if (simple && lines.inner == 1 && lines.length > 0) {
        for (int line = from; line < to; line++) {
          line(in[0].bytes(), out.bytes(), line);
        }
        return;
      }
      for (int first = from; first < to; ) {
        // The block must not go beyond the lines that lie side by side.
        int n = (int) Math.min(Math.min(width, to - first), lines.inner - first % lines.inner);
        for (int k = 0; k < lines.length; k++) {
          int at = Math.toIntExact(lines.at(first, k));
          if (!dtype.isFloating()) {
            integers(in[0], out, at, n, k == 0, integers[t]);
          } else if (recurrence) {
            recurrence(in[0], in[1], out, at, n, k == 0, reals[t]);
          } else if (dtype == DType.F32) {
            floats(in[0].bytes(), out.bytes(), at * 4, n, k == 0, reals[t]);
          } else {
            reals(in[0], out, at, n, k == 0, reals[t]);
          }
        }
        first += n;
      }
    }

    @Override
    public void unbind() {
      java.util.Arrays.fill(in, null);
      out = null;
    }

    @Override
    public void close() {}
  }

  /** A line whose elements follow each other. */
  private void line(ByteBuffer x, ByteBuffer y, int line) {
    int at = Math.toIntExact(lines.at(line, 0)) * 4;
    int step = lines.reverse ? -4 : 4;
    if (dtype == DType.I32) {
      int n = 0;
      for (int k = 0; k < lines.length; k++) {
        n += x.getInt(at);
        y.putInt(at, n);
        at += step;
      }
      return;
    }
    double s = x.getFloat(at);
    y.putFloat(at, (float) s);
    if (sum) {
      for (int k = 1; k < lines.length; k++) {
        at += step;
        s += x.getFloat(at);
        y.putFloat(at, (float) s);
      }
      return;
    }
    for (int k = 1; k < lines.length; k++) {
      at += step;
      s = real.applyAsDouble(s, x.getFloat(at));
      y.putFloat(at, (float) s);
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
    return result.name()
        + " of "
        + lines.length
        + ", "
        + lines.count
        + " times"
        + (parts > 1 ? " x" + parts + " threads" : "");
  }
}
