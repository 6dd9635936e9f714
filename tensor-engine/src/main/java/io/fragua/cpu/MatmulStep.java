package io.fragua.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.fragua.exec.Precision;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;

/**
 * A matrix product of f32 or bf16 by oneDNN, with bias and activation applied to the result while
 * it is in registers. The primitive is built once and shared; each execution has its own memory
 * handles.
 */
final class MatmulStep extends Step {
  private static final double LARGE_FLOPS = 3e7;

  private static final long LARGE_RESULT = 100_000;

  private final Value result;
  private final MatmulShape shape;
  private final int threads;
  private final List<Pointer> owned = new ArrayList<>();
  private final memory.desc[] descs;
  private final matmul primitive;
  private final memory.desc scratchDesc;
  private final long ownScratch;
  private final long roundedBytes;
  private final String implementation;
  private final primitive_attr attr;

  /** One product of the batch, if they are run one by one. */
  private MatmulTile tile;

  /** The two operands rounded to bf16 beforehand, or empty. */
  private final List<RoundedOperand> rounded = new ArrayList<>();

  MatmulStep(Value v, int threads, Precision precision) {
    super(v.args.stream().map(View::base).distinct().toList(), List.of(v));
    this.result = v;
    this.shape = MatmulShape.of(v);
    this.threads = threads;
    OneDnn.threads(threads); // blocking is chosen for this number of threads
    descs = new memory.desc[v.args.size() + 1];
    for (int i = 0; i < 2; i++) {
      View a = v.args.get(i);
      descs[i] = desc(MatmulShape.dims(a), a.base().type.dtype(), MatmulShape.strides(a));
    }
    Shape out = shape.batch().concat(Shape.of(shape.m(), shape.n()));
    int last = descs.length - 1;
    descs[last] = desc(longs(out), v.type.dtype(), out.strides());
    if (last == 3) {
      long[] d = new long[out.rank()];
      long[] s = new long[out.rank()];
      java.util.Arrays.fill(d, 1);
      java.util.Arrays.fill(s, shape.n());
      d[d.length - 1] = shape.n();
      s[d.length - 1] = 1;
      descs[2] = desc(d, DType.F32, s);
    }
    attr = own(new primitive_attr());
    attr.set_scratchpad_mode(dnnl.scratchpad_mode.user);
    memory.desc[] operands = descs.clone();
    // A product with a vector is bound by memory, so rounding first would only cost.
    boolean vector = Math.min(shape.m(), shape.n()) == 1;
    if (precision == Precision.BF16_MATH && !vector && OneDnn.pairsOfBf16()) {
      long at = 0;
      for (int i = 0; i < 2; i++) {
        rounded.add(new RoundedOperand(v.args.get(i), descs[i], at));
        operands[i] = rounded.get(i).desc;
        at += rounded.get(i).bytes();
      }
    } else if (precision == Precision.BF16_MATH) {
      attr.set_fpmath_mode(dnnl.fpmath_mode.bf16);
    }
    if (v.attrs.has("activation")) {
      post_ops ops = own(new post_ops());
      ops.append_eltwise(algorithm(v.attrs.text("activation")), 0f, 0f);
      attr.set_post_ops(ops);
    } else if (v.attrs.has("scale")) {
      post_ops ops = own(new post_ops());
      // -0 is what leaves every product as it is, a zero with its sign too
      ops.append_eltwise(dnnl.algorithm.eltwise_linear, (float) v.attrs.real("scale"), -0f);
      attr.set_post_ops(ops);
    }
    matmul.primitive_desc pd = description(operands);
    if (precision == Precision.STRICT && isLarge() && !OneDnn.wide() && !gemm(pd)) {
      pd = description(operands);
    }
    primitive = own(new matmul(pd));
    scratchDesc = own(pd.scratchpad_desc());
    ownScratch = scratchDesc.get_size();
    roundedBytes = rounded.stream().mapToLong(RoundedOperand::bytes).sum();
    implementation = name(pd);
  }

  private matmul.primitive_desc description(memory.desc[] d) {
    engine e = OneDnn.engine();
    return own(
        d.length == 4
            ? new matmul.primitive_desc(e, d[0], d[1], d[2], d[3], attr, false)
            : new matmul.primitive_desc(e, d[0], d[1], d[2], attr, false));
  }

  private boolean isLarge() {
    return shape.batch().size() == 1
        && shape.flops() >= LARGE_FLOPS
        && (long) shape.m() * shape.n() >= LARGE_RESULT;
  }

  /**
   * Goes on to oneDNN's older product, if this CPU has it. Without AVX-512 the first choice copies
   * blocks of plain operands as it goes, and for large results the older is faster by a fifth to a
   * half (measured with AVX2).
   */
  private static boolean gemm(matmul.primitive_desc pd) {
    while (!name(pd).startsWith("gemm:jit")) {
      if (!pd.next_impl()) {
        return false;
      }
    }
    return true;
  }

  private static String name(matmul.primitive_desc pd) {
    try (var text = pd.impl_info_str()) {
      return text.getString();
    }
  }

  private <P extends Pointer> P own(P p) {
    owned.add(p);
    return p;
  }

  private memory.desc desc(long[] dims, DType type, long[] strides) {
    return own(new memory.desc(dims, OneDnn.type(type), strides, false));
  }

  private static long[] longs(Shape s) {
    return java.util.Arrays.stream(s.dims()).asLongStream().toArray();
  }

  private static dnnl.algorithm algorithm(String activation) {
    return switch (activation) {
      case "tanh" -> dnnl.algorithm.eltwise_tanh;
      default -> dnnl.algorithm.eltwise_logistic;
    };
  }

  @Override
  long scratchBytes() {
    return roundedBytes + ownScratch;
  }

  @Override
  double flops() {
    return shape.flops();
  }

  @Override
  boolean contracts() {
    return true;
  }

  @Override
  int maxTiles() {
    boolean plain = rounded.isEmpty() && descs.length == 3;
    return plain ? Math.toIntExact(shape.batch().size()) : 1;
  }

  @Override
  boolean exactTiles() {
    return true;
  }

  @Override
  Set<Value> tiled() {
    return new LinkedHashSet<>(
        List.of(result, result.args.get(0).base(), result.args.get(1).base()));
  }

  @Override
  boolean tiles(int count, Set<Value> inside) {
    return count == shape.batch().size()
        && result.args.stream()
            .allMatch(a -> !inside.contains(a.base()) || MatmulTile.aligned(a, shape.batch()));
  }

  @Override
  void cut(int count) {
    tile = new MatmulTile(result, shape, attr);
  }

  @Override
  long tileScratchBytes() {
    return tile.scratchBytes();
  }

  @Override
  Part part(CpuExecution x, Tiling tiling) {
    return tile.part(x, tiling);
  }

  @Override
  Bound bind(CpuExecution x) {
    return new Run(x);
  }

  private final class Run implements Bound {
    private final CpuExecution x;
    private final memory[] memories = new memory[descs.length];
    private final memory scratch;
    private final IntMemoryMap args = new IntMemoryMap();
    private final stream stream;
    private final RoundedOperand.Bound[] rounds;

    Run(CpuExecution x) {
      this.x = x;
      this.stream = x.stream();
      try (Pointer none = new Pointer()) {
        int[] keys = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS};
        for (int i = 0; i < memories.length; i++) {
          memories[i] = new memory(descs[i], OneDnn.engine(), none);
          args.put(i == memories.length - 1 ? DNNL_ARG_DST : keys[i], memories[i]);
        }
        rounds = new RoundedOperand.Bound[rounded.size()];
        for (int i = 0; i < rounds.length; i++) {
          rounds[i] = rounded.get(i).new Bound();
          args.put(keys[i], rounds[i].to);
        }
        scratch = new memory(scratchDesc, OneDnn.engine(), none);
        args.put(DNNL_ARG_SCRATCHPAD, scratch);
      }
    }

    @Override
    public void rebind() {
      for (int i = 0; i < memories.length; i++) {
        boolean out = i == memories.length - 1;
        Value v = out ? result : result.args.get(i).base();
        Place p = x.place(v);
        long offset = p.offset() + (out ? 0 : MatmulShape.bytes(result.args.get(i)));
        handle(memories[i], x.bytes(p.slot()), offset);
        if (i < rounds.length) {
          handle(rounds[i].from, x.bytes(p.slot()), offset);
        }
      }
      long start = x.scratch(MatmulStep.this).offset();
      for (int i = 0; i < rounds.length; i++) {
        handle(rounds[i].to, x.bytes(0), start + rounded.get(i).offset);
      }
      if (ownScratch > 0) {
        handle(scratch, x.bytes(0), start + roundedBytes);
      }
    }

    private void handle(memory m, ByteBuffer b, long offset) {
      try (Pointer start = new Pointer(b);
          OneDnn.At at = new OneDnn.At(start.address() + offset)) {
        m.set_data_handle(at);
      }
    }

    @Override
    public void run() {
      for (RoundedOperand.Bound r : rounds) {
        r.run(stream);
      }
      primitive.execute(stream, args);
    }

    @Override
    public void close() {
      args.close();
      for (RoundedOperand.Bound r : rounds) {
        r.close();
      }
      scratch.close();
      for (memory m : memories) {
        m.close();
      }
    }
  }

  @Override
  String describe() {
    String bias = descs.length == 4 ? " + bias" : "";
    String act = result.attrs.has("activation") ? " " + result.attrs.text("activation") : "";
    act += result.attrs.has("scale") ? " scaled" : "";
    boolean bf16 = result.args.get(0).base().type.dtype() == DType.BF16;
    String from = rounded.isEmpty() && !bf16 ? "" : " of bf16";
    String to = result.type.dtype() == DType.BF16 ? " to bf16" : "";
    return "matmul "
        + shape
        + from
        + to
        + bias
        + act
        + " ("
        + implementation
        + ", "
        + threads
        + " threads)";
  }

  @Override
  void close() {
    if (tile != null) {
      tile.close();
      tile = null;
    }
    for (int i = owned.size() - 1; i >= 0; i--) {
      owned.get(i).close();
    }
    rounded.forEach(RoundedOperand::close);
    rounded.clear();
    owned.clear();
  }
}
