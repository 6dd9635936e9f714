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
import io.fragua.exec.Precision;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.util.Arrays;
import java.util.List;
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

  private final Value result;
  private final ConvShape shape;
  private final CompileOptions options;
  private final DnnBuilder built = new DnnBuilder();

  /** The operands' type; the result's may be wider. */
  private final DType from;

  private final memory.desc input;
  private final memory.desc output;
  private final memory.desc kernel;
  private final memory.desc anyKernel;

  private Convs(Value v, CompileOptions options) {
    result = v;
    shape = ConvShape.of(v);
    this.options = options;
    OneDnn.threads(options.threads()); // blocking is chosen for this number of threads
    from = v.args.get(0).base().type.dtype();
    DType to = v.type.dtype();
    String op = v.op.name();
    input = image(op.equals("conv_input_grad") ? to : from, shape.input);
    output = image(op.equals("conv") ? to : from, shape.output);
    DType weights = op.equals("conv_kernel_grad") ? to : from;
    kernel = built.desc(weights, shape.kernelDims(), shape.kernelStrides());
    anyKernel = built.any(weights, shape.kernelDims());
  }

  /** The steps of a convolution or gradient with elements in all operands. */
  static Step step(Value v, CompileOptions options) {
    Convs c = new Convs(v, options);
    try {
      return switch (v.op.name()) {
        case "conv" -> c.forward();
        case "conv_input_grad" -> c.inputGrad();
        default -> c.kernelGrad();
      };
    } catch (RuntimeException | Error e) {
      c.built.close();
      throw e;
    }
  }

  private memory.desc image(DType type, Shape s) {
    return built.desc(type, ConvShape.dims(s), ConvShape.strides(s));
  }

  private primitive_attr settings() {
    primitive_attr a = built.settings();
    if (options.precision() == Precision.BF16_MATH) {
      a.set_fpmath_mode(dnnl.fpmath_mode.bf16);
    }
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

  private Step forward() {
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
        built.addsTo(residual.base());
        n++;
      } else {
        memory.desc added = image(residual.base().type.dtype(), shape.output);
        after.append_binary(dnnl.algorithm.binary_add, added);
        built.reads(postOp(n++) | DNNL_ARG_SRC_1, residual, added);
      }
    }
    switch (activation) {
      case "" -> {}
      case "relu" -> {
        // A slope of 0 below 0: unlike oneDNN's relu it leaves NaN what it is.
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
    memory.desc wanted = built.own(pd.weights_desc());
    built.reads(DNNL_ARG_SRC, result.args.get(0), input);
    if (hasBias) {
      built.reads(DNNL_ARG_BIAS, result.args.get(2), bias);
    }
    built.writes(DNNL_ARG_DST, result, output);
    List<Step> pack = packed(wanted);
    built.primitive(pd, convolution_forward::new);
    String text =
        "conv "
            + shape
            + types()
            + (hasBias ? " + bias" : "")
            + (hasResidual ? " + residual" : "")
            + (activation.isEmpty() ? "" : " " + activation);
    return step(text, pack, List.of());
  }

  private static int postOp(int i) {
    return DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (i + 1);
  }

  /** Reads the kernel in the layout that oneDNN wants; gives the step that makes it, if needed. */
  private List<Step> packed(memory.desc wanted) {
    View w = result.args.get(1);
    if (wanted.equals(kernel)) {
      built.reads(DNNL_ARG_WEIGHTS, w, kernel);
      return List.of();
    }
    Value packed = DnnBuilder.packed(wanted);
    built.reads(DNNL_ARG_WEIGHTS, View.of(packed), wanted);
    return List.of(DnnBuilder.reorder("kernel " + shape.kernel, w, kernel, packed, wanted));
  }

  private Step inputGrad() {
    convolution_forward.primitive_desc hint = hint();
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
            hint,
            settings(),
            false);
    memory.desc wanted = built.own(pd.weights_desc());
    built.reads(DNNL_ARG_DIFF_DST, result.args.get(0), output);
    built.writes(DNNL_ARG_DIFF_SRC, result, input);
    List<Step> pack = packed(wanted);
    built.primitive(pd, convolution_backward_data::new);
    return step("conv_input_grad " + shape + types(), pack, List.of());
  }

  private Step kernelGrad() {
    convolution_forward.primitive_desc hint = hint();
    convolution_backward_weights.primitive_desc pd =
        new convolution_backward_weights.primitive_desc(
            OneDnn.engine(),
            DIRECT,
            input,
            anyKernel,
            output,
            shape.windowStrides(),
            shape.gaps(),
            shape.low(),
            shape.high(),
            hint,
            settings(),
            false);
    memory.desc made = built.own(pd.diff_weights_desc());
    built.reads(DNNL_ARG_SRC, result.args.get(0), input);
    built.reads(DNNL_ARG_DIFF_DST, result.args.get(1), output);
    List<Step> unpack = List.of();
    if (made.equals(kernel)) {
      built.writes(DNNL_ARG_DIFF_WEIGHTS, result, kernel);
    } else {
      Value packed = DnnBuilder.packed(made);
      built.writes(DNNL_ARG_DIFF_WEIGHTS, packed, made);
      unpack =
          List.of(
              DnnBuilder.reorder(
                  "kernel gradient " + shape.kernel, View.of(packed), made, result, kernel));
    }
    built.primitive(pd, convolution_backward_weights::new);
    return step("conv_kernel_grad " + shape + types(), List.of(), unpack);
  }

  private String types() {
    return (from == DType.BF16 ? " of bf16" : "")
        + (result.type.dtype() == DType.BF16 ? " to bf16" : "");
  }

  private Step step(String text, List<Step> before, List<Step> after) {
    String threads = options.threads() == 1 ? "" : ", " + options.threads() + " threads";
    return new DnnStep(built, text + threads, shape.flops(), before, after);
  }
}
