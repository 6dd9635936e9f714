package io.fragua.optim;

import static io.fragua.optim.Verb.COUNT;
import static io.fragua.optim.Verb.average;
import static io.fragua.optim.Verb.count;
import static io.fragua.optim.Verb.faded;
import static io.fragua.optim.Verb.full;
import static io.fragua.optim.Verb.gathered;
import static io.fragua.optim.Verb.notNegative;
import static io.fragua.optim.Verb.stateless;
import static io.fragua.optim.Verb.unit;
import static io.fragua.optim.Verb.zeros;

import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform.Update;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Elementwise;
import io.fragua.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What can be done to gradients: the verbs of which optimizers are chained. Formulas are Optax's; g
 * is a gradient, p its parameter, u the update, t the step from 1. Moments have the parameters'
 * dtype, f32 for f16 and bf16; counts are f32 (exact up to 16.7 million steps, and constant after
 * that).
 */
public final class Transforms {
  private Transforms() {}

  /**
   * One transform after the other; the state of the i-th (from 0) is under {@code i.}.
   *
   * @source {@code optax.chain}
   */
  public static GradientTransform chain(GradientTransform... transforms) {
    List<GradientTransform> all = List.of(transforms);
    String text = Arrays.stream(transforms).map(Object::toString).collect(Collectors.joining(", "));
    return new Verb(
        "chain(" + text + ")",
        params -> {
          ParamTree state = ParamTree.EMPTY;
          for (int i = 0; i < all.size(); i++) {
            state = state.concat(all.get(i).init(params).prefixed(i + "."));
          }
          return state;
        },
        (grads, state, params) -> {
          ParamTree updates = grads;
          ParamTree next = ParamTree.EMPTY;
          for (int i = 0; i < all.size(); i++) {
            Update u = all.get(i).update(updates, state.under(i + "."), params);
            updates = u.updates();
            next = next.concat(u.state().prefixed(i + "."));
          }
          return new Update(updates, next);
        });
  }

  /**
   * m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) +
   * eps). State: {@code count}, {@code mu.*}, {@code nu.*}.
   *
   * @source Kingma and Ba, ICLR 2015; {@code optax.scale_by_adam}
   */
  public static GradientTransform scaleByAdam(double b1, double b2, double eps) {
    return scaleByAdam(b1, b2, eps, 0);
  }

  /**
   * As {@link #scaleByAdam(double, double, double)}, with a number under the root: u = m / (1 -
   * b1^t) / (sqrt(v / (1 - b2^t) + epsRoot) + eps). Where a step is differentiated, it keeps the
   * root's slope at 0 finite.
   *
   * @param epsRoot 0 or more; Optax's default is 0
   * @source {@code optax.scale_by_adam(eps_root=...)}
   */
  public static GradientTransform scaleByAdam(double b1, double b2, double eps, double epsRoot) {
    unit("scale_by_adam", "b1", b1);
    unit("scale_by_adam", "b2", b2);
    notNegative("scale_by_adam", "eps root", epsRoot);
    return new Verb(
        "scaleByAdam(" + b1 + ", " + b2 + ", " + eps + (epsRoot == 0 ? ")" : ", " + epsRoot + ")"),
        p -> count().concat(zeros(p).prefixed("mu.")).concat(zeros(p).prefixed("nu.")),
        (g, s, p) -> {
          Tensor t = s.get("count").add(1);
          // Divisions are most of an update's time, so what all elements share is inverted once.
          Tensor c1 = gathered(b1, t).reciprocal();
          Tensor c2 = gathered(b2, t).reciprocal();
          ParamTree mu = g.zip(s.under("mu."), (x, m) -> average(b1, m, x));
          ParamTree nu = g.zip(s.under("nu."), (x, v) -> average(b2, v, x.square()));
          ParamTree u =
              mu.zip(
                  nu,
                  (m, v) -> {
                    Tensor hat = v.mul(c2.cast(v.dtype()));
                    Tensor root = (epsRoot == 0 ? hat : hat.add(epsRoot)).sqrt().add(eps);
                    return m.mul(c1.cast(m.dtype())).div(root);
                  });
          return new Update(
              u, ParamTree.of("count", t).concat(mu.prefixed("mu.")).concat(nu.prefixed("nu.")));
        });
  }

  /**
   * v = g + momentum v; u = v, or with {@code nesterov} u = g + momentum v (the new v). State:
   * {@code trace.*}.
   *
   * @source {@code optax.trace}; Sutskever et al., ICML 2013
   */
  public static GradientTransform trace(double momentum, boolean nesterov) {
    unit("trace", "momentum", momentum);
    return new Verb(
        "trace(" + momentum + ", " + nesterov + ")",
        p -> zeros(p).prefixed("trace."),
        (g, s, p) -> {
          ParamTree v = g.zip(s.under("trace."), (x, old) -> x.add(faded(old.mul(momentum))));
          ParamTree u = nesterov ? g.zip(v, (x, now) -> x.add(now.mul(momentum))) : v;
          return new Update(u, v.prefixed("trace."));
        });
  }

  /**
   * m = decay m + (1 - decay) g; u = m: the average of gradients, which starts at 0. State: {@code
   * ema.*}.
   *
   * @param decay in [0, 1)
   * @source {@code optax.ema(debias=False)}
   */
  public static GradientTransform ema(double decay) {
    unit("ema", "decay", decay);
    return new Verb(
        "ema(" + decay + ")",
        p -> zeros(p).prefixed("ema."),
        (g, s, p) -> {
          ParamTree m = g.zip(s.under("ema."), (x, old) -> average(decay, old, x));
          return new Update(m, m.prefixed("ema."));
        });
  }

  /**
   * u = g + decay p. After the scaling verbs (as in adamw) this is decoupled weight decay; before
   * them it is L2 regularisation.
   *
   * @source {@code optax.add_decayed_weights}; Loshchilov and Hutter, ICLR 2019
   */
  public static GradientTransform addDecayedWeights(double decay) {
    return stateless(
        "addDecayedWeights(" + decay + ")", (g, p) -> g.zip(p, (x, w) -> x.add(w.mul(decay))));
  }

  /**
   * u = g if the root of the sum of all squares is below {@code max}, otherwise g max / norm.
   *
   * @source Pascanu et al., ICML 2013; {@code optax.clip_by_global_norm}
   */
  public static GradientTransform clipByGlobalNorm(double max) {
    Check.that(max > 0, "clip_by_global_norm: the bound is above 0: %s; correct it", max);
    return stateless(
        "clipByGlobalNorm(" + max + ")",
        (g, p) -> {
          if (g.size() == 0) {
            return g;
          }
          Tensor norm = globalNorm(g);
          // One factor for all; where the norm is 0 the quotient is not taken.
          Tensor one = Tensor.scalar(norm.dtype(), 1);
          Tensor factor = norm.less(max).select(one, one.lift(norm).mul(max).div(norm));
          return g.map(x -> x.mul(factor.cast(x.dtype())));
        });
  }

  /**
   * The root of the sum of all squares, a scalar of f64 if any of them is, else f32.
   *
   * @param tree at least one tensor
   */
  public static Tensor globalNorm(ParamTree tree) {
    boolean f64 = tree.leaves().stream().anyMatch(t -> t.dtype() == DType.F64);
    DType wide = f64 ? DType.F64 : DType.F32;
    return Elementwise.sum(tree.leaves().stream().map(t -> t.cast(wide).square().sum()).toList())
        .sqrt();
  }

  /**
   * u = g bounded to [-max, max], element by element.
   *
   * @source {@code optax.clip}
   */
  public static GradientTransform clipByValue(double max) {
    Check.that(max > 0, "clip_by_value: the bound is above 0: %s; correct it", max);
    return stateless(
        "clipByValue(" + max + ")", (g, p) -> g.map(x -> x.maximum(-max).minimum(max)));
  }

  /**
   * u = -rate(t) g, t from 0. State: {@code count}.
   *
   * @source {@code optax.scale_by_learning_rate}
   */
  public static GradientTransform scaleByLearningRate(Schedule rate) {
    return new Verb(
        "scaleByLearningRate(" + rate + ")",
        p -> count(),
        (g, s, p) -> {
          Tensor t = s.get("count");
          Tensor r = rate.at(t);
          Check.shape(
              r.type().equals(COUNT),
              "scale_by_learning_rate: a schedule gives %s: %s; correct the schedule",
              COUNT,
              r.type());
          Tensor factor = r.neg();
          return new Update(
              g.map(x -> x.mul(factor.cast(x.dtype()))), ParamTree.of("count", t.add(1)));
        });
  }

  /**
   * u = factor g.
   *
   * @source {@code optax.scale}
   */
  public static GradientTransform scale(double factor) {
    return stateless("scale(" + factor + ")", (g, p) -> g.map(x -> x.mul(factor)));
  }

  /**
   * v = decay v + (1 - decay) g^2; u = g / sqrt(v + eps). State: {@code nu.*}, initially 0.
   *
   * @param decay in [0, 1)
   * @param eps under the root (PyTorch adds it to the root)
   * @source Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012; {@code
   *     optax.scale_by_rms}
   */
  public static GradientTransform scaleByRms(double decay, double eps) {
    unit("scale_by_rms", "decay", decay);
    notNegative("scale_by_rms", "eps", eps);
    return new Verb(
        "scaleByRms(" + decay + ", " + eps + ")",
        p -> zeros(p).prefixed("nu."),
        (g, s, p) -> {
          ParamTree nu = g.zip(s.under("nu."), (x, v) -> average(decay, v, x.square()));
          ParamTree u = g.zip(nu, (x, v) -> x.mul(v.add(eps).rsqrt()));
          return new Update(u, nu.prefixed("nu."));
        });
  }

  /**
   * m = decay m + (1 - decay) g; v = decay v + (1 - decay) g^2; u = g / sqrt(v - m^2 + eps): by the
   * deviation from the mean gradient. State: {@code mu.*}, {@code nu.*}.
   *
   * @param decay in [0, 1)
   * @param eps under the root
   * @source Graves, "Generating sequences with recurrent neural networks", 2013; {@code
   *     optax.scale_by_stddev}
   */
  public static GradientTransform scaleByStddev(double decay, double eps) {
    unit("scale_by_stddev", "decay", decay);
    notNegative("scale_by_stddev", "eps", eps);
    return new Verb(
        "scaleByStddev(" + decay + ", " + eps + ")",
        p -> zeros(p).prefixed("mu.").concat(zeros(p).prefixed("nu.")),
        (g, s, p) -> {
          ParamTree mu = g.zip(s.under("mu."), (x, m) -> average(decay, m, x));
          ParamTree nu = g.zip(s.under("nu."), (x, v) -> average(decay, v, x.square()));
          // rounding may leave the difference below 0
          ParamTree var = nu.zip(mu, (v, m) -> v.sub(m.square()).maximum(0));
          ParamTree u = g.zip(var, (x, v) -> x.mul(v.add(eps).rsqrt()));
          return new Update(u, mu.prefixed("mu.").concat(nu.prefixed("nu.")));
        });
  }

  /**
   * v = v + g^2; u = g / sqrt(v + eps), and 0 where v is 0. State: {@code sum_of_squares.*}.
   *
   * @param initial of v, 0 or more
   * @source Duchi, Hazan and Singer, JMLR 2011; {@code optax.scale_by_rss}
   */
  public static GradientTransform scaleByRss(double initial, double eps) {
    notNegative("scale_by_rss", "the initial sum", initial);
    notNegative("scale_by_rss", "eps", eps);
    return new Verb(
        "scaleByRss(" + initial + ", " + eps + ")",
        p -> full(p, initial).prefixed("sum_of_squares."),
        (g, s, p) -> {
          ParamTree sum = g.zip(s.under("sum_of_squares."), (x, v) -> x.square().add(v));
          ParamTree u =
              g.zip(
                  sum,
                  (x, v) -> {
                    Tensor zero = Tensor.scalar(v.dtype(), 0);
                    return x.mul(v.greater(0).select(v.add(eps).rsqrt(), zero));
                  });
          return new Update(u, sum.prefixed("sum_of_squares."));
        });
  }

  /**
   * u = sign((1 - b1) g + b1 m); m = b2 m + (1 - b2) g. State: {@code mu.*}.
   *
   * @source Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023; {@code
   *     optax.scale_by_lion}
   */
  public static GradientTransform scaleByLion(double b1, double b2) {
    unit("scale_by_lion", "b1", b1);
    unit("scale_by_lion", "b2", b2);
    return new Verb(
        "scaleByLion(" + b1 + ", " + b2 + ")",
        p -> zeros(p).prefixed("mu."),
        (g, s, p) -> {
          ParamTree mu = s.under("mu.");
          ParamTree u = g.zip(mu, (x, m) -> average(b1, m, x).sign());
          return new Update(u, g.zip(mu, (x, m) -> average(b2, m, x)).prefixed("mu."));
        });
  }

  /**
   * u = g |p| / |g| for each parameter with Euclidean norms over all of its elements; u = g where
   * either is 0.
   *
   * @source You et al., ICLR 2020; {@code optax.scale_by_trust_ratio}
   */
  public static GradientTransform scaleByTrustRatio() {
    return scaleByTrustRatio(1);
  }

  /**
   * As {@link #scaleByTrustRatio()}, with u = coefficient g |p| / |g|, and still g where either is
   * 0.
   *
   * @param coefficient above 0
   */
  public static GradientTransform scaleByTrustRatio(double coefficient) {
    return scaleByTrustRatio(coefficient, 0);
  }

  /**
   * As {@link #scaleByTrustRatio(double)}, with u = coefficient g |p| / (|g| + eps).
   *
   * @param eps 0 or more; Optax's default is 0
   */
  public static GradientTransform scaleByTrustRatio(double coefficient, double eps) {
    notNegative("scale_by_trust_ratio", "eps", eps);
    Check.that(
        coefficient > 0 && Double.isFinite(coefficient),
        "scale_by_trust_ratio: the coefficient is finite and above 0: %s; correct it",
        coefficient);
    return stateless(
        "scaleByTrustRatio("
            + (coefficient == 1 && eps == 0 ? "" : coefficient)
            + (eps == 0 ? ")" : ", " + eps + ")"),
        (g, p) ->
            g.zip(
                p,
                (x, w) -> {
                  Tensor length = w.square().sum().sqrt();
                  Tensor step = x.square().sum().sqrt();
                  Tensor one = Tensor.scalar(x.dtype(), 1);
                  Tensor both = length.greater(0).and(step.greater(0));
                  Tensor size = eps == 0 ? step : step.add(eps);
                  return x.mul(both.select(length.div(size).mul(coefficient), one));
                }));
  }
}
