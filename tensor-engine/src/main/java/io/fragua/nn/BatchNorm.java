package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * y = (x - mean) / sqrt(var + epsilon) * scale + bias, with one mean and (biased) variance for each
 * position of the last axis. In training they are the batch's, without rows whose {@link
 * Scope#mask} is 0, and running averages follow: running = momentum * running + (1 - momentum) *
 * batch. Otherwise they are the running ones. A batch of padding alone, or without a row, leaves
 * the averages as they are.
 *
 * <p>Shapes: x [B, ..., C], result the same. Parameters: {@code scale} [C], initially 1, {@code
 * bias} [C], initially 0. State: {@code mean} [C], initially 0, {@code var} [C], initially 1. Half
 * types are normalised in f32 and rounded once.
 *
 * @param momentum weight of the old running average, in [0, 1] (PyTorch's {@code momentum} is 1
 *     minus this)
 * @param epsilon added to the variance
 * @param affine false for neither scale nor bias
 * @source Ioffe and Szegedy, ICML 2015; Flax {@code BatchNorm}, which also averages the biased
 *     variance
 */
public record BatchNorm(double momentum, double epsilon, boolean affine) implements Layer {
  /** Checks the settings. */
  public BatchNorm {
    Check.that(
        momentum >= 0 && momentum <= 1,
        "batch_norm: momentum lies in [0, 1]: %s; correct it",
        momentum);
    Settings.epsilon("batch_norm", epsilon);
  }

  /** With scale and bias. */
  public BatchNorm(double momentum, double epsilon) {
    this(momentum, epsilon, true);
  }

  /** With momentum 0.9 and epsilon 1e-5, which is PyTorch's default. */
  public BatchNorm() {
    this(0.9, 1e-5);
  }

  /** Without scale and bias. */
  public BatchNorm withoutAffine() {
    return new BatchNorm(momentum, epsilon, false);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 2 && x.dtype().isFloating(),
        "batch_norm: input must be floating with at least two axes [B, ..., C]: %s; reshape or cast"
            + " it",
        x.type());
    Shape c = Shape.of(x.shape().dim(-1));
    DType wide = x.dtype().wide();
    Tensor scale = affine ? s.param("scale", c, Initializers.ones()).cast(wide) : null;
    Tensor bias = affine ? s.param("bias", c, Initializers.zeros()).cast(wide) : null;
    Tensor oldMean = s.state("mean", c, 0);
    Tensor oldVar = s.state("var", c, 1);
    s.variance("var", "mean", 1 - momentum);
    Tensor mean = oldMean.cast(wide);
    Tensor var = oldVar.cast(wide);
    if (s.training() && x.shape().size() > 0) {
      Moments batch = batch(s.mask(), x.cast(wide));
      s.update("mean", moved(mean, batch.mean, batch.gain).cast(oldMean.dtype()));
      s.update("var", moved(var, batch.var, batch.gain).cast(oldVar.dtype()));
      mean = batch.mean;
      var = batch.var;
    }
    Tensor inverse = var.add(epsilon).rsqrt();
    Tensor y = x.cast(wide).sub(mean).mul(affine ? inverse.mul(scale) : inverse);
    return (affine ? y.add(bias) : y).cast(x.dtype());
  }

  /** Of a batch; {@code gain}: how far the running ones follow it, null for 1 - momentum. */
  private record Moments(Tensor mean, Tensor var, Tensor gain) {}

  private Moments batch(Tensor mask, Tensor x) {
    int[] axes = IntStream.range(0, x.shape().rank() - 1).toArray();
    if (mask == null) {
      Tensor mean = x.mean(axes);
      return new Moments(mean, x.sub(mean).square().mean(axes), null);
    }
    Check.shape(
        mask.shape().dim(0) == x.shape().dim(0),
        "batch_norm: the mask has an entry for each row: %s for %s; keep the batch the first axis,"
            + " or apply the network without a mask",
        mask.type(),
        x.type());
    // select, not a product with the mask: padded rows may hold infinities
    Tensor real = real(mask, x);
    Tensor zero = Tensor.scalar(x.dtype(), 0);
    long pixels = Math.max(1, (long) x.shape().dim(0) * x.shape().dim(-1));
    Tensor rows = mask.cast(x.dtype()).sum();
    Tensor n = rows.mul((double) x.shape().size() / pixels).maximum(1);
    Tensor mean = real.select(x, zero).sum(axes).div(n);
    Tensor var = real.select(x.sub(mean).square(), zero).sum(axes).div(n);
    return new Moments(mean, var, rows.minimum(1).mul(1 - momentum)); // 0 if there is no real row
  }

  private Tensor moved(Tensor running, Tensor batch, Tensor gain) {
    Tensor b = batch.stopGradient();
    return gain == null
        ? running.mul(momentum).add(b.mul(1 - momentum))
        : running.add(b.sub(running).mul(gain));
  }

  /** Bool [B, 1, ...], true for real rows. */
  private static Tensor real(Tensor mask, Tensor x) {
    int[] d = new int[x.shape().rank()];
    Arrays.fill(d, 1);
    d[0] = x.shape().dim(0);
    return mask.greater(0).reshape(d);
  }

  @Override
  public String toString() {
    return "BatchNorm(" + momentum + ", " + epsilon + (affine ? ")" : ", false)");
  }
}
