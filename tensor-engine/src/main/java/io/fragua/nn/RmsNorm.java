package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * y = x / sqrt(mean of x^2 + epsilon) * scale over the last axis: {@link LayerNorm} without mean
 * and bias.
 *
 * <p>Shapes: x [..., D], result the same. Parameters: {@code scale} [D], initially 1. Half types
 * are normalised in f32 and rounded once.
 *
 * @param epsilon added to the mean square, 0 or more
 * @param affine false for no scale
 * @source Zhang and Sennrich, NeurIPS 2019; Flax {@code RMSNorm}
 */
public record RmsNorm(double epsilon, boolean affine) implements Layer {
  /** Checks the settings. */
  public RmsNorm {
    Settings.epsilon("rms_norm", epsilon);
  }

  /** With a scale. */
  public RmsNorm(double epsilon) {
    this(epsilon, true);
  }

  /** With epsilon 1e-6. */
  public RmsNorm() {
    this(1e-6);
  }

  /** Without a scale. */
  public RmsNorm withoutAffine() {
    return new RmsNorm(epsilon, false);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 1 && x.dtype().isFloating(),
        "rms_norm: input must be floating with at least one axis: %s; reshape or cast it",
        x.type());
    Tensor wide = x.cast(x.dtype().wide());
    Tensor y = wide.mul(wide.square().meanKeep(-1).add(epsilon).rsqrt());
    if (affine) {
      Shape d = Shape.of(x.shape().dim(-1));
      y = y.mul(s.param("scale", d, Initializers.ones()).cast(y.dtype()));
    }
    return y.cast(x.dtype());
  }

  @Override
  public String toString() {
    return "RmsNorm(" + epsilon + (affine ? ")" : ", false)");
  }
}
