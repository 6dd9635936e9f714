package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.Window;
import java.util.Arrays;

/**
 * Convolution over one to three spatial axes, as many as the kernel has sizes: {@code
 * x.conv(kernel) + bias}.
 *
 * <p>Shapes: x [N, spatial..., in], result [N, windows..., features]; channels are last.
 * Parameters: {@code kernel} [size..., in / groups, features], {@code bias} [features]. By default
 * both are uniform within 1 / sqrt(in / groups * size), as PyTorch's.
 *
 * <p>{@code new Conv(64, 3, 3).withStrides(2, 2).withoutBias()} halves both sides of images.
 *
 * @param features channels of the result
 * @param window size, strides, dilations; padding too if it is {@link Padding#EXPLICIT}
 * @param padding how far windows reach over the edge
 * @param groups each part of the channels is connected with one part of the features
 * @param bias false for a product alone
 * @param kernelInit initial kernel
 * @source Flax {@code Conv}, whose names and layouts these are; PyTorch {@code Conv2d}
 */
public record Conv(
    int features, Window window, Padding padding, int groups, boolean bias, Initializer kernelInit)
    implements Layer {
  /** Checks the settings. */
  public Conv {
    Check.that(
        features >= 1 && groups >= 1 && features % groups == 0,
        "conv: needs at least one feature and groups that divide the features: %d features in %d"
            + " groups; correct one of them",
        features,
        groups);
    Settings.given("conv", "a window", window);
    Settings.given("conv", "a padding", padding);
    Check.that(kernelInit != null, "conv: needs an initializer: null; pass one of Initializers");
  }

  /** A kernel of this size that moves by one element, with padding {@code SAME} and a bias. */
  public Conv(int features, int... size) {
    this(features, Window.of(size), Padding.SAME, 1, true, Initializers.fanInUniform());
  }

  /** Other steps. */
  public Conv withStrides(int... strides) {
    return with(window.withStrides(strides), padding);
  }

  /** {@code SAME} or {@code VALID}. */
  public Conv withPadding(Padding p) {
    return with(window, p);
  }

  /** So many elements before the first and after the last, along each axis. */
  public Conv withPadding(int... both) {
    return with(window.withPadding(both, both), Padding.EXPLICIT);
  }

  /** Other distances between the elements of a window. */
  public Conv withDilations(int... dilations) {
    return with(window.withDilations(dilations), padding);
  }

  /** Another number of groups. */
  public Conv withGroups(int n) {
    return new Conv(features, window, padding, n, bias, kernelInit);
  }

  /** Without a bias. */
  public Conv withoutBias() {
    return new Conv(features, window, padding, groups, false, kernelInit);
  }

  /** Another initial kernel. */
  public Conv withKernelInit(Initializer i) {
    return new Conv(features, window, padding, groups, bias, i);
  }

  private Conv with(Window w, Padding p) {
    return new Conv(features, w, p, groups, bias, kernelInit);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    check("conv", x, window);
    int in = x.shape().dim(-1);
    Check.shape(
        in % groups == 0,
        "conv: groups must divide the channels: %d groups of %s; choose another number",
        groups,
        x.type());
    Shape k = Shape.of(window.size()).concat(Shape.of(in / groups, features));
    Tensor kernel = s.param("kernel", k, kernelInit);
    Tensor y = x.conv(kernel, padding.on(window, x), groups);
    return bias ? y.add(s.param("bias", Shape.of(features), biasInit(k))) : y;
  }

  /** Uniform within 1 / sqrt(fan-in). */
  static Initializer biasInit(Shape kernel) {
    double fanIn = Math.max(1, kernel.without(kernel.rank() - 1).size());
    return Initializers.uniform(1 / Math.sqrt(fanIn));
  }

  static void check(String who, Tensor x, Window w) {
    Check.shape(
        x.shape().rank() == w.rank() + 2 && x.dtype().isFloating(),
        "%s: input must be floating [N, spatial..., C] with one axis for each of the window's"
            + " sizes: %s by %s; reshape or cast it",
        who,
        x.type(),
        Arrays.toString(w.size()));
  }

  @Override
  public String toString() {
    return "Conv("
        + features
        + ", "
        + padding.text(window)
        + ", dilations "
        + Arrays.toString(window.dilations())
        + ", groups "
        + groups
        + (bias ? ", bias)" : ")");
  }
}
