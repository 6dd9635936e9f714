package io.fragua.nn;

import io.fragua.tensor.Tensor;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import java.util.List;

/** One row for each loss; {@link LossTest} checks every property of each. */
final class LossCases {
  /**
   * A row.
   *
   * @param name also in {@code golden/losses.json}
   * @param loss of the operands there
   * @param operands floating ones among which its slope is compared with differences, in order
   */
  record Case(String name, Fn loss, List<Values> operands) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final Values ANY = Values.range(-3, 3);
  private static final Values SHARE = Values.range(0.1, 1);
  private static final Values SIGN = Values.range(-1, 1);

  static final List<Case> ALL =
      List.of(
          row("label smoothing", a -> Losses.crossEntropyWithLogits(a[0], a[1], 0.1), ANY),
          row(
              "cross entropy of weights",
              a -> Losses.crossEntropyWithLogits(a[0], a[1], 0, weights(a[0]), -1),
              ANY),
          row(
              "cross entropy of some",
              a -> Losses.crossEntropyWithLogits(a[0], a[1], 0.1, weights(a[0]), -100),
              ANY),
          row(
              "binary cross entropy of weights",
              a ->
                  Losses.binaryCrossEntropyWithLogits(a[0], a[1], Tensor.scalar(a[0].dtype(), 2.5)),
              ANY,
              SHARE),
          row(
              "smooth labels",
              a -> Losses.softCrossEntropyWithLogits(a[0], Losses.smoothLabels(a[1], 0.2)),
              ANY,
              SHARE),
          row("soft cross entropy", a -> Losses.softCrossEntropyWithLogits(a[0], a[1]), ANY, SHARE),
          row("kl divergence", a -> Losses.klDivergence(a[0], a[1]), ANY, SHARE),
          row("focal", a -> Losses.focalWithLogits(a[0], a[1], 2), ANY, SHARE),
          row("focal alpha", a -> Losses.focalWithLogits(a[0], a[1], 0.5, 0.25), ANY, SHARE),
          row("softmax focal", a -> Losses.softmaxFocalWithLogits(a[0], a[1], 2), ANY),
          row("softmax focal of a root", a -> Losses.softmaxFocalWithLogits(a[0], a[1], 0.5), ANY),
          row("nll", a -> Losses.negativeLogLikelihood(a[0], a[1]), ANY),
          row(
              "nll of some",
              a -> Losses.negativeLogLikelihood(a[0], a[1], weights(a[0]), -100),
              ANY),
          row("poly", a -> Losses.polyWithLogits(a[0], a[1], 1.5), ANY, SHARE),
          row("dice", a -> OverlapLosses.dice(a[0], a[1], 1e-7), SHARE, SHARE),
          row("tversky", a -> OverlapLosses.tversky(a[0], a[1], 0.3, 0.7, 1e-6), SHARE, SHARE),
          row("iou", a -> OverlapLosses.iou(a[0], a[1], 1e-6), SHARE, SHARE),
          row(
              "contrastive",
              a -> EmbeddingLosses.contrastive(a[0], a[1], a[2], 3.5),
              ANY,
              ANY,
              SHARE),
          row("listwise softmax", a -> EmbeddingLosses.listwiseSoftmax(a[0], a[1]), ANY, SHARE),
          row("hinge", a -> Losses.hinge(a[0], a[1]), ANY, SIGN),
          row("squared hinge", a -> Losses.squaredHinge(a[0], a[1]), ANY, SIGN),
          row("multiclass hinge", a -> Losses.multiclassHinge(a[0], a[1]), ANY),
          row("absolute error", a -> RegressionLosses.absoluteError(a[0], a[1]), ANY, ANY),
          row("huber", a -> RegressionLosses.huber(a[0], a[1], 1.5), ANY, ANY),
          row("smooth l1", a -> RegressionLosses.smoothL1(a[0], a[1], 0.4), ANY, ANY),
          row("log cosh", a -> RegressionLosses.logCosh(a[0], a[1]), ANY, ANY),
          row("quantile", a -> RegressionLosses.quantile(a[0], a[1], 0.9), ANY, ANY),
          row("poisson nll", a -> RegressionLosses.poissonNll(a[0], a[1]), ANY, ANY),
          row("gaussian nll", a -> RegressionLosses.gaussianNll(a[0], a[1], a[2]), ANY, ANY, SHARE),
          row("cosine similarity", a -> EmbeddingLosses.cosineSimilarity(a[0], a[1]), ANY, ANY),
          row("cosine distance", a -> EmbeddingLosses.cosineDistance(a[0], a[1]), ANY, ANY),
          row(
              "cosine embedding",
              a -> EmbeddingLosses.cosineEmbedding(a[0], a[1], a[2], -0.3),
              ANY,
              ANY,
              SIGN),
          row(
              "triplet margin",
              a -> EmbeddingLosses.tripletMargin(a[0], a[1], a[2], 1),
              ANY,
              ANY,
              ANY),
          row(
              "margin ranking",
              a -> EmbeddingLosses.marginRanking(a[0], a[1], a[2], 0.375),
              ANY,
              ANY,
              SIGN));

  private LossCases() {}

  /** A loss of as many operands as it takes. */
  @FunctionalInterface
  private interface Loss {
    Tensor of(Tensor[] operands);
  }

  private static Tensor weights(Tensor like) {
    return Tensor.of(new double[] {0.5, 2, 1.25}, 3).cast(like.dtype());
  }

  private static Case row(String name, Loss loss, Values... operands) {
    return new Case(name, a -> List.of(loss.of(a.toArray(Tensor[]::new))), List.of(operands));
  }
}
