package io.fragua.optim;

import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform.Update;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

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
   * Leaves out steps whose gradients hold NaN or an infinity: updates of 0, and {@code inner}'s
   * state stays. After more than {@code most} of them one after the other it takes them as they
   * are, for then something is wrong that waiting does not mend. Without branches: {@code inner} is
   * computed every time. State: {@code notfinite_count} in a row, {@code last_finite} 1 or 0,
   * {@code total_notfinite}, {@code inner.*}.
   *
   * @param most steps one after the other that are left out, 0 or more
   * @source {@code optax.apply_if_finite}
   */
  public static GradientTransform applyIfFinite(GradientTransform inner, int most) {
    Check.that(
        most >= 0, "apply_if_finite: a number of steps is not negative: %d; correct it", most);
    return new Verb(
        "applyIfFinite(" + inner + ", " + most + ")",
        p ->
            ParamTree.of("notfinite_count", Tensor.full(Verb.COUNT, 0))
                .concat(ParamTree.of("last_finite", Tensor.full(Verb.COUNT, 1)))
                .concat(ParamTree.of("total_notfinite", Tensor.full(Verb.COUNT, 0)))
                .concat(inner.init(p).prefixed("inner.")),
        (g, s, p) -> {
          Tensor count = s.get("notfinite_count");
          Tensor zero = Tensor.scalar(DType.F32, 0);
          Tensor one = Tensor.scalar(DType.F32, 1);
          Tensor finite =
              g.leaves().stream()
                  .map(x -> x.isFinite().all())
                  .reduce(Tensor::and)
                  .orElse(zero.equal(zero));
          Tensor row = finite.select(zero, count.add(1));
          Tensor total = s.get("total_notfinite");
          ParamTree old = s.under("inner.");
          Update u = inner.update(g, old, p);
          Tensor taken = finite.or(row.greater(most));
          return new Update(
              u.updates().map(x -> taken.select(x, Tensor.scalar(x.dtype(), 0))),
              ParamTree.of("notfinite_count", row)
                  .concat(ParamTree.of("last_finite", finite.select(one, zero)))
                  .concat(ParamTree.of("total_notfinite", finite.select(total, total.add(1))))
                  .concat(
                      u.state().zip(old, (now, was) -> taken.select(now, was)).prefixed("inner.")));
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
   * Another transform for each group of parameters: other rates, other optimizers, or none. For
   * instance a body that has learnt already, a new head, and tables that stay as they are: {@code
   * partition(Map.of("body", adam(constant(1e-5)), "head", adam(constant(1e-3)), "still",
   * scale(0)), name -> ...)}. State: {@code <group>.*}, groups in the order of their names.
   *
   * @param groups transforms by name of the group; names are not empty and have no dots. A group
   *     may be of no parameters
   * @param group of each parameter, by its name as {@link ParamTree} has it; always the same answer
   *     for one name
   * @throws IllegalArgumentException by {@code init} and {@code update}, if there is no such group
   * @source {@code optax.partition} (once {@code multi_transform})
   */
  public static GradientTransform partition(
      Map<String, GradientTransform> groups, UnaryOperator<String> group) {
    SortedMap<String, GradientTransform> all = new TreeMap<>(groups);
    all.keySet()
        .forEach(
            name ->
                Check.that(
                    !name.isEmpty() && name.indexOf('.') < 0,
                    "partition: a group's name is not empty and has no dot: \"%s\"; rename it",
                    name));
    return partition("partition(" + all + ")", all, (name, p) -> group.apply(name));
  }

  private static GradientTransform partition(
      String text,
      SortedMap<String, GradientTransform> groups,
      BiFunction<String, Tensor, String> group) {
    return new Verb(
        text,
        p -> {
          ParamTree state = ParamTree.EMPTY;
          for (Map.Entry<String, GradientTransform> e : groups.entrySet()) {
            ParamTree own = group(p, p, groups, group, e.getKey());
            state = state.concat(e.getValue().init(own).prefixed(e.getKey() + "."));
          }
          return state;
        },
        (g, s, p) -> {
          ParamTree state = ParamTree.EMPTY;
          Map<String, Tensor> updates = new LinkedHashMap<>(g.asMap()); // keeps the order
          for (Map.Entry<String, GradientTransform> e : groups.entrySet()) {
            String at = e.getKey();
            ParamTree own = group(p, p, groups, group, at);
            Update u = e.getValue().update(group(g, p, groups, group, at), s.under(at + "."), own);
            updates.putAll(u.updates().asMap());
            state = state.concat(u.state().prefixed(at + "."));
          }
          return new Update(ParamTree.of(updates), state);
        });
  }

  private static ParamTree group(
      ParamTree tree,
      ParamTree params,
      SortedMap<String, GradientTransform> groups,
      BiFunction<String, Tensor, String> group,
      String wanted) {
    return accepted(
        tree,
        name -> {
          String given = group.apply(name, params.get(name));
          Check.that(
              given != null && groups.containsKey(given),
              "partition: a parameter is of one of the groups %s: \"%s\" is of %s; add the group or"
                  + " correct the function",
              groups.keySet(),
              name,
              given);
          return given.equals(wanted);
        });
  }

  /**
   * One transform for the parameters that a test accepts, another for the rest. State: {@code
   * first.*}, {@code second.*}.
   *
   * @param test reads name and type alone
   */
  static GradientTransform divided(
      String text,
      BiPredicate<String, Tensor> test,
      GradientTransform first,
      GradientTransform second) {
    SortedMap<String, GradientTransform> both =
        new TreeMap<>(Map.of("first", first, "second", second));
    return partition(text, both, (name, p) -> test.test(name, p) ? "first" : "second");
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
