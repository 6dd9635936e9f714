package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * A matrix product of i32 or i64, which wraps as integer arithmetic does; oneDNN has none. Rows of
 * the right operand are added, scaled, row by row.
 */
final class MatmulIntegerStep extends Step {
  private final Value result;
  private final MatmulShape shape;
  private final DType dtype;

  MatmulIntegerStep(Value v) {
    super(v.args.stream().map(View::base).distinct().toList(), List.of(v));
    result = v;
    shape = MatmulShape.of(v);
    dtype = v.type.dtype();
  }

  @Override
  double flops() {
    return shape.flops();
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  /** One execution: rows are gathered on the heap, where the inner loop runs over arrays. */
  private final class Run implements Bound {
    private final CpuExecution x;
    private final long[] sums = new long[shape.n()];
    private Buffer left;
    private Buffer right;
    private Buffer out;

    Run(CpuExecution x) {
      this.x = x;
    }

    @Override
    public void rebind() {
      Value a = result.args.get(0).base();
      Value b = result.args.get(1).base();
      left = x.buffer(x.place(a), a.type.byteSize());
      right = x.buffer(x.place(b), b.type.byteSize());
      out = x.buffer(x.place(result), result.type.byteSize());
    }

    @Override
    public void run() {
      View a = result.args.get(0);
      View b = result.args.get(1);
      int rank = a.shape().rank();
      long lm = a.strides()[rank - 2];
      long lk = a.strides()[rank - 1];
      long rk = b.strides()[rank - 2];
      long rn = b.strides()[rank - 1];
      long to = 0;
      for (int i = 0, batches = (int) shape.batch().size(); i < batches; i++) {
        long la = start(a, i);
        long ra = start(b, i);
        for (int m = 0; m < shape.m(); m++) {
          Arrays.fill(sums, 0);
          for (int k = 0; k < shape.k(); k++) {
            add(left.getLong(dtype, la + m * lm + k * lk), ra + k * rk, rn);
          }
          for (long v : sums) {
            out.putLong(dtype, to++, v);
          }
        }
      }
    }

    /** Sums in 64 bits have the right low 32 bits too. */
    private void add(long factor, long from, long step) {
      ByteBuffer b = right.bytes();
      if (dtype == DType.I32) {
        for (int n = 0; n < sums.length; n++) {
          sums[n] += factor * b.getInt((int) (from + n * step) * 4);
        }
      } else {
        for (int n = 0; n < sums.length; n++) {
          sums[n] += factor * b.getLong((int) (from + n * step) * 8);
        }
      }
    }

    @Override
    public void unbind() {
      left = null;
      right = null;
      out = null;
    }

    @Override
    public void close() {}
  }

  /** First element of one matrix of an operand. */
  private long start(View v, int batch) {
    Shape s = shape.batch();
    long at = v.offset();
    int rest = batch;
    for (int d = s.rank() - 1; d >= 0; d--) {
      at += rest % s.dim(d) * v.strides()[d];
      rest /= s.dim(d);
    }
    return at;
  }

  @Override
  String describe() {
    return "matmul " + dtype + " " + shape;
  }
}
