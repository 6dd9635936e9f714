package io.fragua.op;

import static io.fragua.op.Rules.NUMERIC;
import static io.fragua.op.Rules.REAL;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.tensor.Window;
import java.util.Arrays;
import java.util.List;

/**
 * Rows over windows that move along spatial axes. Everywhere channels are last: images are [N,
 * spatial..., C], kernels [spatial..., C / groups, O] with the outputs of a group side by side, as
 * in Flax. Attributes {@code strides}, {@code low}, {@code high} and {@code dilations}: see {@link
 * Window}.
 *
 * <p>A convolution is linear in its input and in its kernel, so it and its two gradients are three
 * views of one trilinear form, and the derivative of each is the other two.
 */
final class WindowOps {
  static final List<Op> ROWS =
      List.of(
          row(
              "conv",
              2,
              REAL,
              (op, in, a) -> convType(op, in.get(0), in.get(1), a),
              (g, in, y, a) ->
                  List.of(
                      inputGrad(g, in.get(1), in.get(0), a),
                      kernelGrad(in.get(0), g, in.get(1), a)),
              WindowBatching::conv,
              "Conv-22",
              "JAX lax.conv_general_dilated with layouts NHWC, HWIO, NHWC"),
          row(
              "conv_input_grad",
              2,
              REAL,
              WindowOps::inputGradType,
              (g, in, y, a) ->
                  List.of(conv(g, in.get(1), a), kernelGrad(g, in.get(0), in.get(1), a)),
              WindowBatching::inputGrad,
              "ConvTranspose-22",
              "PyTorch torch.nn.grad.conv2d_input; a transposed convolution"),
          row(
              "conv_kernel_grad",
              2,
              REAL,
              WindowOps::kernelGradType,
              (g, in, y, a) ->
                  List.of(inputGrad(in.get(1), g, in.get(0), a), conv(in.get(0), g, a)),
              WindowBatching::kernelGrad,
              "none: Conv with batch and channels exchanged",
              "PyTorch torch.nn.grad.conv2d_weight"),
          row(
              "sum_pool",
              1,
              NUMERIC,
              (op, in, a) -> poolType(op, in.get(0), a),
              (g, in, y, a) -> List.of(spread(g, in.get(0), a)),
              WindowBatching::pool,
              "none: AveragePool times the size of the window",
              "JAX lax.reduce_window with add"),
          row(
              "max_pool",
              1,
              NUMERIC,
              (op, in, a) -> poolType(op, in.get(0), a),
              (g, in, y, a) -> List.of(Tensor.apply("max_pool_grad", a, in.get(0), g)),
              WindowBatching::pool,
              "MaxPool-22",
              "PyTorch max_pool; padding is never the maximum; NaN counts as the largest"),
          // Which element of a window is taken changes nowhere but in ties, so that what is linear
          // here is the second operand alone.
          row(
              "max_pool_grad",
              2,
              NUMERIC,
              (op, in, a) -> {
                same(op, in, poolType(op, in.get(0), a), in.get(1));
                return in.get(0);
              },
              (g, in, y, a) -> Arrays.asList(null, Tensor.apply("max_pool_take", a, in.get(0), g)),
              WindowBatching::pool,
              "none: no ONNX operator",
              "PyTorch: the gradient goes to the first maximum of each window"),
          row(
              "max_pool_take",
              2,
              NUMERIC,
              (op, in, a) -> {
                same(op, in, in.get(0), in.get(1));
                return poolType(op, in.get(0), a);
              },
              (g, in, y, a) -> Arrays.asList(null, Tensor.apply("max_pool_grad", a, in.get(0), g)),
              WindowBatching::pool,
              "none: GatherElements with the indices of MaxPool",
              "what max_pool_grad is the transpose of"));

  private WindowOps() {}

  private static Op row(
      String name,
      int arity,
      java.util.Set<io.fragua.tensor.DType> dtypes,
      Op.TypeRule type,
      Op.Vjp vjp,
      Op.Batch batch,
      String onnx,
      String source) {
    return new Op(name, Family.WINDOW, arity, dtypes, type, vjp, null, batch, null, onnx, source);
  }

  /** The settings that all three rows of a convolution share. */
  private static Attrs shared(Attrs a) {
    return Window.of(a, a.ints("strides")).attrs().with("groups", a.integer("groups"));
  }

  private static Tensor conv(Tensor x, Tensor kernel, Attrs a) {
    return Tensor.apply("conv", shared(a), x, kernel);
  }

  private static Tensor inputGrad(Tensor g, Tensor kernel, Tensor x, Attrs a) {
    return Tensor.apply("conv_input_grad", shared(a).with("input", spatial(x.type())), g, kernel);
  }

  private static Tensor kernelGrad(Tensor x, Tensor g, Tensor kernel, Attrs a) {
    int[] size = kernel.shape().slice(0, kernel.shape().rank() - 2).dims();
    return Tensor.apply("conv_kernel_grad", shared(a).with("size", size), x, g);
  }

  private static int[] spatial(TensorType t) {
    return t.shape().slice(1, t.shape().rank() - 1).dims();
  }

  private static TensorType image(TensorType like, int[] spatial, int channels) {
    Shape n = like.shape().slice(0, 1);
    return like.with(n.concat(Shape.of(spatial)).concat(Shape.of(channels)));
  }

  private static void rank(Op op, TensorType t) {
    Rules.dtype(op, t);
    Check.shape(
        t.shape().rank() >= 3 && t.shape().rank() <= 5,
        "%s: operands are [N, spatial..., C] with one to three spatial axes: %s; add the missing"
            + " axes with expandDims",
        op,
        t);
  }

  private static void same(Op op, List<TensorType> in, TensorType wanted, TensorType given) {
    Check.shape(
        wanted.equals(given),
        "%s: the second operand must be %s: %s beside %s; pass the tensor that belongs to the"
            + " first",
        op,
        wanted,
        given,
        in.get(0));
  }

  private static TensorType convType(Op op, TensorType x, TensorType kernel, Attrs a) {
    rank(op, x);
    rank(op, kernel);
    Shape k = kernel.shape();
    int r = k.rank() - 2;
    Check.shape(
        x.dtype() == kernel.dtype() && x.shape().rank() == k.rank(),
        "%s: input and kernel must have one dtype and as many axes: %s with kernel %s; cast or"
            + " reshape one of them",
        op,
        x,
        kernel);
    int groups = a.integer("groups");
    Check.shape(
        groups >= 1 && (long) groups * k.dim(-2) == x.shape().dim(-1) && k.dim(-1) % groups == 0,
        "%s: channels must be groups times the kernel's inputs, and groups divide its outputs: %s"
            + " with kernel %s [spatial..., in / groups, out] in %d groups; fix the kernel's shape"
            + " or the number of groups",
        op,
        x,
        kernel,
        groups);
    Window w = Window.of(a, k.slice(0, r).dims());
    return image(x, w.outputs(op.name(), spatial(x)), k.dim(-1));
  }

  private static TensorType inputGradType(Op op, List<TensorType> in, Attrs a) {
    TensorType g = in.get(0);
    TensorType kernel = in.get(1);
    rank(op, g);
    rank(op, kernel);
    int groups = a.integer("groups");
    int channels = Math.multiplyExact(groups, kernel.shape().dim(-2));
    TensorType x = image(g, a.ints("input"), channels);
    fits(op, g, convType(op, x, kernel, a), in, a);
    return x;
  }

  private static TensorType kernelGradType(Op op, List<TensorType> in, Attrs a) {
    TensorType x = in.get(0);
    TensorType g = in.get(1);
    rank(op, x);
    rank(op, g);
    int groups = a.integer("groups");
    int c = x.shape().dim(-1);
    Check.shape(
        groups >= 1 && c % groups == 0,
        "%s: groups must divide the channels: %s in %d groups; correct the number of groups",
        op,
        x,
        groups);
    Shape k = Shape.of(a.ints("size")).concat(Shape.of(c / groups, g.shape().dim(-1)));
    TensorType kernel = x.with(k);
    fits(op, g, convType(op, x, kernel, a), in, a);
    return kernel;
  }

  private static void fits(Op op, TensorType g, TensorType y, List<TensorType> in, Attrs a) {
    Check.shape(
        g.equals(y),
        "%s: the gradient must have the type of the convolution's result, here %s: %s {%s}; pass"
            + " the settings of that convolution",
        op,
        y,
        in,
        a);
  }

  private static TensorType poolType(Op op, TensorType x, Attrs a) {
    rank(op, x);
    Window w = Window.of(a, a.ints("size"));
    int[] in = spatial(x);
    boolean ok = in.length == w.rank();
    for (int i = 0; ok && i < in.length; i++) {
      ok =
          in[i] >= 1
              && w.low()[i] < w.size()[i]
              && w.high()[i] < w.size()[i]
              && w.dilations()[i] == 1;
    }
    Check.shape(
        ok,
        "%s: a window needs an element of the input: one size a spatial axis, padding smaller than"
            + " the window, no dilation: {%s} on %s; correct the window",
        op,
        a,
        x);
    return image(x, w.outputs(op.name(), in), x.shape().dim(-1));
  }

  /** The transpose of a sum over windows: sums over the windows that an element is in. */
  private static Tensor spread(Tensor g, Tensor x, Attrs a) {
    Window w = Window.of(a, a.ints("size"));
    int r = w.rank();
    int[] whole = new int[r];
    Tensor t = g;
    for (int i = 0; i < r; i++) {
      whole[i] = w.size()[i] - 1;
      if (w.strides()[i] > 1) {
        t = t.pad(1 + i, 0, 0, w.strides()[i] - 1, 0);
      }
    }
    Window back = Window.of(w.size()).withPadding(whole, whole);
    t = Tensor.apply("sum_pool", back.attrs().with("size", w.size()), t);
    for (int i = 0; i < r; i++) { // from the padded input's axis to the input's
      int n = x.shape().dim(1 + i);
      int low = w.low()[i];
      int covered = Math.min(t.shape().dim(1 + i), low + n);
      if (low > 0 || covered < t.shape().dim(1 + i)) {
        t = t.slice(1 + i, low, covered);
      }
      if (covered < low + n) {
        t = t.pad(1 + i, 0, low + n - covered, 0);
      }
    }
    return t;
  }
}
