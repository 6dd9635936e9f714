package io.fragua.cpu;

import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.List;

/** The first index of the largest element along an axis; NaN counts as the largest. */
final class ArgmaxStep extends Step {
  private final Value result;
  private final DType dtype;
  private final int outer;
  private final int length;
  private final int inner;

  ArgmaxStep(Value v) {
    super(List.of(v.args.get(0).base()), List.of(v));
    result = v;
    Shape s = v.args.get(0).shape();
    int axis = v.attrs.integer("axis");
    dtype = v.args.get(0).base().type.dtype();
    outer = Math.toIntExact(s.slice(0, axis).size());
    length = s.dim(axis);
    inner = Math.toIntExact(s.slice(axis + 1, s.rank()).size());
  }

  @Override
  Bound bind(CpuExecution x) {
    Place from = x.place(result.args.get(0).base());
    Place to = x.place(result);
    return new Bound() {
      private ByteBuffer source;
      private ByteBuffer target;

      @Override
      public void rebind() {
        source = x.bytes(from.slot());
        target = x.bytes(to.slot());
      }

      @Override
      public void run() {
        for (int o = 0; o < outer; o++) {
          for (int i = 0; i < inner; i++) {
            int first = o * length * inner + i;
            target.putInt(to.offset() + (o * inner + i) * 4, best(source, from.offset(), first));
          }
        }
      }

      @Override
      public void close() {}
    };
  }

  private int best(ByteBuffer b, int at, int first) {
    int best = 0;
    switch (dtype) {
      case F32, F64 -> {
        double max = real(b, at, first);
        for (int k = 1; k < length && max == max; k++) {
          double v = real(b, at, first + k * inner);
          if (v > max || v != v) {
            max = v;
            best = k;
          }
        }
      }
      default -> {
        long max = integer(b, at, first);
        for (int k = 1; k < length; k++) {
          long v = integer(b, at, first + k * inner);
          if (v > max) {
            max = v;
            best = k;
          }
        }
      }
    }
    return best;
  }

  private double real(ByteBuffer b, int at, int i) {
    return dtype == DType.F32 ? b.getFloat(at + i * 4) : b.getDouble(at + i * 8);
  }

  private long integer(ByteBuffer b, int at, int i) {
    return dtype == DType.I32 ? b.getInt(at + i * 4) : b.getLong(at + i * 8);
  }

  @Override
  String describe() {
    return "argmax of " + length + ", " + (long) outer * inner + " times";
  }
}
