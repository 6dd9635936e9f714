package io.fragua.cpu;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.post_ops;

/**
 * Pass between simplify and fuse: what follows an f32 matrix product and nobody else needs without
 * it moves into the product: the bias of the last axis, then logistic, a constant factor, on most
 * CPUs tanh ({@link #takesTanh}) or, where results may be rounded, gelu. relu does not: oneDNN's
 * turns NaN into 0, which would hide a diverging model, and its prelu of slope 0, which does not,
 * makes a product of 128 rows by 256 x 256 slower by 19 us, where a kernel of relu alone takes 3
 * (measured with AVX-512).
 */
final class Epilogue {
  private Epilogue() {}

  /**
   * The value, or the product it can become part of.
   *
   * @param rounds whether results may be rounded to bf16
   */
  static Value fused(Value old, Value now, Rewrite.Uses uses, boolean rounds) {
    if (now.kind == Value.Kind.COPY) {
      return swapped(old, now, uses);
    }
    if (now.kind != Value.Kind.ELEMENTWISE || now.type.dtype() != DType.F32) {
      return now;
    }
    String op = now.op.name();
    int gelu = rounds ? Gelu.operand(old, uses) : -1;
    for (int i = 0; i < now.args.size(); i++) {
      View product = now.args.get(i);
      Value p = product.base();
      Value before = old.args.get(i).base();
      if (p.kind == Value.Kind.CALL
          && p.op.name().equals("conv")
          && product.isDense()
          && product.shape().equals(p.shape())
          && uses.onlyHere(before)) {
        Value conv = ConvEpilogue.fused(now, i, rounds);
        if (conv != null) {
          return conv;
        }
        continue;
      }
      if (p.kind != Value.Kind.MATMUL
          || p.type.dtype() != DType.F32
          || !product.isDense()
          || p.attrs.has("activation")
          || p.attrs.has("scale")) {
        continue;
      }
      if (i == gelu) {
        return activated(now, p, "gelu");
      }
      if (!uses.onlyHere(before)) {
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
      } else if (op.equals("logistic") || op.equals("tanh") && takesTanh(rounds)) {
        return activated(now, p, op);
      }
    }
    return now;
  }

  /**
   * True if tanh is worth having in a product or convolution. Without AVX-512 oneDNN's takes 5 to
   * 13 ns an element on one core (Zen 3), where a kernel takes 1; but a kernel would read what is
   * rounded, where results may be, which then differed from CPU to CPU.
   */
  static boolean takesTanh(boolean rounds) {
    return rounds || OneDnn.wide();
  }

  private static Value activated(Value now, Value product, String function) {
    Attrs a = product.attrs.with("activation", function);
    return Value.of(Value.Kind.MATMUL, now.type, product.op, a, product.args);
  }

  /** Adds what a product applies to its result while it writes it, if anything. */
  static void append(post_ops ops, Value product) {
    if (product.attrs.has("activation")) {
      dnnl.algorithm f =
          switch (product.attrs.text("activation")) {
            case "tanh" -> dnnl.algorithm.eltwise_tanh;
            case "gelu" -> dnnl.algorithm.eltwise_gelu_tanh;
            default -> dnnl.algorithm.eltwise_logistic;
          };
      ops.append_eltwise(f, 0f, 0f);
    } else if (product.attrs.has("scale")) {
      // -0 is what leaves every product as it is, a zero with its sign too
      float scale = (float) product.attrs.real("scale");
      ops.append_eltwise(dnnl.algorithm.eltwise_linear, scale, -0f);
    }
  }

  /**
   * The product whose rows are written where the copy has them, or the copy: heads [B, H, T, D]
   * that become features [B, T, H, D]. With less than AVX-512 oneDNN may have no fast code for it.
   */
  private static Value swapped(Value old, Value copy, Rewrite.Uses uses) {
    View from = copy.args.get(0);
    Value p = from.base();
    if (p.kind != Value.Kind.MATMUL
        || p.type.dtype() != DType.F32
        || MatmulShape.of(p).batch().rank() != 2
        || !p.shape().equals(MatmulShape.of(p).whole())
        || p.attrs.has("swapped")
        || !uses.onlyHere(old.args.get(0).base())
        || !from.equals(View.of(p).transpose(new int[] {0, 2, 1, 3}))
        || !OneDnn.wide()) {
      return copy;
    }
    Attrs a = p.attrs.with("swapped", 1);
    return Value.of(Value.Kind.MATMUL, copy.type, p.op, a, p.args);
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
