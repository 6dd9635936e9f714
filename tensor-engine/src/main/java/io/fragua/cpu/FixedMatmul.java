package io.fragua.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.fragua.exec.CompileOptions;
import io.fragua.tensor.DType;
import java.util.List;
import java.util.Set;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;

/**
 * A matrix product of f32 or bf16 whose right operand stays the same: it is written once in the
 * layout that oneDNN prefers. Otherwise every product of few rows would copy it block by block,
 * which takes a tenth of the time of 64 rows.
 */
final class FixedMatmul {
  /** With more rows than this the copies are no longer seen. */
  private static final int MAX_ROWS = 512;

  private FixedMatmul() {}

  /**
   * True for a product of one thread that gains.
   *
   * @param known values that do not change from run to run, besides operands and constants
   */
  static boolean fits(Value v, Set<Value> known, CompileOptions options) {
    Value right = v.args.get(1).base();
    MatmulShape s = MatmulShape.of(v);
    return options.threads() == 1
        && (known.contains(right) || Fixed.isFixed(right, options.fixed()))
        && s.batch().rank() == 0
        && Math.min(s.m(), s.n()) > 1
        && s.m() <= MAX_ROWS;
  }

  /**
   * The step, after the one that writes the right operand.
   *
   * @param pieces of how many equal pieces of the rows it computes one
   */
  static Step step(Value v, CompileOptions options, int pieces) {
    DnnBuilder b = new DnnBuilder(options.threads());
    try {
      return step(b, v, options, pieces);
    } catch (RuntimeException | Error e) {
      b.close();
      throw e;
    }
  }

  private static Step step(DnnBuilder b, Value v, CompileOptions options, int pieces) {
    MatmulShape s = MatmulShape.of(v);
    View left = v.args.get(0);
    View right = v.args.get(1);
    boolean cut = s.m() % pieces == 0 && Tiling.aligned(left, pieces);
    long rows = cut ? s.m() / pieces : s.m();
    long[] leftStrides = MatmulShape.strides(left);
    DType type = left.base().type.dtype();
    DType to = v.type.dtype();
    memory.desc x = b.desc(type, new long[] {rows, s.k()}, leftStrides);
    memory.desc plain = b.desc(type, new long[] {s.k(), s.n()}, MatmulShape.strides(right));
    memory.desc y = b.desc(to, new long[] {rows, s.n()}, new long[] {s.n(), 1});
    boolean hasBias = v.args.size() == 3;
    memory.desc bias =
        hasBias ? b.desc(DType.F32, new long[] {1, s.n()}, new long[] {s.n(), 1}) : null;
    primitive_attr attr = b.settings();
    OneDnn.mayRound(attr, options.precision());
    attr.set_post_ops(after(b, v));
    engine e = OneDnn.engine();
    memory.desc any = b.any(type, new long[] {s.k(), s.n()});
    matmul.primitive_desc pd =
        hasBias
            ? new matmul.primitive_desc(e, x, any, bias, y, attr, false)
            : new matmul.primitive_desc(e, x, any, y, attr, false);
    memory.desc wanted = b.own(pd.weights_desc());
    boolean own = pieces > 1 && cut;
    b.readsPiece(DNNL_ARG_SRC, left, x, own ? rows * leftStrides[0] * type.bytes() : 0);
    List<Step> pack = List.of();
    if (wanted.equals(plain)) {
      b.reads(DNNL_ARG_WEIGHTS, right, plain);
    } else {
      Value packed = DnnBuilder.packed(wanted);
      b.reads(DNNL_ARG_WEIGHTS, View.of(packed), wanted);
      String text = "layout of " + s.k() + "x" + s.n();
      pack = List.of(DnnBuilder.reorder(text, right, plain, packed, wanted, options.threads()));
    }
    if (hasBias) {
      b.reads(DNNL_ARG_BIAS, v.args.get(2), bias);
    }
    b.writesPiece(DNNL_ARG_DST, v, y, own ? rows * s.n() * to.bytes() : 0);
    b.primitive(pd, matmul::new);
    String text =
        "matmul "
            + s
            + (type == DType.BF16 ? " of bf16" : "")
            + (to == DType.BF16 ? " to bf16" : "")
            + (hasBias ? " + bias" : "")
            + (v.attrs.has("activation") ? " " + v.attrs.text("activation") : "")
            + (v.attrs.has("scale") ? " scaled" : "");
    return new DnnStep(List.of(b), text + " by a fixed matrix", s.flops(), pack, List.of());
  }

  private static post_ops after(DnnBuilder b, Value v) {
    post_ops ops = b.own(new post_ops());
    Epilogue.append(ops, v);
    return ops;
  }
}
