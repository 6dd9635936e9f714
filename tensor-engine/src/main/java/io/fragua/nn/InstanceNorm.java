package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * y = (x - mean) / sqrt(var + epsilon) * scale + bias, with one mean and (biased) variance for each
 * row and channel, over all axes between: {@link GroupNorm} with groups of one channel.
 *
 * <p>Shapes: x [B, ..., C] with at least three axes, result the same. Parameters: {@code scale}
 * [C], initially 1, {@code bias} [C], initially 0. Half types are normalised in f32 and rounded
 * once.
 *
 * @param epsilon added to the variance, 0 or more
 * @param affine false for neither scale nor bias, as PyTorch's default
 * @source Ulyanov, Vedaldi and Lempitsky, 2016; Flax {@code InstanceNorm}
 */
public record InstanceNorm(double epsilon, boolean affine) implements Layer {
  /** Checks the settings. */
  public InstanceNorm {
    Settings.epsilon("instance_norm", epsilon);
  }

  /** With scale and bias. */
  public InstanceNorm(double epsilon) {
    this(epsilon, true);
  }

  /** With epsilon 1e-6. */
  public InstanceNorm() {
    this(1e-6);
  }

  /** Without scale and bias. */
  public InstanceNorm withoutAffine() {
    return new InstanceNorm(epsilon, false);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 3 && x.dtype().isFloating(),
        "instance_norm: input must be floating with at least three axes [B, ..., C]: %s; reshape or"
            + " cast it",
        x.type());
    Tensor y = GroupNorm.normalised(x, x.shape().dim(-1), epsilon);
    return LayerNorm.affine(s, y, affine).cast(x.dtype());
  }

  @Override
  public String toString() {
    return "InstanceNorm(" + epsilon + (affine ? ")" : ", false)");
  }
}
