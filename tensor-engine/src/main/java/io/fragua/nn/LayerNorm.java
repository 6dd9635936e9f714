package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * y = (x - mean) / sqrt(var + epsilon) * scale + bias, mean and (biased) variance over the last
 * axis.
 *
 * <p>Shapes: x [..., D], result the same. Parameters: {@code scale} [D], initially 1, {@code bias}
 * [D], initially 0.
 *
 * @param epsilon added to the variance
 * @source Ba, Kiros and Hinton, 2016; Flax {@code LayerNorm} (epsilon 1e-6; PyTorch has 1e-5)
 */
public record LayerNorm(double epsilon) implements Layer {
  /** Checks the settings. */
  public LayerNorm {
    Check.that(epsilon >= 0, "layer_norm: epsilon is not negative: %s; correct it", epsilon);
  }

  /** With epsilon 1e-6. */
  public LayerNorm() {
    this(1e-6);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 1 && x.dtype().isFloating(),
        "layer_norm: input must be floating with at least one axis: %s; reshape or cast it",
        x.type());
    Shape d = Shape.of(x.shape().dim(-1));
    Tensor centred = x.sub(x.meanKeep(-1));
    return centred
        .mul(centred.square().meanKeep(-1).add(epsilon).rsqrt())
        .mul(s.param("scale", d, Initializers.ones()))
        .add(s.param("bias", d, Initializers.zeros()));
  }

  @Override
  public String toString() {
    return "LayerNorm(" + epsilon + ")";
  }
}
