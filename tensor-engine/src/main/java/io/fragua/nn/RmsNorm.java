package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * y = x / sqrt(mean of x^2 + epsilon) * scale over the last axis: {@link LayerNorm} without mean
 * and bias.
 *
 * <p>Shapes: x [..., D], result the same. Parameters: {@code scale} [D], initially 1.
 *
 * @param epsilon added to the mean square, 0 or more
 * @source Zhang and Sennrich, NeurIPS 2019; Flax {@code RMSNorm}
 */
public record RmsNorm(double epsilon) implements Layer {
  /** Checks the settings. */
  public RmsNorm {
    Check.that(epsilon >= 0, "rms_norm: epsilon is not negative: %s; correct it", epsilon);
  }

  /** With epsilon 1e-6. */
  public RmsNorm() {
    this(1e-6);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 1 && x.dtype().isFloating(),
        "rms_norm: input must be floating with at least one axis: %s; reshape or cast it",
        x.type());
    return x.mul(x.square().meanKeep(-1).add(epsilon).rsqrt())
        .mul(s.param("scale", Shape.of(x.shape().dim(-1)), Initializers.ones()));
  }

  @Override
  public String toString() {
    return "RmsNorm(" + epsilon + ")";
  }
}
