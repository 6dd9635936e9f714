package io.fragua.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import io.fragua.exec.CompileOptions;
import io.fragua.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;

/**
 * A matrix product of f32 or bf16 whose right operand is written in the layout that oneDNN prefers
 * before it is read. One that stays the same is written once, so that no product copies it block by
 * block, which takes a tenth of the time of 64 rows, and still some hundredths of that of
 * thousands. Others are written each time where oneDNN would read them in an order that the cache
 * cannot hold. Threads share the rows.
 */
final class PackedMatmul {
  /** Fewer rows than this are not worth a second thread. */
  private static final int MIN_ROWS_PER_THREAD = 64;

  /** Fewer rows than this take less time than the writing may. */
  private static final int MIN_ROWS = 32;

  private PackedMatmul() {}

  /**
   * True for a product that gains.
   *
   * @param known values that do not change from run to run, besides operands and constants
   * @param pieces as for {@link #step}
   */
  static boolean fits(Value v, Set<Value> known, CompileOptions options, int pieces) {
    MatmulShape s = MatmulShape.of(v);
    Value right = v.args.get(1).base();
    boolean fixed = known.contains(right) || Fixed.isFixed(right, options.fixed());
    int threads = options.threads();
    return s.batch().rank() == 0
        && Math.min(s.m(), s.n()) > 1
        && (threads == 1 || pieces == 1 && s.m() >= threads * MIN_ROWS_PER_THREAD)
        && !OneDnn.olderIsFaster(MatmulStep.rows(s, threads) / pieces, s.n())
        && (fixed || pieces == 1 && s.m() >= MIN_ROWS && strides(v.args.get(1), s.n()));
  }

  /**
   * True for a matrix that oneDNN reads row by row, each a multiple of 512 bytes after the last, so
   * that all fall into a few sets of the cache: packed first, a product takes a third less time,
   * and less than half for 1536 columns (Zen 3). With AVX-512, and where the columns are a power of
   * two, oneDNN copies by itself.
   *
   * <p>Source of the exception: {@code use_buffer_b} in oneDNN's brgemm_matmul_utils.cpp.
   */
  private static boolean strides(View right, int columns) {
    return right.base().type.dtype() == DType.F32
        && right.strides()[right.shape().rank() - 1] == 1
        && columns > 256
        && columns % 128 == 0
        && Integer.bitCount(columns) > 1
        && !OneDnn.wide();
  }

  /**
   * The step, after the one that writes the right operand.
   *
   * @param pieces of how many equal pieces of the rows it computes one
   */
  static Step step(Value v, CompileOptions options, int pieces) {
    MatmulShape s = MatmulShape.of(v);
    int each = MatmulStep.rows(s, options.threads());
    String matrix = "matrix " + s.k() + "x" + s.n();
    KernelLayouts layouts = new KernelLayouts(v.args.get(1), matrix, options.threads());
    List<DnnBuilder> built = new ArrayList<>();
    try {
      for (int from = 0; from < s.m(); from += each) {
        DnnBuilder b = new DnnBuilder(1);
        built.add(b);
        product(b, v, options, from, Math.min(s.m(), from + each), pieces, layouts);
      }
    } catch (RuntimeException | Error e) {
      built.forEach(DnnBuilder::close);
      layouts.steps().forEach(Step::close);
      throw e;
    }
    String text = MatmulStep.text(v) + " by a packed matrix";
    return new DnnStep(built, text, s.flops(), layouts.steps(), List.of());
  }

  /** The product of some rows, or of a piece of them. */
  private static void product(
      DnnBuilder b,
      Value v,
      CompileOptions options,
      int from,
      int to,
      int pieces,
      KernelLayouts layouts) {
    MatmulShape s = MatmulShape.of(v);
    View left = v.args.get(0);
    View right = v.args.get(1);
    boolean cut = pieces > 1 && s.m() % pieces == 0 && Tiling.aligned(left, pieces);
    long rows = cut ? s.m() / pieces : to - from;
    long[] strides = MatmulShape.strides(left);
    DType type = left.base().type.dtype();
    DType result = v.type.dtype();
    memory.desc x = b.desc(type, new long[] {rows, s.k()}, strides);
    memory.desc plain = b.desc(type, new long[] {s.k(), s.n()}, MatmulShape.strides(right));
    memory.desc any = b.any(type, new long[] {s.k(), s.n()});
    memory.desc y = b.desc(result, new long[] {rows, s.n()}, new long[] {s.n(), 1});
    boolean hasBias = v.args.size() == 3;
    memory.desc bias =
        hasBias ? b.desc(DType.F32, new long[] {1, s.n()}, new long[] {s.n(), 1}) : null;
    primitive_attr attr = b.settings();
    OneDnn.mayRound(attr, options.precision());
    post_ops after = b.own(new post_ops());
    Epilogue.append(after, v);
    attr.set_post_ops(after);
    engine e = OneDnn.engine();
    matmul.primitive_desc pd =
        hasBias
            ? new matmul.primitive_desc(e, x, any, bias, y, attr, false)
            : new matmul.primitive_desc(e, x, any, y, attr, false);
    memory.desc wanted = b.own(pd.weights_desc());
    long row = strides[0] * type.bytes();
    View some =
        new View(left.base(), left.offset() + from * strides[0], left.shape(), left.strides());
    b.readsPiece(DNNL_ARG_SRC, some, x, cut ? rows * row : 0);
    layouts.read(b, plain, wanted, true);
    if (hasBias) {
      b.reads(DNNL_ARG_BIAS, v.args.get(2), bias);
    }
    long bytes = s.n() * result.bytes();
    if (cut) {
      b.writesPiece(DNNL_ARG_DST, v, y, rows * bytes);
    } else {
      b.writes(DNNL_ARG_DST, v, from * bytes, y);
    }
    b.primitive(pd, matmul::new);
  }
}
