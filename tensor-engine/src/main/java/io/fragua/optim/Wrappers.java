package io.fragua.optim;

import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform.Update;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/** What goes around a whole transform, or after it: masks, accumulation, averages. */
public final class Wrappers {
  private static final String RATE = "learning_rate";

  private Wrappers() {}

  /**
   * The transform for parameters whose name is accepted; gradients of the others pass unchanged.
   * For instance weight decay for kernels alone: {@code masked(addDecayedWeights(0.01), n ->
   * n.endsWith("kernel"))}. State: {@code inner}'s, for the accepted parameters.
   *
   * @param names of parameters as {@link ParamTree} has them; always the same answer for one name
   * @source {@code optax.masked}
   */
  public static GradientTransform masked(GradientTransform inner, Predicate<String> names) {
    return new Verb(
        "masked(" + inner + ")",
        p -> inner.init(accepted(p, names)),
        (g, s, p) -> {
          Update u = inner.update(accepted(g, names), s, accepted(p, names));
          Map<String, Tensor> m = new LinkedHashMap<>(g.asMap());
          m.putAll(u.updates().asMap());
          return new Update(ParamTree.of(m), u.state());
        });
  }

  private static ParamTree accepted(ParamTree tree, Predicate<String> names) {
    Map<String, Tensor> m = new LinkedHashMap<>();
    tree.asMap()
        .forEach(
            (name, t) -> {
              if (names.test(name)) {
                m.put(name, t);
              }
            });
    return ParamTree.of(m);
  }

  /**
   * Gradient accumulation: one step of {@code inner} with the mean of {@code every} gradients, and
   * updates of 0 before it. So a batch may be {@code every} times what fits into memory. A step
   * without branches: {@code inner} is computed every time, and its result used every {@code
   * every}-th time. State: {@code mini_step}, {@code acc.*} the mean so far, {@code inner.*}.
   *
   * @param every 1 or more
   * @source {@code optax.MultiSteps}
   */
  public static GradientTransform multiSteps(GradientTransform inner, int every) {
    Check.that(every >= 1, "multi_steps: a step has at least one gradient: %d; correct it", every);
    return new Verb(
        "multiSteps(" + inner + ", " + every + ")",
        p ->
            ParamTree.of("mini_step", Tensor.full(Verb.COUNT, 0))
                .concat(Verb.zeros(p).prefixed("acc."))
                .concat(inner.init(p).prefixed("inner.")),
        (g, s, p) -> {
          Tensor step = s.get("mini_step");
          Tensor number = step.add(1);
          ParamTree mean =
              g.zip(s.under("acc."), (x, a) -> a.add(x.sub(a).div(number.cast(x.dtype()))));
          ParamTree old = s.under("inner.");
          Update u = inner.update(mean, old, p);
          Tensor emit = number.equal(Tensor.scalar(DType.F32, every));
          ParamTree next = u.state().zip(old, (now, before) -> emit.select(now, before));
          Tensor none = Tensor.scalar(DType.F32, 0);
          return new Update(
              u.updates().map(x -> emit.select(x, Tensor.scalar(x.dtype(), 0))),
              ParamTree.of("mini_step", emit.select(none, number))
                  .concat(
                      mean.map(x -> emit.select(Tensor.scalar(x.dtype(), 0), x)).prefixed("acc."))
                  .concat(next.prefixed("inner.")));
        });
  }

  /**
   * Passes updates on and keeps an exponential moving average of the parameters after them, often
   * better for scoring than the last ones: e = e + (p + u - e) (1 - decay) / (1 - decay^t), which
   * is the average without bias to where it began. Stands last in a chain. State: {@code count},
   * {@code ema.*}: the average itself, 0 before the first step.
   *
   * @param decay in [0, 1), for instance 0.999
   * @source Polyak and Juditsky, 1992; {@code optax.ema(debias=True)} of the parameters
   */
  public static GradientTransform paramsEma(double decay) {
    Verb.unit("params_ema", "decay", decay);
    return new Verb(
        "paramsEma(" + decay + ")",
        p -> Verb.count().concat(Verb.zeros(p).prefixed("ema.")),
        (u, s, p) -> {
          Tensor t = s.get("count").add(1);
          Tensor share = Tensor.scalar(DType.F32, 1 - decay).lift(t).div(Verb.gathered(decay, t));
          ParamTree ema =
              Optimizers.applyUpdates(p, u)
                  .zip(s.under("ema."), (x, e) -> e.add(x.sub(e).mul(share.cast(x.dtype()))));
          return new Update(u, ParamTree.of("count", t).concat(ema.prefixed("ema.")));
        });
  }

  /**
   * One transform for the parameters that a test accepts, another for the rest. State: {@code
   * first.*}, {@code second.*}.
   *
   * @param test reads name and type alone
   * @source {@code optax.partition}
   */
  static GradientTransform divided(
      String text,
      BiPredicate<String, Tensor> test,
      GradientTransform first,
      GradientTransform second) {
    return new Verb(
        text,
        p ->
            first
                .init(part(p, p, test, true))
                .prefixed("first.")
                .concat(second.init(part(p, p, test, false)).prefixed("second.")),
        (g, s, p) -> {
          Update a =
              first.update(part(g, p, test, true), s.under("first."), part(p, p, test, true));
          Update b =
              second.update(part(g, p, test, false), s.under("second."), part(p, p, test, false));
          Map<String, Tensor> m = new LinkedHashMap<>(g.asMap());
          m.putAll(a.updates().asMap());
          m.putAll(b.updates().asMap());
          return new Update(
              ParamTree.of(m), a.state().prefixed("first.").concat(b.state().prefixed("second.")));
        });
  }

  private static ParamTree part(
      ParamTree tree, ParamTree params, BiPredicate<String, Tensor> test, boolean accepted) {
    return accepted(tree, name -> test.test(name, params.get(name)) == accepted);
  }

  /**
   * Looks ahead: {@code inner} takes {@code period} steps, then the parameters go back to a share
   * of the way from where they were: s = s + step (p - s), p = s. Steadier, at the cost of a copy
   * of the parameters. State: {@code count}, {@code slow.*} (after the first step), {@code
   * inner.*}.
   *
   * @param period 1 or more; 5 in the paper
   * @param step in (0, 1]; 0.5 in the paper
   * @source Zhang et al., NeurIPS 2019; {@code optax.lookahead}
   */
  public static GradientTransform lookahead(GradientTransform inner, int period, double step) {
    Check.that(
        period >= 1 && step > 0 && step <= 1,
        "lookahead: a period is 1 or more, a step in (0, 1]: %d, %s; correct them",
        period,
        step);
    return new Verb(
        "lookahead(" + inner + ", " + period + ", " + step + ")",
        p ->
            Verb.count()
                .concat(Verb.zeros(p).prefixed("slow."))
                .concat(inner.init(p).prefixed("inner.")),
        (g, s, p) -> {
          Tensor count = s.get("count");
          Update u = inner.update(g, s.under("inner."), p);
          Tensor first = count.equal(Tensor.scalar(DType.F32, 0));
          ParamTree start = s.under("slow.").zip(p, (old, x) -> first.select(x, old));
          Tensor next = count.add(1);
          Tensor cycles = next.div(period);
          Tensor sync = cycles.floor().mul(period).equal(next);
          ParamTree way = Optimizers.applyUpdates(p, u.updates()).zip(start, Tensor::sub);
          ParamTree slow = start.zip(way, (x, d) -> sync.select(x.add(d.mul(step)), x));
          ParamTree updates =
              u.updates().zip(way, (x, d) -> sync.select(x.sub(d.mul(1 - step)), x));
          return new Update(
              updates,
              ParamTree.of("count", next)
                  .concat(slow.prefixed("slow."))
                  .concat(u.state().prefixed("inner.")));
        });
  }

  /**
   * u = -rate g, the rate read from the state, where it can be changed between steps without
   * compiling again, for instance when a validation loss stops falling. State: {@code
   * learning_rate}.
   *
   * @param initial rate
   * @source {@code optax.inject_hyperparams}
   */
  public static GradientTransform scaleByStoredRate(double initial) {
    Verb.notNegative("scale_by_stored_rate", "the rate", initial);
    return new Verb(
        "scaleByStoredRate(" + initial + ")",
        p -> ParamTree.of(RATE, Tensor.full(Verb.COUNT, initial)),
        (g, s, p) -> {
          Tensor factor = s.get(RATE).neg();
          return new Update(g.map(x -> x.mul(factor.cast(x.dtype()))), s);
        });
  }

  /**
   * The state with every {@link #scaleByStoredRate} in it at this rate.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static ParamTree withRate(ParamTree state, double rate) {
    Verb.notNegative("with_rate", "the rate", rate);
    Map<String, Tensor> m = new LinkedHashMap<>(state.asMap());
    int changed = 0;
    for (String name : state.names()) {
      if (name.equals(RATE) || name.endsWith("." + RATE)) {
        m.put(name, Tensor.full(Verb.COUNT, rate));
        changed++;
      }
    }
    Check.that(
        changed > 0,
        "with_rate: the state must have a learning rate: %s; chain scaleByStoredRate instead of"
            + " scaleByLearningRate",
        state.names());
    return ParamTree.of(m);
  }
}
