package io.fragua.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.fragua.exec.CompileOptions;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Convolutions of f32 or bf16 and their gradients by oneDNN. Images stay as they are, channels
 * last, which its kernels read as fast as layouts of their own. A kernel is written in the layout
 * they prefer by a step of its own, which runs once if the kernel does not change.
 */
final class Convs {
  private static final dnnl.algorithm DIRECT = dnnl.algorithm.convolution_direct;

  /** Fewer operations than this are not worth a second thread. */
  private static final double MIN_FLOPS_PER_THREAD = 5e5;

  /** With fewer windows, adding up the threads' gradients of a kernel costs more than is won. */
  private static final long MIN_WINDOWS = 16_384;

  /** Bytes of a kernel that a core's second-level cache holds besides a tile. */
  private static final long TILE_KERNEL = 1 << 17;

  /** Bytes of an image and its result that make a tile. */
  private static final long TILE_IMAGE = 1 << 18;

  private final Value result;
  private final CompileOptions options;

  /** A piece of as many images, whose primitive serves this one too; or null. */
  private final Convs like;

  /** Made with the piece, or from {@link #like}'s. */
  private DnnBuilder built;

  /** Bytes of an image in each operand that has images, by the operand's key. */
  private final Map<Integer, Long> imageBytes = new HashMap<>();

  /** Of the images of this primitive, of which the first is this one of all. */
  private final ConvShape shape;

  private final int first;

  /** True if it is run on one image after another. */
  private final boolean tile;

  /** The operands' type; the result's may be wider. */
  private final DType from;

  private final memory.desc input;
  private final memory.desc output;
  private final memory.desc kernel;
  private final memory.desc anyKernel;

  private Convs(
      Value v, CompileOptions options, ConvShape shape, int first, boolean tile, int threads) {
    result = v;
    like = null;
    this.tile = tile;
    this.shape = shape;
    this.first = first;
    this.options = options;
    built = new DnnBuilder(threads);
    from = v.args.get(0).base().type.dtype();
    DType to = v.type.dtype();
    String op = v.op.name();
    input = image(op.equals("conv_input_grad") ? to : from, shape.input);
    output = image(op.equals("conv") ? to : from, shape.output);
    DType weights = op.equals("conv_kernel_grad") ? to : from;
    kernel = built.desc(weights, shape.kernelDims(), shape.kernelStrides());
    anyKernel = built.any(weights, shape.kernelDims());
  }

  /** The same for as many other images, without a primitive of its own. */
  private Convs(Convs like, int first) {
    this.like = like;
    this.first = first;
    result = like.result;
    tile = like.tile;
    shape = like.shape;
    options = like.options;
    from = like.from;
    input = like.input;
    output = like.output;
    kernel = like.kernel;
    anyKernel = like.anyKernel;
  }

  /**
   * The steps of a convolution or gradient with elements in all operands. Threads of the execution
   * share the images, those that have as many with one primitive; oneDNN's own share what has too
   * few.
   */
  static Step step(Value v, CompileOptions options) {
    ConvShape whole = ConvShape.of(v);
    int parts = parts(v, whole, options.threads());
    boolean small = whole.flops() < 2 * MIN_FLOPS_PER_THREAD;
    int threads = parts > 1 || small ? 1 : options.threads();
    List<Convs> pieces = new ArrayList<>();
    String kernel = "kernel " + whole.kernel;
    KernelLayouts layouts = new KernelLayouts(v.args.get(1), kernel, options.threads());
    try {
      for (int t = 0; t < parts; t++) {
        int first = Pool.start(whole.images(), parts, t);
        int images = Pool.start(whole.images(), parts, t + 1) - first;
        Convs like =
            pieces.stream().filter(p -> p.shape.images() == images).findFirst().orElse(null);
        pieces.add(
            like == null
                ? new Convs(v, options, whole.images(images), first, false, threads)
                : new Convs(like, first));
      }
      return switch (v.op.name()) {
        case "conv" -> forward(pieces, layouts, whole);
        case "conv_input_grad" -> inputGrad(pieces, layouts, whole);
        default -> kernelGrad(pieces, whole);
      };
    } catch (RuntimeException | Error e) {
      pieces.stream().filter(p -> p.like == null).forEach(p -> p.built.close());
      layouts.steps().forEach(Step::close);
      throw e;
    }
  }

  /** The primitive of {@link #like} on these images, of which a result that has none lies there. */
  private void share(Value whole) {
    DnnBuilder.Added a = like.built.added();
    int images = first - like.first;
    built =
        like.built.on(
            o ->
                imageBytes(o) > 0
                    ? o.moved(o.value(), images * imageBytes(o))
                    : o.moved(o.written() ? whole : o.value(), 0),
            a == null
                ? null
                : new DnnBuilder.Added(
                    a.value(), a.offset() + images * (a.bytes() / shape.images()), a.bytes()));
  }

  private long imageBytes(DnnBuilder.Operand o) {
    return like.imageBytes.getOrDefault(o.key(), 0L);
  }

  /** Primitives that share the images evenly, but for a tenth; 1 if there are too few for that. */
  private static int parts(Value v, ConvShape s, int threads) {
    int parts = (int) Math.max(1, Math.min(threads, s.flops() / MIN_FLOPS_PER_THREAD));
    int most = (s.images() + parts - 1) / parts;
    long windows = s.output.size() / s.output.dim(-1);
    boolean sums = v.op.name().equals("conv_kernel_grad");
    boolean few = sums && (windows < MIN_WINDOWS || v.type.dtype() != DType.F32);
    return few || 10L * most * parts > 11L * s.images() ? 1 : parts;
  }

  private memory.desc image(DType type, Shape s) {
    return built.desc(type, ConvShape.dims(s), ConvShape.strides(s));
  }

  private primitive_attr settings() {
    primitive_attr a = built.settings();
    OneDnn.mayRound(a, options.precision());
    return a;
  }

  /** The convolution of which something is the gradient. */
  private convolution_forward.primitive_desc hint() {
    return built.own(
        new convolution_forward.primitive_desc(
            OneDnn.engine(),
            dnnl.prop_kind.forward_training,
            DIRECT,
            image(from, shape.input),
            built.any(from, shape.kernelDims()),
            image(from, shape.output),
            shape.windowStrides(),
            shape.gaps(),
            shape.low(),
            shape.high(),
            settings(),
            false));
  }

  private convolution_forward.primitive_desc description(memory.desc bias, primitive_attr attr) {
    return bias == null
        ? new convolution_forward.primitive_desc(
            OneDnn.engine(),
            dnnl.prop_kind.forward_inference,
            DIRECT,
            input,
            anyKernel,
            output,
            shape.windowStrides(),
            shape.gaps(),
            shape.low(),
            shape.high(),
            attr,
            false)
        : new convolution_forward.primitive_desc(
            OneDnn.engine(),
            dnnl.prop_kind.forward_inference,
            DIRECT,
            input,
            anyKernel,
            bias,
            output,
            shape.windowStrides(),
            shape.gaps(),
            shape.low(),
            shape.high(),
            attr,
            false);
  }

  private static Step forward(List<Convs> pieces, KernelLayouts layouts, ConvShape whole) {
    Value v = pieces.get(0).result;
    pieces.forEach(p -> p.make(() -> p.forward(layouts)));
    String text =
        "conv "
            + whole
            + pieces.get(0).types()
            + (v.attrs.has("bias") ? " + bias" : "")
            + (v.attrs.has("residual") ? " + residual" : "")
            + (v.attrs.has("activation") ? " " + v.attrs.text("activation") : "");
    DnnStep.Tile tile = tile(pieces.get(0), whole, c -> c.forward(layouts));
    return step(text, pieces, tile, whole, layouts.steps(), List.of());
  }

  private void make(Runnable primitive) {
    if (like == null) {
      primitive.run();
    } else {
      share(result);
    }
  }

  /** One image as a tile, if kernel and image fit into a core's cache; or null. */
  private static DnnStep.Tile tile(Convs like, ConvShape whole, Consumer<Convs> make) {
    Value v = like.result;
    View images = v.args.get(0);
    long kernel = v.args.get(1).base().type.byteSize();
    long bytes = images.base().type.byteSize() + v.type.byteSize();
    if (whole.images() == 1
        || v.attrs.has("residual")
        || kernel > TILE_KERNEL
        || bytes / whole.images() > TILE_IMAGE
        || !Tiling.aligned(images, whole.images())) {
      return null;
    }
    Convs c = new Convs(v, like.options, whole.images(1), 0, true, 1);
    try {
      make.accept(c);
      if (c.built.primitive() == null
          || !c.built.implementation().equals(like.built.implementation())) {
        c.built.close();
        return null;
      }
      return new DnnStep.Tile(whole.images(), images, c.built);
    } catch (RuntimeException | Error e) {
      c.built.close();
      throw e;
    }
  }

  private void forward(KernelLayouts layouts) {
    boolean hasBias = result.attrs.has("bias");
    boolean hasResidual = result.attrs.has("residual");
    String activation = result.attrs.has("activation") ? result.attrs.text("activation") : "";
    post_ops after = built.own(new post_ops());
    memory.desc bias =
        hasBias ? built.desc(DType.F32, new long[] {shape.kernel.dim(-1)}, new long[] {1}) : null;
    int n = 0;
    if (hasResidual) {
      View residual = result.args.get(result.args.size() - 1);
      if (residual.base().type.dtype() == result.type.dtype()) {
        after.append_sum();
        int bytes = result.type.dtype().bytes();
        long image = shape.output.size() / shape.images() * bytes;
        built.addsTo(
            new DnnBuilder.Added(
                residual.base(),
                Math.toIntExact(first * image),
                Math.toIntExact(shape.output.size() * bytes)));
        n++;
      } else {
        memory.desc added = image(residual.base().type.dtype(), shape.output);
        after.append_binary(dnnl.algorithm.binary_add, added);
        reads(postOp(n++) | DNNL_ARG_SRC_1, residual, added);
      }
    }
    switch (activation) {
      case "" -> {}
      case "relu" -> {
        // A slope of 0 below 0: unlike oneDNN's relu it leaves NaN what it is. What overflowed to
        // minus infinity becomes NaN, too, as 0 times infinity.
        after.append_prelu(0);
        long[] one = new long[shape.output.rank()];
        Arrays.fill(one, 1);
        memory slope = new memory(built.desc(DType.F32, one, one), OneDnn.engine());
        try (FloatPointer p = new FloatPointer(slope.get_data_handle())) {
          p.put(0f);
        }
        built.constant(postOp(n) | DNNL_ARG_WEIGHTS, slope);
      }
      case "tanh" -> after.append_eltwise(dnnl.algorithm.eltwise_tanh, 0f, 0f);
      default -> after.append_eltwise(dnnl.algorithm.eltwise_logistic, 0f, 0f);
    }
    primitive_attr attr = settings();
    attr.set_post_ops(after);
    convolution_forward.primitive_desc pd = description(bias, attr);
    ConvFaults.avoidForward(shape, pd, pd::next_impl);
    memory.desc wanted = built.own(pd.weights_desc());
    reads(DNNL_ARG_SRC, result.args.get(0), input);
    if (hasBias) {
      built.reads(DNNL_ARG_BIAS, result.args.get(2), bias);
    }
    writes(DNNL_ARG_DST, output);
    if (readsKernel(layouts, wanted)) {
      built.primitive(pd, convolution_forward::new);
    }
  }

  /** Of all images, those from its first on. */
  private View images(View all) {
    long image = all.strides()[0];
    return new View(all.base(), all.offset() + first * image, all.shape(), all.strides());
  }

  private void reads(int key, View all, memory.desc d) {
    long image = all.strides()[0] * all.base().type.dtype().bytes();
    imageBytes.put(key, image);
    if (tile) {
      built.readsPiece(key, all, d, image);
    } else {
      built.reads(key, images(all), d);
    }
  }

  private void writes(int key, memory.desc d) {
    long image = result.shape().strides()[0] * result.type.dtype().bytes();
    imageBytes.put(key, image);
    if (tile) {
      built.writesPiece(key, result, d, image);
    } else {
      built.writes(key, result, first * image, d);
    }
  }

  private static int postOp(int i) {
    return DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (i + 1);
  }

  /** False for a tile that wants another layout of the kernel than the rest. */
  private boolean readsKernel(KernelLayouts layouts, memory.desc wanted) {
    return layouts.read(built, kernel, wanted, !tile);
  }

  private static Step inputGrad(List<Convs> pieces, KernelLayouts layouts, ConvShape whole) {
    pieces.forEach(p -> p.make(() -> p.inputGrad(layouts)));
    String text = "conv_input_grad " + whole + pieces.get(0).types();
    DnnStep.Tile tile = tile(pieces.get(0), whole, c -> c.inputGrad(layouts));
    return step(text, pieces, tile, whole, layouts.steps(), List.of());
  }

  private void inputGrad(KernelLayouts layouts) {
    convolution_backward_data.primitive_desc pd =
        new convolution_backward_data.primitive_desc(
            OneDnn.engine(),
            DIRECT,
            input,
            anyKernel,
            output,
            shape.windowStrides(),
            shape.gaps(),
            shape.low(),
            shape.high(),
            hint(),
            settings(),
            false);
    memory.desc wanted = built.own(pd.weights_desc());
    reads(DNNL_ARG_DIFF_DST, result.args.get(0), output);
    writes(DNNL_ARG_DIFF_SRC, input);
    if (readsKernel(layouts, wanted)) {
      built.primitive(pd, convolution_backward_data::new);
    }
  }

  /** Each primitive makes a gradient of its images; then they are added up. */
  private static Step kernelGrad(List<Convs> pieces, ConvShape whole) {
    Convs c = pieces.get(0);
    Value v = c.result;
    List<Value> made = new ArrayList<>();
    memory.desc layout = null;
    for (Convs p : pieces) {
      if (p.like != null) {
        made.add(DnnBuilder.packed(layout));
        p.share(made.get(made.size() - 1));
        continue;
      }
      convolution_backward_weights.primitive_desc pd = p.kernelGrad(layout);
      layout = p.built.own(pd.diff_weights_desc());
      boolean direct = pieces.size() == 1 && layout.equals(p.kernel);
      made.add(direct ? v : DnnBuilder.packed(layout));
      p.built.writes(DNNL_ARG_DIFF_WEIGHTS, made.get(made.size() - 1), layout);
      p.built.primitive(pd, convolution_backward_weights::new);
    }
    List<Step> after = new ArrayList<>();
    if (pieces.size() > 1) {
      String text = "sum of kernel gradients " + whole.kernel;
      after.add(DnnBuilder.sum(text, made, layout, v, c.kernel));
    } else if (made.get(0) != v) {
      String text = "kernel gradient " + whole.kernel;
      View packed = View.of(made.get(0));
      after.add(DnnBuilder.reorder(text, packed, layout, v, c.kernel, c.options.threads()));
    }
    String text = "conv_kernel_grad " + whole + c.types();
    return step(text, pieces, null, whole, List.of(), after);
  }

  /** The gradient in this layout, or in the one that oneDNN prefers. */
  private convolution_backward_weights.primitive_desc kernelGrad(memory.desc layout) {
    reads(DNNL_ARG_SRC, result.args.get(0), input);
    reads(DNNL_ARG_DIFF_DST, result.args.get(1), output);
    convolution_backward_weights.primitive_desc pd =
        new convolution_backward_weights.primitive_desc(
            OneDnn.engine(),
            DIRECT,
            input,
            layout == null ? anyKernel : layout,
            output,
            shape.windowStrides(),
            shape.gaps(),
            shape.low(),
            shape.high(),
            hint(),
            settings(),
            false);
    ConvFaults.avoidKernelGrad(shape, pd, pd::next_impl);
    return pd;
  }

  private String types() {
    return (from == DType.BF16 ? " of bf16" : "")
        + (result.type.dtype() == DType.BF16 ? " to bf16" : "");
  }

  private static Step step(
      String text,
      List<Convs> pieces,
      DnnStep.Tile tile,
      ConvShape whole,
      List<Step> before,
      List<Step> after) {
    List<DnnBuilder> built = pieces.stream().map(p -> p.built).toList();
    return new DnnStep(built, tile, text, whole.flops(), before, after);
  }
}
