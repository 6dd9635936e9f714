package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * y = (x - mean) / sqrt(var + epsilon) * scale + bias, with one mean and (biased) variance for each
 * row and channel, over all axes between: {@link GroupNorm} with groups of one channel.
 *
 * <p>Shapes: x [B, ..., C] with at least three axes, result the same. Parameters: {@code scale}
 * [C], initially 1, {@code bias} [C], initially 0.
 *
 * @param epsilon added to the variance, 0 or more
 * @source Ulyanov, Vedaldi and Lempitsky, 2016; Flax {@code InstanceNorm}
 */
public record InstanceNorm(double epsilon) implements Layer {
  /** Checks the settings. */
  public InstanceNorm {
    Check.that(epsilon >= 0, "instance_norm: epsilon is not negative: %s; correct it", epsilon);
  }

  /** With epsilon 1e-6. */
  public InstanceNorm() {
    this(1e-6);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 3 && x.dtype().isFloating(),
        "instance_norm: input must be floating with at least three axes [B, ..., C]: %s; reshape or"
            + " cast it",
        x.type());
    return GroupNorm.normalise(s, x, x.shape().dim(-1), epsilon);
  }

  @Override
  public String toString() {
    return "InstanceNorm(" + epsilon + ")";
  }
}
