package io.fragua.nn;

import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.stream.IntStream;

/**
 * The layer with each column of a kernel, all that belongs to one output, replaced by scale *
 * column / length: its direction and its length are trained apart. Kernels are the parameters named
 * {@code kernel}, as in {@link Dense} and {@link Conv}; others stay as they are.
 *
 * <p>Shapes and parameters: the layer's, and {@code kernel_scale}, as long as the kernel's last
 * axis, 1 at first, beside each kernel. In a {@link ConvTranspose} of several groups a column
 * serves one output of each group.
 *
 * @param layer what has kernels
 * @param epsilon added to squared lengths, not negative
 * @source Salimans and Kingma, NeurIPS 2016; Flax {@code WeightNorm}. In PyTorch's {@code
 *     weight_norm} the scale is at first the column's length
 */
public record WeightNorm(Layer layer, double epsilon) implements Layer {
  /** Checks the settings. */
  public WeightNorm {
    Settings.given("weight_norm", "a layer", layer);
    Settings.epsilon("weight_norm", epsilon);
  }

  /** With epsilon 1e-12. */
  public WeightNorm(Layer layer) {
    this(layer, 1e-12);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    return layer.apply(s.changed(this::normalised), x);
  }

  private Tensor normalised(Scope s, String name, Tensor w) {
    if (!name.equals("kernel")) {
      return w;
    }
    int columns = w.shape().rank() - 1;
    Tensor scale = s.param(name + "_scale", Shape.of(w.shape().dim(-1)), Initializers.ones());
    return unit(w, epsilon, IntStream.range(0, columns).toArray()).mul(scale);
  }

  /** Of length 1 along these axes. */
  static Tensor unit(Tensor t, double epsilon, int... axes) {
    Tensor wide = t.cast(t.dtype().wide()); // f16 has neither large squares nor a small epsilon
    return wide.mul(wide.square().sumKeep(axes).add(epsilon).rsqrt()).cast(t.dtype());
  }

  @Override
  public String toString() {
    return "WeightNorm(" + layer + ")";
  }
}
