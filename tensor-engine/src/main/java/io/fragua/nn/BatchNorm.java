package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * y = (x - mean) / sqrt(var + epsilon) * scale + bias, with one mean and (biased) variance for each
 * position of the last axis. In training they are the batch's, without rows whose {@link
 * Scope#mask} is 0, and running averages follow: running = momentum * running + (1 - momentum) *
 * batch. Otherwise they are the running ones. A batch of padding alone leaves the averages as they
 * are.
 *
 * <p>Shapes: x [B, ..., C], result the same. Parameters: {@code scale} [C], initially 1, {@code
 * bias} [C], initially 0. State: {@code mean} [C], initially 0, {@code var} [C], initially 1.
 *
 * @param momentum weight of the old running average, in [0, 1] (PyTorch's {@code momentum} is 1
 *     minus this)
 * @param epsilon added to the variance
 * @source Ioffe and Szegedy, ICML 2015; Flax {@code BatchNorm}, which also averages the biased
 *     variance
 */
public record BatchNorm(double momentum, double epsilon) implements Layer {
  /** Checks the settings. */
  public BatchNorm {
    Check.that(
        momentum >= 0 && momentum <= 1,
        "batch_norm: momentum lies in [0, 1]: %s; correct it",
        momentum);
    Check.that(epsilon >= 0, "batch_norm: epsilon is not negative: %s; correct it", epsilon);
  }

  /** With momentum 0.9 and epsilon 1e-5, which is PyTorch's default. */
  public BatchNorm() {
    this(0.9, 1e-5);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 2 && x.dtype().isFloating(),
        "batch_norm: input must be floating with at least two axes [B, ..., C]: %s; reshape or cast"
            + " it",
        x.type());
    Shape c = Shape.of(x.shape().dim(-1));
    Tensor scale = s.param("scale", c, Initializers.ones());
    Tensor bias = s.param("bias", c, Initializers.zeros());
    Tensor mean = s.state("mean", c, 0);
    Tensor var = s.state("var", c, 1);
    if (!s.training()) {
      return x.sub(mean).mul(var.add(epsilon).rsqrt().mul(scale)).add(bias);
    }
    int[] axes = IntStream.range(0, x.shape().rank() - 1).toArray();
    Tensor real = real(s.mask(), x);
    Tensor zero = Tensor.scalar(x.dtype(), 0);
    Tensor rows = null;
    Tensor batchMean;
    Tensor batchVar;
    if (real == null) {
      batchMean = x.mean(axes);
      batchVar = x.sub(batchMean).square().mean(axes);
    } else {
      // select, not a product with the mask: padded rows may hold infinities
      double inner = (double) x.shape().size() / Math.max(1, (long) x.shape().dim(0) * c.size());
      rows = s.mask().cast(x.dtype()).sum();
      Tensor n = rows.mul(inner).maximum(1);
      batchMean = real.select(x, zero).sum(axes).div(n);
      batchVar = real.select(x.sub(batchMean).square(), zero).sum(axes).div(n);
    }
    // 0 if there is no real row
    Tensor gain = rows == null ? null : rows.minimum(1).mul(1 - momentum);
    s.update("mean", moved(mean, batchMean, gain));
    s.update("var", moved(var, batchVar, gain));
    return x.sub(batchMean).mul(batchVar.add(epsilon).rsqrt().mul(scale)).add(bias);
  }

  private Tensor moved(Tensor running, Tensor batch, Tensor gain) {
    Tensor b = batch.stopGradient();
    return gain == null
        ? running.mul(momentum).add(b.mul(1 - momentum))
        : running.add(b.sub(running).mul(gain));
  }

  /** Bool [B, 1, ...], true for real rows; null if all are. */
  private static Tensor real(Tensor mask, Tensor x) {
    if (mask == null) {
      return null;
    }
    int[] d = new int[x.shape().rank()];
    Arrays.fill(d, 1);
    d[0] = x.shape().dim(0);
    return mask.greater(0).reshape(d);
  }

  @Override
  public String toString() {
    return "BatchNorm(" + momentum + ", " + epsilon + ")";
  }
}
