package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Scatter;
import java.nio.ByteBuffer;

/**
 * Writes rows by index into its operand: each thread has some rows of the table and walks all
 * indices, so updates of a row stay in their order. Rows of 16-bit numbers that are combined are
 * kept in f32 until all updates are in, so a sum is rounded once.
 */
final class ScatterStep extends WriteStep {
  private final Scatter mode;
  private final DType dtype;
  private final int rows;
  private final int count;

  /** Elements of a row. */
  private final int width;

  private final int parts;

  /** Null where sums are kept in f32. */
  private final Kernel kernel;

  ScatterStep(Value v, int threads) {
    super(v);
    mode = Scatter.parse(v.attrs.text("mode"));
    dtype = v.type.dtype();
    rows = v.shape().dim(0);
    count = Math.toIntExact(operand(1).shape().size());
    width = Math.toIntExact(v.shape().slice(1, v.shape().rank()).size());
    parts = Pool.parts(threads, rows, (long) count * width, IndexStep.MIN_PER_THREAD);
    kernel = wide() ? null : KernelCompiler.compile(IndexSource.scatter(mode, dtype, false));
  }

  private boolean wide() {
    return mode != Scatter.SET && (dtype == DType.F16 || dtype == DType.BF16);
  }

  @Override
  long scratchBytes() {
    return wide() ? 4L * (rows + (long) count * (width + 1)) : 0;
  }

  @Override
  long touched() {
    return Math.min((long) count * width * dtype.bytes(), result.type.byteSize());
  }

  @Override
  long looked() {
    return mode == Scatter.SET ? 0 : touched();
  }

  @Override
  Bound bind(CpuExecution x) {
    return wide() ? super.bind(x) : new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final Value[] operands = new Value[3];
    private final Object[] memory = new Object[4];
    private final int[][] p = new int[parts][6];
    private final Pool.Range check = this::check;
    private final Pool.Range part = this::part;
    private Buffer from;
    private Buffer to;
    private ByteBuffer ids;
    private boolean copy;

    Run(CpuExecution x) {
      this.x = x;
      operands[0] = result;
      operands[1] = result.args.get(1).base();
      operands[2] = result.args.get(2).base();
      for (int t = 0; t < parts; t++) {
        for (int i = 0; i < 3; i++) {
          p[t][i] = x.place(operands[i]).offset();
        }
        p[t][3] = width * dtype.bytes();
        p[t][4] = p[t][0] + Pool.start(rows, parts, t) * p[t][3];
        p[t][5] = p[t][0] + Pool.start(rows, parts, t + 1) * p[t][3];
      }
    }

    @Override
    public void rebind() {
      for (int i = 0; i < 3; i++) {
        memory[i] = x.memory(x.place(operands[i]).slot());
      }
      from = x.buffer(result.args.get(0).base());
      to = x.buffer(result);
      ids = x.buffer(operands[1]).bytes();
    }

    @Override
    public void run() {
      Pool.split(x.pool(), parts, count, check); // before anything is written
      copy = !same(from, to);
      Pool.split(x.pool(), parts, rows, part);
    }

    private void check(int t, int first, int end) {
      Indices.check(result, ids, 0, rows, first, end);
    }

    private void part(int t, int first, int end) {
      int row = p[t][3];
      if (copy) {
        to.bytes().put(first * row, from.bytes(), first * row, (end - first) * row);
      }
      kernel.run(memory, p[t], 0, count);
    }

    @Override
    public void unbind() {
      java.util.Arrays.fill(memory, null);
      from = null;
      to = null;
      ids = null;
    }

    @Override
    public void close() {}
  }

  @Override
  void run(Buffer[] in, Buffer out, Buffer scratch) {
    Indices.check(result, in[1].bytes(), 0, rows);
    if (!same(in[0], out)) {
      out.copyFrom(in[0]);
    }
    halves(in[1].bytes(), in[2], out, scratch.bytes());
  }

  /** Scratch: for each row its place among the touched ones or -1; those rows; their numbers. */
  private void halves(ByteBuffer ids, Buffer u, Buffer y, ByteBuffer scratch) {
    int sums = rows * 4;
    int names = sums + count * width * 4;
    for (int r = 0; r < rows; r++) {
      scratch.putInt(r * 4, -1);
    }
    int touched = 0;
    for (int i = 0; i < count; i++) {
      int r = ids.getInt(i * 4);
      int at = scratch.getInt(r * 4);
      if (at < 0) {
        at = touched++;
        scratch.putInt(r * 4, at);
        scratch.putInt(names + at * 4, r);
        for (int k = 0; k < width; k++) {
          float first = (float) y.getDouble(dtype, (long) r * width + k);
          scratch.putFloat(sums + (at * width + k) * 4, first);
        }
      }
      for (int k = 0; k < width; k++) {
        int p = sums + (at * width + k) * 4;
        float next = (float) u.getDouble(dtype, (long) i * width + k);
        scratch.putFloat(p, (float) ReferenceIndexing.real(mode, scratch.getFloat(p), next));
      }
    }
    for (int at = 0; at < touched; at++) {
      long r = scratch.getInt(names + at * 4);
      for (int k = 0; k < width; k++) {
        y.putDouble(dtype, r * width + k, scratch.getFloat(sums + (at * width + k) * 4));
      }
    }
  }

  @Override
  String describe() {
    String threads = parts > 1 && kernel != null ? " x" + parts + " threads" : "";
    return "scatter "
        + mode
        + (" " + count + " rows of " + width + " " + dtype + " into " + rows + threads);
  }
}
