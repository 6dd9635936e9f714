package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;

/**
 * Losses row by row, without reduction: the caller weighs and sums them. Values and gradients are
 * finite and exact to rounding for logits up to 1e4 in size. Here are the losses of classes and the
 * squared error; {@link RegressionLosses} has others for numbers, {@link EmbeddingLosses} those for
 * vectors and ranks, {@link OverlapLosses} those for masks.
 */
public final class Losses {
  private Losses() {}

  /**
   * -y log(p) - (1 - y) log(1 - p) with p = logistic(z). Gradient p - y.
   *
   * <p>Shapes: logits z and labels y [...], result [...]; labels in [0, 1].
   *
   * @source {@code optax.sigmoid_binary_cross_entropy}
   */
  public static Tensor binaryCrossEntropyWithLogits(Tensor logits, Tensor labels) {
    same("binary_cross_entropy", logits, labels);
    // softplus(z) - z y, so ordered that nothing cancels where a row is sure of its label
    return Activations.above(logits).sub(logits.mul(labels)).add(Activations.rest(logits));
  }

  /**
   * As {@link #binaryCrossEntropyWithLogits(Tensor, Tensor)}, the part of label 1 times a weight:
   * -w y log(p) - (1 - y) log(1 - p).
   *
   * @param positiveWeight of the logits' dtype, broadcasts to them: one number, or one a label
   * @source PyTorch {@code binary_cross_entropy_with_logits(pos_weight)}
   */
  public static Tensor binaryCrossEntropyWithLogits(
      Tensor logits, Tensor labels, Tensor positiveWeight) {
    same("binary_cross_entropy", logits, labels);
    Check.shape(
        positiveWeight.dtype() == logits.dtype()
            && Shape.broadcast("binary_cross_entropy", positiveWeight.shape(), logits.shape())
                .equals(logits.shape()),
        "binary_cross_entropy: a weight has the logits' dtype and broadcasts to them: %s for %s;"
            + " reshape or cast it",
        positiveWeight.type(),
        logits.type());
    Tensor ones = labels.mul(positiveWeight.sub(1)).add(1); // w for label 1, 1 for label 0
    Tensor against = logits.neg();
    Tensor sure = logits.mul(labels.neg().add(1)).add(Activations.above(against).mul(ones));
    return sure.add(Activations.rest(against).mul(ones));
  }

  /**
   * Targets less sure than they were: (1 - smoothing) target + smoothing / K. For {@link
   * #softCrossEntropyWithLogits}, {@link #polyWithLogits} and {@link #klDivergence}; for one label
   * between 0 and 1 give [..., 2], or (1 - smoothing) y + smoothing / 2.
   *
   * <p>Shapes: targets [..., K], result the same.
   *
   * @param smoothing in [0, 1)
   * @source {@code optax.smooth_labels}
   */
  public static Tensor smoothLabels(Tensor targets, double smoothing) {
    smoothing("smooth_labels", smoothing);
    Check.shape(
        targets.shape().rank() >= 1 && targets.dtype().isFloating(),
        "smooth_labels: targets are floating [..., K]: %s; use oneHot, or cast them",
        targets.type());
    return targets.mul(1 - smoothing).add(smoothing / Math.max(1, targets.shape().dim(-1)));
  }

  private static void smoothing(String who, double s) {
    Check.that(s >= 0 && s < 1, "%s: label smoothing lies in [0, 1): %s; correct it", who, s);
  }

  /**
   * -log(p[label]) with p = softmax(logits). Gradient p - onehot(label).
   *
   * <p>Shapes: logits [..., K], labels [...] i32 in [0, K), result [...].
   *
   * @throws IndexOutOfBoundsException when computed, if a label lies outside
   * @source {@code optax.softmax_cross_entropy_with_integer_labels}
   */
  public static Tensor crossEntropyWithLogits(Tensor logits, Tensor labels) {
    return crossEntropyWithLogits(logits, labels, 0);
  }

  /**
   * As {@link #crossEntropyWithLogits(Tensor, Tensor)} with label smoothing: the label's share is 1
   * - smoothing + smoothing / K, that of every other class smoothing / K.
   *
   * @param smoothing in [0, 1)
   * @source Szegedy et al., CVPR 2016; PyTorch {@code cross_entropy(label_smoothing)}
   */
  public static Tensor crossEntropyWithLogits(Tensor logits, Tensor labels, double smoothing) {
    smoothing("cross_entropy", smoothing);
    Tensor known = classes("cross_entropy", logits, labels);
    // The maximum cancels in the loss; leaving it out of both terms keeps their difference exact.
    Tensor shifted = logits.sub(logits.maxKeep(-1).stopGradient());
    Tensor label = own(shifted, known);
    Tensor share =
        smoothing == 0 ? label : label.mul(1 - smoothing).add(shifted.mean(-1).mul(smoothing));
    return shifted.exp().sum(-1).log().sub(share);
  }

  /**
   * As {@link #crossEntropyWithLogits(Tensor, Tensor, double)}, with weights of the classes: w[k]
   * times the share of class k in the loss. The mean that PyTorch takes is the sum of the rows over
   * the sum of w[label] over those that are not ignored.
   *
   * @param weights [K] of the logits' dtype; null for none
   * @param ignored rows with this label have a loss and a gradient of 0, whatever their logits are;
   *     it need not be a class, for instance PyTorch's -100
   * @source PyTorch {@code cross_entropy(weight, ignore_index, label_smoothing)}
   */
  public static Tensor crossEntropyWithLogits(
      Tensor logits, Tensor labels, double smoothing, Tensor weights, int ignored) {
    Tensor counts = labels.lift(logits).notEqual(Tensor.scalar(DType.I32, ignored));
    Tensor classes = counts.select(labels.lift(logits), Tensor.scalar(DType.I32, 0));
    Tensor zero = Tensor.scalar(logits.dtype(), 0);
    Tensor z = counts.expandDims(labels.shape().rank()).select(logits, zero);
    return counts.select(weighted(z, classes, smoothing, weights), zero);
  }

  private static Tensor weighted(Tensor logits, Tensor labels, double smoothing, Tensor weights) {
    if (weights == null) {
      return crossEntropyWithLogits(logits, labels, smoothing);
    }
    smoothing("cross_entropy", smoothing);
    Tensor known = classes("cross_entropy", logits, labels);
    int k = logits.shape().dim(-1);
    weights("cross_entropy", weights, logits, k);
    Tensor each = weights.lift(logits);
    Tensor shifted = logits.sub(logits.maxKeep(-1).stopGradient());
    Tensor losses = shifted.exp().sumKeep(-1).log().sub(shifted).mul(each); // of each class
    Tensor label = own(losses, known);
    return smoothing == 0 ? label : label.mul(1 - smoothing).add(losses.sum(-1).mul(smoothing / k));
  }

  private static void weights(String who, Tensor weights, Tensor logits, int classes) {
    Check.shape(
        weights.type().equals(new TensorType(logits.dtype(), Shape.of(classes))),
        "%s: there is one weight of the logits' dtype a class: %s for %s; reshape or cast them",
        who,
        weights.type(),
        logits.type());
  }

  /** Of each row the element of its label. */
  private static Tensor own(Tensor rows, Tensor labels) {
    return label(labels, rows).select(rows, Tensor.scalar(rows.dtype(), 0)).sum(-1);
  }

  /** True at the label of each row. */
  private static Tensor label(Tensor labels, Tensor rows) {
    return labels
        .expandDims(labels.shape().rank())
        .equal(labels.iotaLike(DType.I32, rows.shape(), -1));
  }

  /**
   * -sum(target log(p)) with p = softmax(logits): cross entropy with a whole distribution a row.
   *
   * <p>Shapes: both [..., K], result [...]; each row of targets adds up to 1, which is not checked.
   *
   * @source {@code optax.softmax_cross_entropy}
   */
  public static Tensor softCrossEntropyWithLogits(Tensor logits, Tensor targets) {
    sameRows("soft_cross_entropy", logits, targets);
    Tensor shifted = logits.sub(logits.maxKeep(-1).stopGradient());
    return shifted.exp().sumKeep(-1).log().sub(shifted).mul(targets).sum(-1);
  }

  /**
   * {@link #softCrossEntropyWithLogits} plus epsilon (1 - sum(target p)): the first term of cross
   * entropy's series weighed anew.
   *
   * <p>Shapes: both [B, K], result [B].
   *
   * @param epsilon -1 or more; Optax's default is 2
   * @source Leng et al., ICLR 2022; {@code optax.losses.poly_loss_cross_entropy}
   */
  public static Tensor polyWithLogits(Tensor logits, Tensor targets, double epsilon) {
    sameRows("poly", logits, targets);
    Check.that(
        epsilon >= -1 && Double.isFinite(epsilon),
        "poly: epsilon is finite and -1 or more: %s; correct it",
        epsilon);
    Tensor wrong = targets.mul(logits.softmax(-1).neg().add(1)).sum(-1);
    return softCrossEntropyWithLogits(logits, targets).add(wrong.mul(epsilon));
  }

  /**
   * sum(target (log(target) - logProbability)), 0 where a target is 0: how far the predicted
   * distribution is from the target. Not negative.
   *
   * <p>Shapes: both [..., K], result [...].
   *
   * @param logProbabilities for instance {@code logits.logSoftmax(-1)}
   * @source Kullback and Leibler, 1951; {@code optax.kl_divergence}
   */
  public static Tensor klDivergence(Tensor logProbabilities, Tensor targets) {
    sameRows("kl_divergence", logProbabilities, targets);
    // The branch not taken must stay finite for its derivative.
    Tensor one = Tensor.scalar(targets.dtype(), 1);
    Tensor log = targets.greater(0).select(targets, one).log();
    Tensor zero = Tensor.scalar(targets.dtype(), 0);
    Tensor predicted = targets.notEqual(zero).select(logProbabilities, zero); // it may be infinite
    return targets.mul(log.sub(predicted)).sum(-1);
  }

  /**
   * Focal loss: cross entropy weighed by (1 - p)^gamma where p is the probability of the label, so
   * that easy rows count less.
   *
   * <p>Shapes: logits and labels [...], result [...]; labels 0 or 1, nothing between.
   *
   * @param gamma 0 or more; 2 in the paper and in Optax
   * @source Lin et al., ICCV 2017; {@code optax.sigmoid_focal_loss}
   */
  public static Tensor focalWithLogits(Tensor logits, Tensor labels, double gamma) {
    same("focal", logits, labels);
    Check.that(
        gamma >= 0 && Double.isFinite(gamma), "focal: gamma is 0 or more: %s; correct it", gamma);
    Tensor towards = labels.mul(2).sub(1).mul(logits);
    // log(1 - p) = -softplus(towards), so the power is an exponential, smooth also where 1 - p is 0
    Tensor weight = Activations.softplus(towards).mul(-gamma).exp();
    return Activations.softplus(towards.neg()).mul(weight);
  }

  /**
   * As {@link #focalWithLogits(Tensor, Tensor, double)}, times {@code alpha} for label 1 and 1 -
   * {@code alpha} for label 0.
   *
   * @param alpha in [0, 1]; 0.25 in the paper
   */
  public static Tensor focalWithLogits(Tensor logits, Tensor labels, double gamma, double alpha) {
    Check.that(alpha >= 0 && alpha <= 1, "focal: alpha lies in [0, 1]: %s; correct it", alpha);
    return focalWithLogits(logits, labels, gamma).mul(labels.mul(2 * alpha - 1).add(1 - alpha));
  }

  /**
   * -(1 - p)^gamma log(p) of the label's p in softmax(logits): cross entropy in which rows that are
   * right already count little, for any number of classes.
   *
   * <p>Shapes: logits [..., K], labels [...] i32 in [0, K), result [...].
   *
   * @param gamma 0 or more; 2 in the paper, 0 is {@link #crossEntropyWithLogits(Tensor, Tensor)}
   * @throws IndexOutOfBoundsException when computed, if a label lies outside
   * @source Lin et al., ICCV 2017, for classes; Keras {@code CategoricalFocalCrossentropy} with
   *     alpha 1
   */
  public static Tensor softmaxFocalWithLogits(Tensor logits, Tensor labels, double gamma) {
    Check.that(
        gamma >= 0 && Double.isFinite(gamma),
        "softmax_focal: gamma is 0 or more: %s; correct it",
        gamma);
    Tensor known = classes("softmax_focal", logits, labels);
    Tensor shifted = logits.sub(logits.maxKeep(-1).stopGradient());
    Tensor all = shifted.exp().sum(-1).log();
    // log(1 - p) is that of the other classes' sum, exact also where p is 1
    Tensor none = Tensor.scalar(logits.dtype(), logits.dtype() == DType.F16 ? -3e4 : -1e30);
    Tensor others = label(known, shifted).select(none, shifted);
    Tensor most = others.maxKeep(-1).stopGradient();
    Tensor rest = others.sub(most).exp().sum(-1).log().add(most.squeeze(-1));
    return rest.sub(all).mul(gamma).exp().mul(all.sub(own(shifted, known)));
  }

  /**
   * -log(p[label]) from the logarithms of probabilities, for instance those that {@code logSoftmax}
   * gave or a mixture.
   *
   * <p>Shapes: log probabilities [..., K], labels [...] i32 in [0, K), result [...].
   *
   * @throws IndexOutOfBoundsException when computed, if a label lies outside
   * @source PyTorch {@code nll_loss}
   */
  public static Tensor negativeLogLikelihood(Tensor logProbabilities, Tensor labels) {
    Tensor known = classes("nll", logProbabilities, labels);
    return own(logProbabilities, known).neg();
  }

  /**
   * As {@link #negativeLogLikelihood(Tensor, Tensor)}, times the weight of the label's class.
   *
   * @param weights [K] of the log probabilities' dtype; null for none
   * @param ignored rows with this label have a loss and a gradient of 0; it need not be a class
   * @source PyTorch {@code nll_loss(weight, ignore_index)}
   */
  public static Tensor negativeLogLikelihood(
      Tensor logProbabilities, Tensor labels, Tensor weights, int ignored) {
    Tensor all = labels.lift(logProbabilities);
    Tensor counts = all.notEqual(Tensor.scalar(DType.I32, ignored));
    Tensor known = counts.select(all, Tensor.scalar(DType.I32, 0));
    Tensor zero = Tensor.scalar(logProbabilities.dtype(), 0);
    Tensor p = counts.expandDims(labels.shape().rank()).select(logProbabilities, zero);
    if (weights != null) {
      int k = logProbabilities.shape().dim(-1);
      weights("nll", weights, logProbabilities, k);
      p = p.mul(weights.lift(p));
    }
    return counts.select(negativeLogLikelihood(p, known), zero);
  }

  /**
   * max(0, 1 - y z), the loss of support vector machines.
   *
   * <p>Shapes: scores z and labels y [...], result [...]; labels -1 or 1.
   *
   * @source Cortes and Vapnik, 1995; {@code optax.hinge_loss}
   */
  public static Tensor hinge(Tensor scores, Tensor labels) {
    same("hinge", scores, labels);
    return scores.mul(labels).neg().add(1).relu();
  }

  /**
   * max(0, 1 - y z)^2.
   *
   * <p>Shapes: scores z and labels y [...], result [...]; labels -1 or 1.
   *
   * @source Keras {@code SquaredHinge}
   */
  public static Tensor squaredHinge(Tensor scores, Tensor labels) {
    same("squared_hinge", scores, labels);
    return scores.mul(labels).neg().add(1).relu().square();
  }

  /**
   * Largest of z[k] + 1 over the classes but the label, and z[label], less z[label].
   *
   * <p>Shapes: scores [..., K], labels [...] i32 in [0, K), result [...].
   *
   * @throws IndexOutOfBoundsException when computed, if a label lies outside
   * @source Crammer and Singer, JMLR 2001; {@code optax.losses.multiclass_hinge_loss}
   */
  public static Tensor multiclassHinge(Tensor scores, Tensor labels) {
    Tensor known = classes("multiclass_hinge", scores, labels);
    Tensor own = known.oneHot(scores.shape().dim(-1), scores.dtype());
    return scores.add(1).sub(own).max(-1).sub(scores.mul(own).sum(-1));
  }

  /**
   * (prediction - target)^2. Gradient 2 (prediction - target).
   *
   * <p>Shapes: both [...], result [...].
   *
   * @source {@code optax.squared_error}
   */
  public static Tensor squaredError(Tensor predictions, Tensor targets) {
    same("squared_error", predictions, targets);
    return predictions.sub(targets).square();
  }

  /** The labels, traced if the scores are; checked now by type, and by value when computed. */
  private static Tensor classes(String who, Tensor scores, Tensor labels) {
    Check.shape(
        scores.shape().rank() >= 1
            && scores.dtype().isFloating()
            && labels.dtype() == DType.I32
            && labels.shape().equals(scores.shape().without(scores.shape().rank() - 1)),
        "%s: takes floating logits [..., K] and i32 labels [...]: %s with %s; reshape or"
            + " cast one of them",
        who,
        scores.type(),
        labels.type());
    return Inside.of(who, "label", labels.lift(scores), scores.shape().dim(-1));
  }

  static void same(String who, Tensor a, Tensor b) {
    Check.shape(
        a.type().equals(b.type()) && a.dtype().isFloating(),
        "%s: takes two floating tensors of one type: %s with %s; reshape or cast one of them",
        who,
        a.type(),
        b.type());
  }

  static void sameRows(String who, Tensor a, Tensor b) {
    Check.shape(
        a.type().equals(b.type()) && a.shape().rank() >= 1 && a.dtype().isFloating(),
        "%s: takes two floating [..., K] of one type: %s with %s; reshape or cast one of them",
        who,
        a.type(),
        b.type());
  }
}
