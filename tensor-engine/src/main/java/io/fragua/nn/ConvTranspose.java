package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.Window;
import java.util.Arrays;

/**
 * Transposed convolution: the input with {@code stride - 1} zeros between its elements, padded and
 * convolved, so that images grow by the strides.
 *
 * <p>Shapes: x [N, spatial..., in]; result [N, spatial..., features] with sides n stride for {@code
 * SAME} and n stride + max(extent - stride, 0) for {@code VALID}, where extent = (size - 1)
 * dilation + 1. Explicit padding surrounds the input with its zeros between, at most extent - 1 of
 * it; PyTorch's {@code padding} p is extent - 1 - p here. Parameters: {@code kernel} [size..., in,
 * features / groups], {@code bias} [features], by default uniform within 1 / sqrt(in * size).
 *
 * @param features channels of the result
 * @param window size, strides, dilations; padding too if it is {@link Padding#EXPLICIT}
 * @param padding how the result is cut
 * @param groups each part of the channels is connected with one part of the features
 * @param bias false for a product alone
 * @param kernelInit initial kernel
 * @source Flax {@code ConvTranspose}, JAX {@code lax.conv_transpose}
 */
public record ConvTranspose(
    int features, Window window, Padding padding, int groups, boolean bias, Initializer kernelInit)
    implements Layer {
  /** Checks the settings. */
  public ConvTranspose {
    Check.that(
        features >= 1 && groups >= 1 && features % groups == 0,
        "conv_transpose: needs at least one feature and groups that divide the features: %d"
            + " features in %d groups; correct one of them",
        features,
        groups);
    Settings.given("conv_transpose", "a window", window);
    Settings.given("conv_transpose", "a padding", padding);
    Check.that(
        kernelInit != null, "conv_transpose: needs an initializer: null; pass one of Initializers");
    for (int i = 0; padding == Padding.EXPLICIT && i < window.rank(); i++) {
      Check.that(
          window.low()[i] < window.extent(i)
              && window.high()[i] < window.extent(i) + window.strides()[i] - 1,
          "conv_transpose: explicit padding must be smaller than the window, and what is added"
              + " behind smaller than the stride: {%s}; pad the input instead",
          window);
    }
  }

  /** With one group. */
  public ConvTranspose(
      int features, Window window, Padding padding, boolean bias, Initializer kernelInit) {
    this(features, window, padding, 1, bias, kernelInit);
  }

  /** A kernel of this size that moves by one element, with padding {@code SAME} and a bias. */
  public ConvTranspose(int features, int... size) {
    this(features, Window.of(size), Padding.SAME, true, Initializers.fanInUniform());
  }

  /** Other steps: by how much images grow. */
  public ConvTranspose withStrides(int... strides) {
    return with(window.withStrides(strides), padding);
  }

  /** {@code SAME} or {@code VALID}. */
  public ConvTranspose withPadding(Padding p) {
    return with(window, p);
  }

  /** So many elements before the first and after the last, along each axis. */
  public ConvTranspose withPadding(int... both) {
    return with(window.withPadding(both, both), Padding.EXPLICIT);
  }

  /**
   * So many more elements at the end of each axis of the result, for instance the one that an even
   * side has lost to a step of two. Called after strides and explicit padding.
   *
   * @param more for each axis, 0 or more and less than its stride
   * @source PyTorch {@code ConvTranspose2d(output_padding)}
   */
  public ConvTranspose withOutputPadding(int... more) {
    Check.that(
        padding == Padding.EXPLICIT && more.length == window.rank(),
        "conv_transpose: output padding adds one number an axis to explicit padding: %s to %s; call"
            + " withPadding(...) before, or give as many numbers",
        Arrays.toString(more),
        padding.text(window));
    int[] strides = window.strides();
    for (int i = 0; i < more.length; i++) {
      Check.that(
          more[i] >= 0 && more[i] < strides[i],
          "conv_transpose: output padding is 0 or more and less than the stride: %s for strides %s;"
              + " call withStrides(...) before, or correct it",
          Arrays.toString(more),
          Arrays.toString(strides));
    }
    int[] high = window.high();
    Arrays.setAll(high, i -> high[i] + more[i]);
    return with(window.withPadding(window.low(), high), padding);
  }

  /** Other distances between the elements of a window. */
  public ConvTranspose withDilations(int... dilations) {
    return with(window.withDilations(dilations), padding);
  }

  /** Another number of groups. */
  public ConvTranspose withGroups(int n) {
    return new ConvTranspose(features, window, padding, n, bias, kernelInit);
  }

  /** Without a bias. */
  public ConvTranspose withoutBias() {
    return new ConvTranspose(features, window, padding, groups, false, kernelInit);
  }

  /** Another initial kernel. */
  public ConvTranspose withKernelInit(Initializer i) {
    return new ConvTranspose(features, window, padding, groups, bias, i);
  }

  private ConvTranspose with(Window w, Padding p) {
    return new ConvTranspose(features, w, p, groups, bias, kernelInit);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Conv.check("conv_transpose", x, window);
    int in = x.shape().dim(-1);
    Check.shape(
        in % groups == 0,
        "conv_transpose: groups must divide the channels: %d groups of %s; choose another number",
        groups,
        x.type());
    int r = window.rank();
    Shape k = Shape.of(window.size()).concat(Shape.of(in, features / groups));
    Tensor kernel = s.param("kernel", k, kernelInit);
    int[] sides = new int[r];
    int[] low = new int[r];
    int[] high = new int[r];
    Tensor turned = kernel;
    int[] perm = new int[r + 2];
    for (int i = 0; i < r; i++) {
      int n = x.shape().dim(1 + i);
      int stride = window.strides()[i];
      int extent = window.extent(i);
      int before = before(i);
      int all = all(i);
      // The convolution whose gradient this is goes from the result to x, and takes the kernel
      // turned round.
      long side = (n - 1L) * stride + 1 + all - (extent - 1);
      sides[i] = Check.size("conv_transpose", Math.max(0, side));
      low[i] = extent - 1 - before;
      high[i] = Math.max(0, (n - 1) * stride + extent - sides[i] - low[i]);
      turned = window.size()[i] == 1 ? turned : turned.reverse(i);
      perm[i] = i;
    }
    perm[r] = r + 1;
    perm[r + 1] = r;
    Window back = window.withPadding(low, high);
    Tensor y = x.convInputGrad(turned.transpose(perm), sides, back, groups);
    return bias ? y.add(s.param("bias", Shape.of(features), Conv.biasInit(k))) : y;
  }

  /** Padding before the input with its zeros between. */
  private int before(int i) {
    int extent = window.extent(i);
    return switch (padding) {
      case EXPLICIT -> window.low()[i];
      case VALID -> extent - 1;
      case SAME ->
          window.strides()[i] > extent - 1 ? extent - 1 : (extent + window.strides()[i] - 1) / 2;
    };
  }

  /** Padding before and after it. */
  private int all(int i) {
    int extent = window.extent(i);
    int stride = window.strides()[i];
    return switch (padding) {
      case EXPLICIT -> window.low()[i] + window.high()[i];
      case VALID -> extent + stride - 2 + Math.max(extent - stride, 0);
      case SAME -> extent + stride - 2;
    };
  }

  @Override
  public String toString() {
    return "ConvTranspose("
        + features
        + ", "
        + padding.text(window)
        + ", dilations "
        + Arrays.toString(window.dilations())
        + (groups == 1 ? "" : ", groups " + groups)
        + (bias ? ", bias)" : ")");
  }
}
