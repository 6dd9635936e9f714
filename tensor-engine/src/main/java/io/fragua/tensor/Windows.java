package io.fragua.tensor;

import java.util.Arrays;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * Windows that move over the spatial axes of a tensor [N, spatial..., C] with one to three spatial
 * axes. Channels are last everywhere, kernels are [spatial..., C / groups, O]: the layout of Flax
 * and TensorFlow, in which neighbours in memory are computed together. See {@link Images} for
 * images of another size. Windows of half types are computed in f32 and rounded once.
 */
public interface Windows {
  /** This tensor. */
  Tensor self();

  /**
   * Convolution: result element [n, p, o] is the sum over taps t and channels c of this [n, p
   * stride + t dilation - low, c] times {@code kernel} [t, c, o] (the kernel is not flipped).
   *
   * <p>Shapes: this [N, spatial..., C], kernel [spatial..., C / groups, O], result [N, windows...,
   * O]; group g connects the g-th part of the channels with the g-th part of the outputs. Both of
   * one floating dtype. Padding adds nothing. An input with gaps is {@code x.pad(axis, 0, 0, gap,
   * 0)} first; for {@link #convInputGrad} it is built in.
   *
   * @throws ShapeException if shapes, groups or the window do not fit
   * @source JAX lax.conv_general_dilated; ONNX Conv-22
   */
  default Tensor conv(Tensor kernel, Window window, int groups) {
    checkSize("conv", kernel, window);
    Attrs a = window.attrs().with("groups", groups);
    return wide(kernel, (x, k) -> Tensor.apply("conv", a, x, k));
  }

  /** As {@link #conv(Tensor, Window, int)} with strides 1, no padding and one group. */
  default Tensor conv(Tensor kernel) {
    int spatial = Math.max(0, kernel.shape().rank() - 2);
    return conv(kernel, Window.of(kernel.shape().slice(0, spatial).dims()), 1);
  }

  /**
   * The gradient of {@link #conv} with respect to its input, this being the gradient with respect
   * to its result: a transposed convolution.
   *
   * @param input sizes of the input's spatial axes
   * @throws ShapeException if this is not of the type of that convolution's result
   * @source PyTorch conv_transpose; ONNX ConvTranspose-22
   */
  default Tensor convInputGrad(Tensor kernel, int[] input, Window window, int groups) {
    checkSize("conv_input_grad", kernel, window);
    Attrs a = window.attrs().with("groups", groups).with("input", input);
    return wide(kernel, (g, k) -> Tensor.apply("conv_input_grad", a, g, k));
  }

  /**
   * The gradient of {@link #conv} of this with respect to its kernel.
   *
   * @param g gradient with respect to the result
   * @throws ShapeException if {@code g} is not of the type of that convolution's result
   * @source PyTorch torch.nn.grad.conv2d_weight
   */
  default Tensor convKernelGrad(Tensor g, Window window, int groups) {
    Attrs a = window.attrs().with("groups", groups).with("size", window.size());
    return wide(g, (x, y) -> Tensor.apply("conv_kernel_grad", a, x, y));
  }

  /**
   * Sum of each window; padding adds nothing. Result [N, windows..., C]. Numeric types.
   *
   * @throws ShapeException if the window does not fit, is dilated, or could lie in padding alone
   * @source JAX lax.reduce_window with add
   */
  default Tensor sumPool(Window window) {
    Attrs a = window.attrs().with("size", window.size());
    return wide(x -> Tensor.apply("sum_pool", a, x));
  }

  /**
   * Maximum of each window; padding is never taken; NaN counts as the largest. The gradient goes to
   * the first maximum. Result [N, windows..., C]. Numeric types.
   *
   * @throws ShapeException if the window does not fit, is dilated, or could lie in padding alone
   * @source PyTorch max_pool; Flax max_pool; ONNX MaxPool-22
   */
  default Tensor maxPool(Window window) {
    Attrs a = window.attrs().with("size", window.size());
    return wide(x -> Tensor.apply("max_pool", a, x));
  }

  /**
   * Mean of each window. Result [N, windows..., C]. Floating types.
   *
   * @param countPadding true to divide by the size of the window everywhere, as if padding were
   *     zeros; false to divide by the number of elements of the input
   * @throws ShapeException as {@link #sumPool}
   * @source PyTorch avg_pool (count_include_pad); Flax avg_pool; ONNX AveragePool-22
   */
  default Tensor avgPool(Window window, boolean countPadding) {
    Check.shape(
        self().dtype().isFloating(),
        "avg_pool: dtype must be floating: %s; cast it first",
        self().type());
    return wide(x -> means(x, window, countPadding));
  }

  private static Tensor means(Tensor x, Window window, boolean countPadding) {
    Tensor sums = x.sumPool(window);
    int[] size = window.size();
    boolean padded =
        IntStream.concat(IntStream.of(window.low()), IntStream.of(window.high()))
            .anyMatch(p -> p > 0);
    if (countPadding || !padded) {
      return sums.div((double) Shape.of(size).size());
    }
    Tensor out = sums;
    for (int i = 0; i < size.length; i++) { // the number is a product over the axes
      int n = sums.shape().dim(1 + i);
      double[] count = new double[n];
      for (int k = 0; k < n; k++) {
        int start = k * window.strides()[i] - window.low()[i];
        count[k] = Math.min(start + size[i], x.shape().dim(1 + i)) - Math.max(start, 0);
      }
      int[] dims = new int[sums.shape().rank()];
      Arrays.fill(dims, 1);
      dims[1 + i] = n;
      out = out.div(Images.constant(count, x, dims));
    }
    return out;
  }

  /**
   * Mean over parts of nearly equal size, so many along each spatial axis; part i of n goes from
   * floor(i size / n) to ceil((i + 1) size / n).
   *
   * @throws ShapeException if there is not one positive number for each spatial axis
   * @source PyTorch adaptive_avg_pool
   */
  default Tensor adaptiveAvgPool(int... parts) {
    Tensor x = self();
    Window w = Images.evenParts("adaptive_avg_pool", x, parts);
    if (w != null) {
      return x.avgPool(w, true);
    }
    return wide(y -> unevenMeans(y, parts));
  }

  private static Tensor unevenMeans(Tensor x, int... parts) {
    Tensor y = x;
    for (int i = 0; i < parts.length; i++) {
      y = Images.means("adaptive_avg_pool", y.shape().dim(1 + i), parts[i]).apply(y, 1 + i);
    }
    return y;
  }

  /**
   * As {@link #adaptiveAvgPool}, the maximum of each part. Where parts differ in size, the gradient
   * is shared by equal maxima.
   *
   * @throws ShapeException if there is not one positive number for each spatial axis
   * @source PyTorch adaptive_max_pool
   */
  default Tensor adaptiveMaxPool(int... parts) {
    Tensor x = self();
    Window w = Images.evenParts("adaptive_max_pool", x, parts);
    if (w != null) {
      return x.maxPool(w);
    }
    for (int i = 0; i < parts.length; i++) {
      int n = x.shape().dim(1 + i);
      x.type().with(x.shape().with(1 + i, parts[i])).fits("adaptive_max_pool");
      Tensor[] part = new Tensor[parts[i]];
      for (int p = 0; p < parts[i]; p++) {
        part[p] =
            x.slice(1 + i, Images.partStart(p, n, parts[i]), Images.partEnd(p, n, parts[i]))
                .maxKeep(1 + i);
      }
      x = Movement.concat(1 + i, Arrays.asList(part));
    }
    return x;
  }

  /**
   * Another size of the spatial axes, by the nearest element: result position i is element floor((i
   * + 0.5) size / new size).
   *
   * @throws ShapeException if there is not one positive size for each spatial axis
   * @source PyTorch interpolate "nearest-exact"; JAX image.resize "nearest"
   */
  default Tensor resizeNearest(int... sizes) {
    return Images.nearest(self(), sizes);
  }

  /**
   * Another size of the spatial axes, between the two nearest elements of each axis. Floating
   * types. Shrinking does not smooth.
   *
   * @param alignCorners true if first and last elements keep their places; false if elements are
   *     areas (half-pixel centres)
   * @throws ShapeException if there is not one positive size for each spatial axis
   * @source PyTorch interpolate "bilinear"; ONNX Resize-19 "linear"
   */
  default Tensor resizeLinear(boolean alignCorners, int... sizes) {
    return wide(x -> Images.resize(x, alignCorners, false, sizes));
  }

  /**
   * As {@link #resizeLinear}, by a cubic through the four nearest elements (a = -0.75).
   *
   * @source Keys, IEEE TASSP 29, 1981; PyTorch interpolate "bicubic"; ONNX Resize-19 "cubic"
   */
  default Tensor resizeCubic(boolean alignCorners, int... sizes) {
    return wide(x -> Images.resize(x, alignCorners, true, sizes));
  }

  /** Of half types computed in f32 and rounded once. */
  private Tensor wide(UnaryOperator<Tensor> f) {
    Tensor x = self();
    DType wide = x.dtype().isFloating() ? x.dtype().wide() : x.dtype();
    return wide == x.dtype() ? f.apply(x) : f.apply(x.cast(wide)).cast(x.dtype());
  }

  private Tensor wide(Tensor other, BinaryOperator<Tensor> f) {
    DType t = self().dtype();
    return other.dtype() == t // else the row says what is wrong
        ? wide(x -> f.apply(x, other.cast(t.wide())))
        : f.apply(self(), other);
  }

  private static void checkSize(String who, Tensor kernel, Window window) {
    Shape k = kernel.shape();
    Check.shape(
        k.rank() >= 3 && Arrays.equals(k.slice(0, k.rank() - 2).dims(), window.size()),
        "%s: the window must have the kernel's size: kernel %s [spatial..., in, out] with window"
            + " {%s}; make the window of the kernel's sizes",
        who,
        kernel.type(),
        window);
  }
}
