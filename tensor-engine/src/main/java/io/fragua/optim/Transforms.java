package io.fragua.optim;

import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform.Update;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Elementwise;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * What can be done to gradients: the verbs of which optimizers are chained. Formulas are Optax's; g
 * is a gradient, p its parameter, u the update, t the step from 1. Moments have the parameters'
 * dtype, counts are f32 (exact up to 16.7 million steps, and constant after that).
 */
public final class Transforms {
  private static final TensorType COUNT = TensorType.of(DType.F32);

  private Transforms() {}

  /** The update function of a verb. */
  @FunctionalInterface
  private interface Step {
    Update apply(ParamTree grads, ParamTree state, ParamTree params);
  }

  /** A transform that checks names and prints itself. */
  private record Verb(String text, UnaryOperator<ParamTree> start, Step step)
      implements GradientTransform {
    @Override
    public ParamTree init(ParamTree params) {
      return start.apply(params);
    }

    @Override
    public Update update(ParamTree grads, ParamTree state, ParamTree params) {
      Check.that(
          grads.names().equals(params.names()),
          "%s: gradients must have the parameters' names and order: %s for %s; make them with"
              + " params.withLeaves",
          this,
          grads,
          params);
      return step.apply(grads, state, params);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  private static GradientTransform stateless(
      String text, BiFunction<ParamTree, ParamTree, ParamTree> f) {
    return new Verb(text, p -> ParamTree.EMPTY, (g, s, p) -> new Update(f.apply(g, p), s));
  }

  private static ParamTree zeros(ParamTree like) {
    return like.map(t -> Tensor.full(t.type(), 0));
  }

  private static ParamTree count() {
    return ParamTree.of("count", Tensor.full(COUNT, 0));
  }

  /** {@code decay * old + (1 - decay) * value}. */
  private static Tensor average(double decay, Tensor old, Tensor value) {
    return value.mul(1 - decay).add(old.mul(decay));
  }

  /** {@code 1 - decay^t}: what an average that started at 0 has gathered of 1 so far. */
  private static Tensor gathered(double decay, Tensor t) {
    return Tensor.scalar(t.dtype(), decay).lift(t).pow(t).neg().add(1);
  }

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
    unit("scale_by_adam", "b1", b1);
    unit("scale_by_adam", "b2", b2);
    return new Verb(
        "scaleByAdam(" + b1 + ", " + b2 + ", " + eps + ")",
        p -> count().concat(zeros(p).prefixed("mu.")).concat(zeros(p).prefixed("nu.")),
        (g, s, p) -> {
          Tensor t = s.get("count").add(1);
          Tensor c1 = gathered(b1, t);
          Tensor c2 = gathered(b2, t);
          ParamTree mu = g.zip(s.under("mu."), (x, m) -> average(b1, m, x));
          ParamTree nu = g.zip(s.under("nu."), (x, v) -> average(b2, v, x.square()));
          ParamTree u =
              mu.zip(
                  nu,
                  (m, v) -> {
                    Tensor root = v.div(c2.cast(v.dtype())).sqrt().add(eps);
                    return m.div(c1.cast(m.dtype())).div(root);
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
          ParamTree v = g.zip(s.under("trace."), (x, old) -> x.add(old.mul(momentum)));
          ParamTree u = nesterov ? g.zip(v, (x, now) -> x.add(now.mul(momentum))) : v;
          return new Update(u, v.prefixed("trace."));
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
          Tensor one = Tensor.scalar(DType.F32, 1);
          Tensor factor = norm.less(max).select(one, one.lift(norm).mul(max).div(norm));
          return g.map(x -> x.mul(factor.cast(x.dtype())));
        });
  }

  /**
   * The root of the sum of all squares, f32 scalar.
   *
   * @param tree at least one tensor
   */
  public static Tensor globalNorm(ParamTree tree) {
    return Elementwise.sum(
            tree.leaves().stream().map(t -> t.cast(DType.F32).square().sum()).toList())
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

  private static void unit(String who, String name, double v) {
    Check.that(v >= 0 && v < 1, "%s: %s lies in [0, 1): %s; correct it", who, name, v);
  }
}
