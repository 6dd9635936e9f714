package io.fragua.cpu;

import io.fragua.op.OpTable;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/**
 * What follows an f32 convolution and moves into it: numbers for each output channel that are
 * added, subtracted or multiplied (so a batch norm with fixed statistics becomes part of kernel and
 * bias), then another image that is added, then relu, logistic or, on most CPUs, tanh ({@link
 * Epilogue#takesTanh}). Arguments of the fused value: input, kernel, and if its settings say so a
 * bias and a residual.
 */
final class ConvEpilogue {
  private ConvEpilogue() {}

  /**
   * The convolution with one more operation inside.
   *
   * @param now an f32 elementwise value
   * @param i which of its arguments is the convolution, whole and needed by nobody else
   * @param rounds whether results may be rounded to bf16
   * @return null if it cannot be taken in, or had better not
   */
  static Value fused(Value now, int i, boolean rounds) {
    Value p = now.args.get(i).base();
    if (p.attrs.has("activation") || ConvFaults.isEmpty(p)) {
      return null;
    }
    switch (now.op.name()) {
      case "relu", "tanh", "logistic" -> {
        boolean takes = !now.op.name().equals("tanh") || Epilogue.takesTanh(rounds);
        return takes ? conv(now, p, p.attrs.with("activation", now.op.name()), p.args) : null;
      }
      case "add", "sub", "mul" -> {
        return now.args.get(0).base() == now.args.get(1).base() ? null : binary(now, i, p);
      }
      default -> {
        return null;
      }
    }
  }

  private static Value binary(Value now, int i, Value p) {
    if (p.attrs.has("residual")) {
      return null;
    }
    View other = now.args.get(1 - i);
    int n = p.shape().dim(-1);
    boolean bias = p.attrs.has("bias");
    List<View> args = new ArrayList<>(p.args);
    if (Epilogue.isBias(other, n)) {
      View row = new View(other.base(), other.offset(), Shape.of(n), new long[] {1});
      TensorType t = TensorType.of(DType.F32, n);
      switch (now.op.name()) {
        case "mul" -> {
          View w = args.get(1);
          long[] last = new long[w.shape().rank()];
          last[last.length - 1] = 1;
          View scale = new View(row.base(), row.offset(), w.shape(), last);
          args.set(1, elementwise("mul", now.type.with(w.shape()), w, scale));
          if (bias) {
            args.set(2, elementwise("mul", t, args.get(2), row));
          }
          return conv(now, p, p.attrs, args);
        }
        case "sub" -> {
          if (i == 1) {
            return null;
          }
          row = elementwise("neg", t, row);
        }
        default -> {}
      }
      if (bias) {
        args.set(2, elementwise("add", t, args.get(2), row));
      } else {
        args.add(row);
      }
      return conv(now, p, p.attrs.with("bias", 1), args);
    }
    if (now.op.name().equals("add") && isImage(other)) {
      args.add(other);
      return conv(now, p, p.attrs.with("residual", 1), args);
    }
    return null;
  }

  /** True for another whole value in memory. */
  private static boolean isImage(View v) {
    return v.isDense()
        && v.base().kind != Value.Kind.IOTA
        && v.base().kind != Value.Kind.ELEMENTWISE
        && v.base().type.dtype() == DType.F32;
  }

  private static View elementwise(String op, TensorType t, View... args) {
    return View.of(
        Value.of(
            Value.Kind.ELEMENTWISE,
            t,
            OpTable.get(op),
            io.fragua.tensor.Attrs.NONE,
            List.of(args)));
  }

  private static Value conv(Value now, Value p, io.fragua.tensor.Attrs attrs, List<View> args) {
    return Value.of(Value.Kind.CALL, now.type, p.op, attrs, args);
  }
}
