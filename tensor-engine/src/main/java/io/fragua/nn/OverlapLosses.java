package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * Losses of masks: how little a predicted set of pixels, each with its probability, overlaps the
 * true one. For segmentation, where most pixels are background. Row by row: both operands are [B,
 * pixels], the result [B].
 */
public final class OverlapLosses {
  private OverlapLosses() {}

  /**
   * 1 - (2 sum(p y) + smooth) / (sum(p) + sum(y) + smooth).
   *
   * @param probabilities in [0, 1], for instance {@code logits.logistic()}
   * @param labels in [0, 1]
   * @param smooth above 0, so that two empty sets have loss 0; Keras has 1e-7, below the bar alone
   * @source Milletari et al., 3DV 2016; Keras {@code losses.dice}
   */
  public static Tensor dice(Tensor probabilities, Tensor labels, double smooth) {
    Losses.sameRows("dice", probabilities, labels);
    positive("dice", smooth);
    Tensor p = wide(probabilities);
    Tensor y = wide(labels);
    Tensor both = p.mul(y).sum(-1).mul(2).add(smooth);
    Tensor loss = both.div(p.sum(-1).add(y.sum(-1)).add(smooth)).neg().add(1);
    return loss.cast(probabilities.dtype());
  }

  /**
   * 1 - (i + smooth) / (i + alpha f + beta m + smooth) with i = sum(p y), f = sum(p (1 - y)) what
   * is predicted wrongly, m = sum((1 - p) y) what is missed.
   *
   * @param alpha 0 or more; both 0.5 is {@link #dice}, both 1 one minus the intersection over union
   * @param beta 0 or more; above {@code alpha} to miss less
   * @source Salehi et al., 2017; Keras {@code losses.tversky}
   */
  public static Tensor tversky(
      Tensor probabilities, Tensor labels, double alpha, double beta, double smooth) {
    Losses.sameRows("tversky", probabilities, labels);
    positive("tversky", smooth);
    Check.that(
        alpha >= 0 && beta >= 0 && Double.isFinite(alpha + beta),
        "tversky: weights are finite and not negative: %s, %s; correct them",
        alpha,
        beta);
    Tensor p = wide(probabilities);
    Tensor y = wide(labels);
    Tensor both = p.mul(y).sum(-1);
    Tensor wrong = p.sum(-1).sub(both).mul(alpha);
    Tensor missed = y.sum(-1).sub(both).mul(beta);
    Tensor near = both.add(smooth);
    Tensor loss = near.div(near.add(wrong).add(missed)).neg().add(1);
    return loss.cast(probabilities.dtype());
  }

  /**
   * One minus the intersection over union (Jaccard's index): {@link #tversky} with weights 1.
   *
   * @source Rahman and Wang, ISVC 2016
   */
  public static Tensor iou(Tensor probabilities, Tensor labels, double smooth) {
    return tversky(probabilities, labels, 1, 1, smooth);
  }

  /** In a type that holds the number of pixels. */
  private static Tensor wide(Tensor x) {
    return x.cast(x.dtype().wide());
  }

  private static void positive(String who, double smooth) {
    Check.that(
        smooth > 0 && Double.isFinite(smooth),
        "%s: smoothing is finite and above 0: %s; correct it",
        who,
        smooth);
  }
}
