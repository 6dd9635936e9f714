package io.fragua.cpu;

import io.fragua.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A matrix product of f64: oneDNN has none. Rows of the right operand are added, scaled, row by
 * row.
 */
final class Matmul64Step extends Step {
  private final Value result;
  private final MatmulShape shape;

  Matmul64Step(Value v) {
    super(v.args.stream().map(View::base).distinct().toList(), List.of(v));
    result = v;
    shape = MatmulShape.of(v);
  }

  @Override
  double flops() {
    return shape.flops();
  }

  @Override
  Bound bind(CpuExecution x) {
    Place a = x.place(result.args.get(0).base());
    Place b = x.place(result.args.get(1).base());
    Place c = x.place(result);
    return new Bound() {
      private final double[] row = new double[shape.n()];
      private ByteBuffer left;
      private ByteBuffer right;
      private ByteBuffer out;

      @Override
      public void rebind() {
        left = x.bytes(a.slot());
        right = x.bytes(b.slot());
        out = x.bytes(c.slot());
      }

      @Override
      public void unbind() {
        left = null;
        right = null;
        out = null;
      }

      @Override
      public void run() {
        int batches = (int) shape.batch().size();
        for (int i = 0; i < batches; i++) {
          product(
              row,
              left,
              a.offset() + at(result.args.get(0), i),
              right,
              b.offset() + at(result.args.get(1), i),
              out,
              c.offset() + i * shape.m() * shape.n() * 8);
        }
      }

      @Override
      public void close() {}
    };
  }

  /** Byte offset of one matrix of an operand. */
  private int at(View v, int batch) {
    Shape s = shape.batch();
    long at = v.offset();
    int rest = batch;
    for (int d = s.rank() - 1; d >= 0; d--) {
      at += rest % s.dim(d) * v.strides()[d];
      rest /= s.dim(d);
    }
    return (int) at * 8;
  }

  private void product(
      double[] row, ByteBuffer left, int la, ByteBuffer right, int ra, ByteBuffer out, int oa) {
    long[] ls = result.args.get(0).strides();
    long[] rs = result.args.get(1).strides();
    int rank = ls.length;
    int lm = (int) ls[rank - 2] * 8;
    int lk = (int) ls[rank - 1] * 8;
    int rk = (int) rs[rank - 2] * 8;
    int rn = (int) rs[rank - 1] * 8;
    for (int m = 0; m < shape.m(); m++) {
      java.util.Arrays.fill(row, 0);
      for (int k = 0; k < shape.k(); k++) {
        double x = left.getDouble(la + m * lm + k * lk);
        int r = ra + k * rk;
        for (int n = 0; n < row.length; n++) {
          row[n] += x * right.getDouble(r + n * rn);
        }
      }
      for (int n = 0; n < row.length; n++) {
        out.putDouble(oa + (m * row.length + n) * 8, row[n]);
      }
    }
  }

  @Override
  String describe() {
    return "matmul f64 " + shape;
  }
}
