package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;

/**
 * Losses row by row, without reduction: the caller weighs and sums them. Values and gradients are
 * finite and exact to rounding for logits up to 1e4 in size.
 */
public final class Losses {
  private Losses() {}

  /**
   * -y log(p) - (1 - y) log(1 - p) with p = logistic(z). Gradient p - y.
   *
   * <p>Shapes: logits z and labels y [B], result [B]; labels in [0, 1].
   *
   * @source {@code optax.sigmoid_binary_cross_entropy}
   */
  public static Tensor binaryCrossEntropyWithLogits(Tensor logits, Tensor labels) {
    same("binary_cross_entropy", logits, labels);
    return Activations.softplus(logits).sub(logits.mul(labels));
  }

  /**
   * -log(p[label]) with p = softmax(logits). Gradient p - onehot(label).
   *
   * <p>Shapes: logits [B, K], labels [B] i32, result [B]. A label outside [0, K) is not noticed and
   * gives log(sum(exp(logits - max))): check labels before.
   *
   * @source {@code optax.softmax_cross_entropy_with_integer_labels}
   */
  public static Tensor crossEntropyWithLogits(Tensor logits, Tensor labels) {
    Check.shape(
        logits.shape().rank() == 2
            && logits.dtype().isFloating()
            && labels.dtype() == DType.I32
            && labels.shape().rank() == 1
            && labels.shape().dim(0) == logits.shape().dim(0),
        "cross_entropy: takes floating logits [B, K] and i32 labels [B]: %s with %s; reshape or"
            + " cast one of them",
        logits.type(),
        labels.type());
    // The maximum cancels in the loss; leaving it out of both terms keeps their difference exact.
    Tensor shifted = logits.sub(logits.maxKeep(1).stopGradient());
    Tensor taken =
        labels.expandDims(1).equal(labels.lift(logits).iotaLike(DType.I32, logits.shape(), 1));
    Tensor zero = Tensor.scalar(logits.dtype(), 0);
    return shifted.exp().sum(1).log().sub(taken.select(shifted, zero).sum(1));
  }

  /**
   * (prediction - target)^2. Gradient 2 (prediction - target).
   *
   * <p>Shapes: both [B], result [B].
   *
   * @source {@code optax.squared_error}
   */
  public static Tensor squaredError(Tensor predictions, Tensor targets) {
    same("squared_error", predictions, targets);
    return predictions.sub(targets).square();
  }

  private static void same(String who, Tensor a, Tensor b) {
    Check.shape(
        a.type().equals(b.type()) && a.shape().rank() == 1 && a.dtype().isFloating(),
        "%s: takes two floating [B] of one type: %s with %s; reshape [B, 1] to [B], or cast",
        who,
        a.type(),
        b.type());
  }
}
