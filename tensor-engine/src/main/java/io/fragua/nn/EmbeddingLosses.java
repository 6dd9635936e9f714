package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/** Losses of vectors and of scores that are compared, row by row, without reduction. */
public final class EmbeddingLosses {
  private EmbeddingLosses() {}

  /**
   * a b / (|a| |b|), in [-1, 1]. Norms count as 1e-8 at least, so vectors of zeros give 0 with a
   * finite gradient.
   *
   * <p>Shapes: both [..., D], result [...].
   *
   * @source PyTorch {@code cosine_similarity}
   */
  public static Tensor cosineSimilarity(Tensor a, Tensor b) {
    Losses.sameRows("cosine_similarity", a, b);
    return a.mul(b).sum(-1).mul(inverseNorm(a)).mul(inverseNorm(b));
  }

  private static Tensor inverseNorm(Tensor a) {
    return a.square().sum(-1).maximum(1e-16).rsqrt();
  }

  /**
   * 1 - {@link #cosineSimilarity}, in [0, 2].
   *
   * <p>Shapes: both [..., D], result [...].
   *
   * @source {@code optax.cosine_distance}
   */
  public static Tensor cosineDistance(Tensor a, Tensor b) {
    return cosineSimilarity(a, b).neg().add(1);
  }

  /**
   * 1 - cos for label 1, max(0, cos - margin) for label -1.
   *
   * <p>Shapes: a and b [..., D], labels [...] of their type, result [...].
   *
   * @param margin in [-1, 1]; PyTorch's default is 0
   * @source PyTorch {@code cosine_embedding_loss}
   */
  public static Tensor cosineEmbedding(Tensor a, Tensor b, Tensor labels, double margin) {
    Check.that(
        margin >= -1 && margin <= 1,
        "cosine_embedding: margin lies in [-1, 1]: %s; correct it",
        margin);
    Tensor cos = cosineSimilarity(a, b);
    Losses.same("cosine_embedding", cos, labels);
    return labels.greater(0).select(cos.neg().add(1), cos.sub(margin).relu());
  }

  /**
   * max(0, |a - p| - |a - n| + margin) with norms sqrt(sum of squares + 1e-6).
   *
   * <p>Shapes: anchors a, positives p and negatives n [..., D], result [...].
   *
   * @param margin 0 or more; Optax's default is 1
   * @source Schroff et al., CVPR 2015; {@code optax.losses.triplet_margin_loss}
   */
  public static Tensor tripletMargin(
      Tensor anchors, Tensor positives, Tensor negatives, double margin) {
    margin("triplet_margin", margin);
    return distance(anchors, positives).sub(distance(anchors, negatives)).add(margin).relu();
  }

  private static Tensor distance(Tensor a, Tensor b) {
    Losses.sameRows("triplet_margin", a, b);
    return a.sub(b).square().sum(-1).add(1e-6).sqrt();
  }

  /**
   * max(0, -y (first - second) + margin): the first should be larger for y = 1, the second for y =
   * -1.
   *
   * <p>Shapes: all [...], result [...].
   *
   * @param margin 0 or more; PyTorch's default is 0
   * @source PyTorch {@code margin_ranking_loss}
   */
  public static Tensor marginRanking(Tensor first, Tensor second, Tensor labels, double margin) {
    margin("margin_ranking", margin);
    Losses.same("margin_ranking", first, second);
    Losses.same("margin_ranking", first, labels);
    return second.sub(first).mul(labels).add(margin).relu();
  }

  private static void margin(String who, double margin) {
    Check.that(
        margin >= 0 && Double.isFinite(margin),
        "%s: margin is finite and not negative: %s; correct it",
        who,
        margin);
  }
}
