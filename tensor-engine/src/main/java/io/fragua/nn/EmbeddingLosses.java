package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
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
    DType wide = a.dtype().wide(); // f16 has neither large squares nor a small least norm
    Tensor x = a.cast(wide);
    Tensor y = b.cast(wide);
    return x.mul(y).sum(-1).mul(inverseNorm(x)).mul(inverseNorm(y)).cast(a.dtype());
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
    return distance("triplet_margin", anchors, positives)
        .sub(distance("triplet_margin", anchors, negatives))
        .add(margin)
        .relu();
  }

  private static Tensor distance(String who, Tensor a, Tensor b) {
    Losses.sameRows(who, a, b);
    DType wide = a.dtype().wide();
    return a.cast(wide).sub(b.cast(wide)).square().sum(-1).add(1e-6).sqrt().cast(a.dtype());
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

  /**
   * d^2 for pairs that belong together (label 1), max(0, margin - d)^2 for others (label 0), with d
   * the distance as in {@link #tripletMargin}.
   *
   * <p>Shapes: a and b [B, D], labels [B] of their type, result [B].
   *
   * @param margin 0 or more; 1 is usual
   * @source Hadsell, Chopra and LeCun, CVPR 2006, without the factor 1 / 2
   */
  public static Tensor contrastive(Tensor a, Tensor b, Tensor labels, double margin) {
    margin("contrastive", margin);
    Tensor d = distance("contrastive", a, b);
    Losses.same("contrastive", d, labels);
    Tensor apart = d.neg().add(margin).relu().square();
    return d.square().mul(labels).add(apart.mul(labels.neg().add(1)));
  }

  /**
   * Cross entropy of each query with the keys of the whole batch as classes, its own key the right
   * one: logits are query key / temperature. Rows depend on each other. Vectors are usually divided
   * by their norm before.
   *
   * <p>Shapes: both [B, D], result [B].
   *
   * @param temperature above 0; 0.07 is usual
   * @source van den Oord et al., 2018; Radford et al., ICML 2021 (one direction of CLIP's loss)
   */
  public static Tensor infoNce(Tensor queries, Tensor keys, double temperature) {
    Check.shape(
        queries.type().equals(keys.type())
            && queries.shape().rank() == 2
            && queries.dtype().isFloating(),
        "info_nce: takes two floating [B, D] of one type: %s with %s; reshape or cast one of them",
        queries.type(),
        keys.type());
    Check.that(
        temperature > 0 && Double.isFinite(temperature),
        "info_nce: the temperature is finite and above 0: %s; correct it",
        temperature);
    Tensor logits = queries.matmul(keys.transpose()).div(temperature);
    int n = queries.shape().dim(0);
    Tensor own = logits.iotaLike(DType.I32, io.fragua.tensor.Shape.of(n), 0);
    return Losses.crossEntropyWithLogits(logits, own);
  }

  /**
   * -sum(relevance log(softmax(score))) over the items of a list: ranks relevant ones first.
   *
   * <p>Shapes: scores and relevances [B, items], result [B].
   *
   * @param relevances 0 or more; items that only fill the list up have relevance 0 and a very low
   *     score
   * @source Cao et al., ICML 2007 (ListNet); {@code optax.losses.ranking_softmax_loss}
   */
  public static Tensor listwiseSoftmax(Tensor scores, Tensor relevances) {
    Losses.sameRows("listwise_softmax", scores, relevances);
    return Losses.softCrossEntropyWithLogits(scores, relevances); // which need not add up to 1
  }

  private static void margin(String who, double margin) {
    Check.that(
        margin >= 0 && Double.isFinite(margin),
        "%s: margin is finite and not negative: %s; correct it",
        who,
        margin);
  }
}
