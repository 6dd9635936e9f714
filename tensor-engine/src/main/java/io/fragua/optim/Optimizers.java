package io.fragua.optim;

import static io.fragua.optim.Transforms.addDecayedWeights;
import static io.fragua.optim.Transforms.chain;
import static io.fragua.optim.Transforms.scaleByAdam;
import static io.fragua.optim.Transforms.scaleByLearningRate;
import static io.fragua.optim.Transforms.scaleByLion;
import static io.fragua.optim.Transforms.scaleByRms;
import static io.fragua.optim.Transforms.scaleByRss;
import static io.fragua.optim.Transforms.scaleByTrustRatio;
import static io.fragua.optim.Transforms.trace;

import io.fragua.nn.ParamTree;
import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Optimizers by their usual names: chains of {@link Transforms}, with Optax's defaults. */
public final class Optimizers {
  private Optimizers() {}

  /**
   * Gradient descent: v = g + momentum v; p = p - rate v.
   *
   * @param momentum in [0, 1); 0 for none
   * @source {@code optax.sgd}
   */
  public static GradientTransform sgd(Schedule rate, double momentum) {
    return sgd(rate, momentum, false);
  }

  /**
   * As {@link #sgd(Schedule, double)}, with Nesterov's momentum if {@code nesterov}: p = p - rate
   * (g + momentum v).
   *
   * @source Nesterov, 1983; Sutskever et al., ICML 2013; {@code optax.sgd(nesterov=True)}
   */
  public static GradientTransform sgd(Schedule rate, double momentum, boolean nesterov) {
    return momentum == 0
        ? chain(scaleByLearningRate(rate))
        : chain(trace(momentum, nesterov), scaleByLearningRate(rate));
  }

  /**
   * Adam with b1 0.9, b2 0.999, eps 1e-8; see {@link Transforms#scaleByAdam}.
   *
   * @source Kingma and Ba, ICLR 2015; {@code optax.adam}
   */
  public static GradientTransform adam(Schedule rate) {
    return adam(rate, 0.9, 0.999, 1e-8);
  }

  /** As {@link #adam(Schedule)}, with other settings. */
  public static GradientTransform adam(Schedule rate, double b1, double b2, double eps) {
    return adam(rate, b1, b2, eps, 0);
  }

  /**
   * As {@link #adam(Schedule, double, double, double)}.
   *
   * @param epsRoot under the root, 0 or more; Optax's default is 0
   */
  public static GradientTransform adam(
      Schedule rate, double b1, double b2, double eps, double epsRoot) {
    return chain(scaleByAdam(b1, b2, eps, epsRoot), scaleByLearningRate(rate));
  }

  /**
   * Adam with decoupled weight decay: p = p - rate (adam + decay p). Unlike PyTorch's default
   * (0.01) and Optax's (0.0001), the decay has no default. It applies to every parameter, biases
   * too.
   *
   * @source Loshchilov and Hutter, ICLR 2019; {@code optax.adamw}
   */
  public static GradientTransform adamw(Schedule rate, double decay) {
    return adamw(rate, 0.9, 0.999, 1e-8, decay, null);
  }

  /**
   * As {@link #adamw(Schedule, double)}, with other settings.
   *
   * @param decayed accepts names of parameters that decay, for instance {@code n ->
   *     n.endsWith("kernel")}; null for all. See {@link Wrappers#masked}
   */
  public static GradientTransform adamw(
      Schedule rate, double b1, double b2, double eps, double decay, Predicate<String> decayed) {
    return chain(scaleByAdam(b1, b2, eps), decay(decay, decayed), scaleByLearningRate(rate));
  }

  private static GradientTransform decay(double decay, Predicate<String> names) {
    GradientTransform all = addDecayedWeights(decay);
    return names == null ? all : Wrappers.masked(all, names);
  }

  /**
   * RMSProp with decay 0.9 and eps 1e-8, which stands under the root; see {@link
   * Transforms#scaleByRms}.
   *
   * @source {@code optax.rmsprop}
   */
  public static GradientTransform rmsprop(Schedule rate) {
    return rmsprop(rate, 0.9, 1e-8, 0);
  }

  /**
   * As {@link #rmsprop(Schedule)}, with other settings and momentum.
   *
   * @param momentum of the updates, in [0, 1); 0 for none
   */
  public static GradientTransform rmsprop(
      Schedule rate, double decay, double eps, double momentum) {
    return rmsprop(rate, decay, eps, momentum, false);
  }

  /**
   * As {@link #rmsprop(Schedule, double, double, double)}, and if {@code centred} by the deviation
   * of the gradients instead of their size; see {@link Transforms#scaleByStddev}.
   *
   * @source {@code optax.rmsprop(centered=True)}; PyTorch adds eps to the root
   */
  public static GradientTransform rmsprop(
      Schedule rate, double decay, double eps, double momentum, boolean centred) {
    GradientTransform scaled =
        centred ? Transforms.scaleByStddev(decay, eps) : scaleByRms(decay, eps);
    return momentum == 0
        ? chain(scaled, scaleByLearningRate(rate))
        : chain(scaled, scaleByLearningRate(rate), trace(momentum, false));
  }

  /**
   * Adagrad, whose sum of squares starts at 0.1, with eps 1e-7; see {@link Transforms#scaleByRss}.
   *
   * @source {@code optax.adagrad}
   */
  public static GradientTransform adagrad(Schedule rate) {
    return adagrad(rate, 0.1, 1e-7);
  }

  /**
   * As {@link #adagrad(Schedule)}, with other settings.
   *
   * @param initial sum of squares, 0 or more; PyTorch has 0
   */
  public static GradientTransform adagrad(Schedule rate, double initial, double eps) {
    return chain(scaleByRss(initial, eps), scaleByLearningRate(rate));
  }

  /**
   * Lion with b1 0.9 and b2 0.99: p = p - rate (sign + decay p). Its rate is three to ten times
   * smaller than Adam's; see {@link Transforms#scaleByLion}.
   *
   * @param decay of weights; Optax's default is 0.001
   * @source {@code optax.lion}
   */
  public static GradientTransform lion(Schedule rate, double decay) {
    return lion(rate, 0.9, 0.99, decay, null);
  }

  /**
   * As {@link #lion(Schedule, double)}, with other settings.
   *
   * @param decayed as in {@link #adamw(Schedule, double, double, double, double, Predicate)}
   */
  public static GradientTransform lion(
      Schedule rate, double b1, double b2, double decay, Predicate<String> decayed) {
    return chain(scaleByLion(b1, b2), decay(decay, decayed), scaleByLearningRate(rate));
  }

  /**
   * LAMB: Adam with b1 0.9, b2 0.999 and eps 1e-6, decayed weights, and for each parameter a step
   * as long as the parameter; for large batches. See {@link Transforms#scaleByTrustRatio}.
   *
   * @param decay of weights; Optax's default is 0
   * @source {@code optax.lamb}
   */
  public static GradientTransform lamb(Schedule rate, double decay) {
    return lamb(rate, 0.9, 0.999, 1e-6, decay, null);
  }

  /**
   * As {@link #lamb(Schedule, double)}, with other settings.
   *
   * @param decayed as in {@link #adamw(Schedule, double, double, double, double, Predicate)}
   */
  public static GradientTransform lamb(
      Schedule rate, double b1, double b2, double eps, double decay, Predicate<String> decayed) {
    return chain(
        scaleByAdam(b1, b2, eps),
        decay(decay, decayed),
        scaleByTrustRatio(),
        scaleByLearningRate(rate));
  }

  /**
   * Adafactor: Adam's second moments kept as rows and columns of parameters of at least 128 x 128,
   * steps relative to the size of the parameter. With decay exponent 0.8 and updates bounded to a
   * root mean square of 1; see {@link Adafactor}.
   *
   * @source Shazeer and Stern, ICML 2018; {@code optax.adafactor}
   */
  public static GradientTransform adafactor(Schedule rate) {
    return adafactor(rate, 128);
  }

  /**
   * As {@link #adafactor(Schedule)}.
   *
   * @param minSize parameters with two axes of at least this size are factored
   */
  public static GradientTransform adafactor(Schedule rate, int minSize) {
    return adafactor(rate, minSize, 0.8, 1e-30, 1, true, 0, 0);
  }

  /**
   * As {@link #adafactor(Schedule, int)}, with other settings.
   *
   * @param exponent of the decay of second moments, in [0, 1); 0.8 is usual
   * @param eps added to squares; 1e-30 is usual
   * @param threshold bound of an update's root mean square, above 0; 1 is usual
   * @param relative true for steps relative to the size of the parameter, as is usual
   * @param momentum in [0, 1); 0, as is usual, for none
   * @param decay of weights, which the rate does not scale; 0 is usual
   */
  public static GradientTransform adafactor(
      Schedule rate,
      int minSize,
      double exponent,
      double eps,
      double threshold,
      boolean relative,
      double momentum,
      double decay) {
    List<GradientTransform> all = new ArrayList<>();
    all.add(Adafactor.scaleByFactoredRms(minSize, exponent, eps));
    all.add(Adafactor.clipByBlockRms(threshold));
    all.add(scaleByLearningRate(rate));
    if (relative) {
      all.add(Adafactor.scaleByParamBlockRms(1e-3));
    }
    if (momentum != 0) {
      all.add(Transforms.ema(momentum));
    }
    if (decay != 0) {
      all.add(addDecayedWeights(-decay)); // the sign is turned already
    }
    return chain(all.toArray(GradientTransform[]::new));
  }

  /**
   * Adam with Nesterov's momentum, b1 0.9, b2 0.999, eps 1e-8; see {@link Moments#scaleByNadam}.
   *
   * @source {@code optax.nadam}
   */
  public static GradientTransform nadam(Schedule rate) {
    return nadam(rate, 0.9, 0.999, 1e-8);
  }

  /** As {@link #nadam(Schedule)}, with other settings. */
  public static GradientTransform nadam(Schedule rate, double b1, double b2, double eps) {
    return chain(Moments.scaleByNadam(b1, b2, eps), scaleByLearningRate(rate));
  }

  /**
   * Rectified Adam, which needs no warm-up, with b1 0.9, b2 0.999, eps 1e-8; see {@link
   * Moments#scaleByRadam}.
   *
   * @source {@code optax.radam}
   */
  public static GradientTransform radam(Schedule rate) {
    return radam(rate, 0.9, 0.999, 1e-8);
  }

  /** As {@link #radam(Schedule)}, with other settings. */
  public static GradientTransform radam(Schedule rate, double b1, double b2, double eps) {
    return chain(Moments.scaleByRadam(b1, b2, eps), scaleByLearningRate(rate));
  }

  /**
   * Adam whose steps never grow again, with b1 0.9, b2 0.999, eps 1e-8; see {@link
   * Moments#scaleByAmsgrad}.
   *
   * @source {@code optax.amsgrad}
   */
  public static GradientTransform amsgrad(Schedule rate) {
    return amsgrad(rate, 0.9, 0.999, 1e-8);
  }

  /** As {@link #amsgrad(Schedule)}, with other settings. */
  public static GradientTransform amsgrad(Schedule rate, double b1, double b2, double eps) {
    return chain(Moments.scaleByAmsgrad(b1, b2, eps), scaleByLearningRate(rate));
  }

  /**
   * Adamax with b1 0.9, b2 0.999, eps 1e-8; see {@link Moments#scaleByAdamax}.
   *
   * @source {@code optax.adamax}
   */
  public static GradientTransform adamax(Schedule rate) {
    return adamax(rate, 0.9, 0.999, 1e-8);
  }

  /** As {@link #adamax(Schedule)}, with other settings. */
  public static GradientTransform adamax(Schedule rate, double b1, double b2, double eps) {
    return chain(Moments.scaleByAdamax(b1, b2, eps), scaleByLearningRate(rate));
  }

  /**
   * AdaBelief with b1 0.9, b2 0.999, eps and root 1e-16; see {@link Moments#scaleByBelief}.
   *
   * @source {@code optax.adabelief}
   */
  public static GradientTransform adabelief(Schedule rate) {
    return adabelief(rate, 0.9, 0.999, 1e-16, 1e-16);
  }

  /** As {@link #adabelief(Schedule)}, with other settings. */
  public static GradientTransform adabelief(
      Schedule rate, double b1, double b2, double eps, double root) {
    return chain(Moments.scaleByBelief(b1, b2, eps, root), scaleByLearningRate(rate));
  }

  /**
   * Adadelta with rho 0.9 and eps 1e-6; its rate is 1 in the paper. See {@link
   * Moments#scaleByAdadelta}.
   *
   * @source {@code optax.adadelta}
   */
  public static GradientTransform adadelta(Schedule rate) {
    return adadelta(rate, 0.9, 1e-6);
  }

  /** As {@link #adadelta(Schedule)}, with other settings. */
  public static GradientTransform adadelta(Schedule rate, double rho, double eps) {
    return chain(Moments.scaleByAdadelta(rho, eps), scaleByLearningRate(rate));
  }

  /**
   * LARS: gradients as long as a thousandth of their parameter, as they are where it is 0, then
   * momentum 0.9; for large batches. See {@link Transforms#scaleByTrustRatio}.
   *
   * @param decay of weights; Optax's default is 0
   * @source You, Gitman and Ginsburg, 2017; {@code optax.lars}
   */
  public static GradientTransform lars(Schedule rate, double decay) {
    return lars(rate, decay, 0.001, 0, 0.9, false, null);
  }

  /**
   * As {@link #lars(Schedule, double)}, with other settings.
   *
   * @param coefficient length of a gradient in that of its parameter, above 0
   * @param eps added to the gradient's length, 0 or more
   * @param momentum in [0, 1)
   * @param names of parameters that decay and whose gradients are scaled, the others' stay as they
   *     are, for instance biases'; null for all. Optax has two masks for this
   */
  public static GradientTransform lars(
      Schedule rate,
      double decay,
      double coefficient,
      double eps,
      double momentum,
      boolean nesterov,
      Predicate<String> names) {
    GradientTransform scaled = scaleByTrustRatio(coefficient, eps);
    return chain(
        decay(decay, names),
        names == null ? scaled : Wrappers.masked(scaled, names),
        scaleByLearningRate(rate),
        trace(momentum, nesterov));
  }

  /**
   * Muon for all matrices, Adam with Nesterov's momentum for the rest.
   *
   * @param decay of matrices' weights; Optax's default is 0
   * @source {@code optax.contrib.muon}
   */
  public static GradientTransform muon(Schedule rate, double decay) {
    return muon(rate, decay, name -> true);
  }

  /**
   * As {@link #muon(Schedule, double)}, for matrices whose name is accepted; embeddings and the
   * last layer are better left to Adam.
   *
   * @param names of parameters as {@link ParamTree} has them; always the same answer for one name
   */
  public static GradientTransform muon(Schedule rate, double decay, Predicate<String> names) {
    return muon(rate, decay, 0.95, 5, true, names);
  }

  /**
   * As {@link #muon(Schedule, double, Predicate)}, with other settings.
   *
   * @param beta of the matrices' momentum, in [0, 1); 0.95 is usual
   * @param steps of {@link Muon#orthogonalized}; 5 is usual
   * @param nesterov true, as is usual, for Nesterov's momentum, of matrices and of Adam
   */
  public static GradientTransform muon(
      Schedule rate,
      double decay,
      double beta,
      int steps,
      boolean nesterov,
      Predicate<String> names) {
    GradientTransform matrices =
        chain(
            Muon.scaleByMuon(beta, steps, nesterov),
            addDecayedWeights(decay),
            scaleByLearningRate(rate));
    GradientTransform rest = nesterov ? nadam(rate) : adam(rate);
    return Wrappers.divided(
        "muon(" + matrices + ", " + rest + ")",
        (name, p) -> p.shape().rank() == 2 && names.test(name),
        matrices,
        rest);
  }

  /**
   * The parameters after a step: p + u.
   *
   * @throws IllegalArgumentException if names or types differ
   */
  public static ParamTree applyUpdates(ParamTree params, ParamTree updates) {
    return params.zip(
        updates,
        (p, u) -> {
          Check.shape(
              p.type().equals(u.type()),
              "apply_updates: an update has its parameter's type: %s for %s; check the gradients",
              u.type(),
              p.type());
          return p.add(u);
        });
  }
}
