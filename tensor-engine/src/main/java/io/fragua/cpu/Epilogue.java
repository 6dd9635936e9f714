package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * Pass between simplify and fuse: what follows an f32 matrix product and nobody else needs without
 * it moves into the product: the bias of the last axis, then tanh, logistic or a constant factor.
 * relu does not: oneDNN's turns NaN into 0, which would hide a diverging model.
 */
final class Epilogue {
  private Epilogue() {}

  /** The value, or the product it can become part of. */
  static Value fused(Value old, Value now, Rewrite.Uses uses) {
    if (now.kind != Value.Kind.ELEMENTWISE || now.type.dtype() != DType.F32) {
      return now;
    }
    String op = now.op.name();
    for (int i = 0; i < now.args.size(); i++) {
      View product = now.args.get(i);
      Value p = product.base();
      Value before = old.args.get(i).base();
      if (p.kind == Value.Kind.CALL
          && p.op.name().equals("conv")
          && product.isDense()
          && product.shape().equals(p.shape())
          && uses.onlyHere(before)) {
        Value conv = ConvEpilogue.fused(now, i);
        if (conv != null) {
          return conv;
        }
        continue;
      }
      if (p.kind != Value.Kind.MATMUL
          || p.type.dtype() != DType.F32
          || !product.isDense()
          || !uses.onlyHere(before)
          || p.attrs.has("activation")
          || p.attrs.has("scale")) {
        continue;
      }
      if (op.equals("add")
          && p.args.size() == 2
          && now.args.get(0).base() != now.args.get(1).base()) {
        View bias = now.args.get(1 - i);
        int n = p.shape().dim(-1);
        if (isBias(bias, n)) {
          List<View> args = new ArrayList<>(p.args);
          args.add(bias);
          return Value.of(Value.Kind.MATMUL, now.type, p.op, p.attrs, args);
        }
      } else if (op.equals("mul") && now.args.get(1 - i).base().isScalarConstant()) {
        Value c = now.args.get(1 - i).base();
        Attrs a = p.attrs.with("scale", c.constant.buffer().getDouble(DType.F32, 0));
        return Value.of(Value.Kind.MATMUL, now.type, p.op, a, p.args);
      } else if (op.equals("tanh") || op.equals("logistic")) {
        Attrs a = p.attrs.with("activation", op);
        return Value.of(Value.Kind.MATMUL, now.type, p.op, a, p.args);
      }
    }
    return now;
  }

  /** True for a row of n numbers in memory, repeated along all other axes. */
  static boolean isBias(View b, int n) {
    long[][] r = b.runs();
    return n > 1
        && b.base().kind != Value.Kind.IOTA
        && b.base().type.dtype() == DType.F32
        && (r.length == 1 && r[0][0] == n && r[0][1] == 1 && b.shape().size() == n
            || r.length == 2 && r[0][0] == n && r[0][1] == 1 && r[1][1] == 0);
  }
}
