package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * y = (x - mean) / sqrt(var + epsilon) * scale + bias, mean and (biased) variance over the last
 * axis.
 *
 * <p>Shapes: x [..., D], result the same. Parameters: {@code scale} [D], initially 1, {@code bias}
 * [D], initially 0. Half types are normalised in f32 and rounded once.
 *
 * @param epsilon added to the variance
 * @param affine false for neither scale nor bias
 * @source Ba, Kiros and Hinton, 2016; Flax {@code LayerNorm} (epsilon 1e-6; PyTorch has 1e-5)
 */
public record LayerNorm(double epsilon, boolean affine) implements Layer {
  /** Checks the settings. */
  public LayerNorm {
    Settings.epsilon("layer_norm", epsilon);
  }

  /** With scale and bias. */
  public LayerNorm(double epsilon) {
    this(epsilon, true);
  }

  /** With epsilon 1e-6. */
  public LayerNorm() {
    this(1e-6);
  }

  /** Without scale and bias. */
  public LayerNorm withoutAffine() {
    return new LayerNorm(epsilon, false);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 1 && x.dtype().isFloating(),
        "layer_norm: input must be floating with at least one axis: %s; reshape or cast it",
        x.type());
    Tensor wide = x.cast(x.dtype().wide());
    Tensor centred = wide.sub(wide.meanKeep(-1));
    Tensor y = centred.mul(centred.square().meanKeep(-1).add(epsilon).rsqrt());
    return affine(s, y, affine).cast(x.dtype());
  }

  /** Times {@code scale} plus {@code bias} of the last axis, if {@code affine}. */
  static Tensor affine(Scope s, Tensor y, boolean affine) {
    if (!affine) {
      return y;
    }
    Shape d = Shape.of(y.shape().dim(-1));
    return y.mul(s.param("scale", d, Initializers.ones()).cast(y.dtype()))
        .add(s.param("bias", d, Initializers.zeros()).cast(y.dtype()));
  }

  @Override
  public String toString() {
    return "LayerNorm(" + epsilon + (affine ? ")" : ", false)");
  }
}
