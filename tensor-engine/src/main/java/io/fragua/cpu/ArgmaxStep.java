package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;

/** The first index of the largest element along an axis; NaN counts as the largest. */
final class ArgmaxStep extends CallStep {
  private final DType dtype;
  private final int outer;
  private final int length;
  private final int inner;

  ArgmaxStep(Value v) {
    super(v);
    Shape s = operand(0).shape();
    int axis = v.attrs.integer("axis");
    dtype = operand(0).dtype();
    outer = Math.toIntExact(s.slice(0, axis).size());
    length = s.dim(axis);
    inner = Math.toIntExact(s.slice(axis + 1, s.rank()).size());
  }

  @Override
  void run(Buffer[] in, Buffer out, Buffer scratch) {
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < inner; i++) {
        int best = best(in[0], o * length * inner + i);
        out.bytes().putInt((o * inner + i) * 4, best);
      }
    }
  }

  private int best(Buffer b, int first) {
    int best = 0;
    switch (dtype) {
      case F32, F64, F16, BF16 -> {
        double max = real(b, first);
        for (int k = 1; k < length && max == max; k++) {
          double v = real(b, first + k * inner);
          if (v > max || v != v) {
            max = v;
            best = k;
          }
        }
      }
      default -> {
        long max = integer(b, first);
        for (int k = 1; k < length; k++) {
          long v = integer(b, first + k * inner);
          if (v > max) {
            max = v;
            best = k;
          }
        }
      }
    }
    return best;
  }

  private double real(Buffer b, int i) {
    return b.getDouble(dtype, i);
  }

  private long integer(Buffer b, int i) {
    return b.getLong(dtype, i);
  }

  @Override
  String describe() {
    return "argmax of " + length + ", " + (long) outer * inner + " times";
  }
}
