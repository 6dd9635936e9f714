package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * y = (x - mean) / sqrt(var + epsilon) * scale + bias, with one mean and (biased) variance for each
 * row and each group of neighbouring channels, over all axes between. Rows do not mix, so training
 * and scoring are alike.
 *
 * <p>Shapes: x [B, ..., C], result the same. Parameters: {@code scale} [C], initially 1, {@code
 * bias} [C], initially 0. Half types are normalised in f32 and rounded once.
 *
 * @param groups divides C
 * @param epsilon added to the variance, 0 or more
 * @param affine false for neither scale nor bias
 * @source Wu and He, ECCV 2018; Flax {@code GroupNorm}
 */
public record GroupNorm(int groups, double epsilon, boolean affine) implements Layer {
  /** Checks the settings. */
  public GroupNorm {
    Check.that(groups >= 1, "group_norm: needs at least one group: %d; correct it", groups);
    Settings.epsilon("group_norm", epsilon);
  }

  /** With scale and bias. */
  public GroupNorm(int groups, double epsilon) {
    this(groups, epsilon, true);
  }

  /** With epsilon 1e-6. */
  public GroupNorm(int groups) {
    this(groups, 1e-6);
  }

  /** Without scale and bias. */
  public GroupNorm withoutAffine() {
    return new GroupNorm(groups, epsilon, false);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 2 && x.dtype().isFloating(),
        "group_norm: input must be floating with at least two axes [B, ..., C]: %s; reshape or cast"
            + " it",
        x.type());
    Check.shape(
        x.shape().dim(-1) % groups == 0,
        "group_norm: groups must divide the channels: %d groups of %s; choose another number",
        groups,
        x.type());
    return LayerNorm.affine(s, normalised(x, groups, epsilon), affine).cast(x.dtype());
  }

  /** In {@link io.fragua.tensor.DType#wide} of x's type. */
  static Tensor normalised(Tensor x, int groups, double epsilon) {
    int channels = x.shape().dim(-1);
    int rows = x.shape().dim(0);
    int inner = (int) (x.shape().size() / Math.max(1, (long) rows * channels));
    Tensor wide = x.cast(x.dtype().wide());
    Tensor grouped = wide.reshape(rows, inner, groups, channels / Math.max(1, groups));
    Tensor centred = grouped.sub(mean(grouped));
    return centred.mul(mean(centred.square()).add(epsilon).rsqrt()).reshape(x.shape().dims());
  }

  /** [B, 1, G, 1] from [B, S, G, C / G]. */
  private static Tensor mean(Tensor x) {
    return x.mean(1, 3).reshape(x.shape().dim(0), 1, x.shape().dim(2), 1);
  }

  @Override
  public String toString() {
    return "GroupNorm(" + groups + ", " + epsilon + (affine ? ")" : ", false)");
  }
}
