package io.fragua.optim;

import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform.Update;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Smaller steps once a value, for instance the loss of rows that are held out, no longer falls. A
 * {@link #transform} multiplies updates by a scale of its state, at first 1; {@link #told} gives
 * the state after a value: mean of {@code every} values, better than the best one if below (1 -
 * relative) best - absolute; after {@code patience} means that are not, scale = max(scale factor,
 * least), and the next {@code cooldown} means do not count.
 *
 * <pre>{@code
 * Plateau plateau = new Plateau(0.5, 3);
 * GradientTransform t = Transforms.chain(Optimizers.adam(rate), plateau.transform());
 * ...
 * state = plateau.told(state, validationLoss); // after each epoch
 * }</pre>
 *
 * <p>Optax takes the value in every update; here it is told apart from it, before the update whose
 * scale it may change.
 *
 * @param factor in (0, 1), of the scale each time; Optax's default is 0.1
 * @param patience 1 or more; Optax's default is 10
 * @param relative share of the best value, 0 or more; Optax's default is 1e-4
 * @param absolute distance from the best value, 0 or more; Optax's default is 0
 * @param cooldown 0 or more; Optax's default is 0
 * @param every values that make one mean, 1 or more; Optax's default is 1
 * @param least scale, in [0, 1]; Optax's default is 0
 * @source {@code optax.contrib.reduce_on_plateau}; PyTorch {@code ReduceLROnPlateau}
 */
public record Plateau(
    double factor,
    int patience,
    double relative,
    double absolute,
    int cooldown,
    int every,
    double least) {
  private static final String SCALE = "plateau_scale";

  /** Checks the settings. */
  public Plateau {
    Check.that(
        factor > 0 && factor < 1, "plateau: a factor lies in (0, 1): %s; correct it", factor);
    Check.that(
        patience >= 1 && cooldown >= 0 && every >= 1,
        "plateau: patience and every are 1 or more, cooldown is not negative: %d, %d, %d; correct"
            + " them",
        patience,
        every,
        cooldown);
    Verb.notNegative("plateau", "a relative distance", relative);
    Verb.notNegative("plateau", "an absolute distance", absolute);
    Check.that(least >= 0 && least <= 1, "plateau: a scale lies in [0, 1]: %s; correct it", least);
  }

  /** With Optax's defaults for the rest. */
  public Plateau(double factor, int patience) {
    this(factor, patience, 1e-4, 0, 0, 1, 0);
  }

  /**
   * u = scale g; stands last in a chain. State, all f32 scalars: {@code plateau_scale}, {@code
   * best_value}, {@code plateau_count}, {@code cooldown_count}, {@code count}, {@code avg_value}.
   */
  public GradientTransform transform() {
    return new Verb(
        toString(),
        p -> {
          Map<String, Tensor> m = new LinkedHashMap<>();
          m.put(SCALE, Tensor.full(Verb.COUNT, 1));
          m.put("best_value", Tensor.full(Verb.COUNT, Double.POSITIVE_INFINITY));
          m.put("plateau_count", Tensor.full(Verb.COUNT, 0));
          m.put("cooldown_count", Tensor.full(Verb.COUNT, 0));
          m.put("count", Tensor.full(Verb.COUNT, 0));
          m.put("avg_value", Tensor.full(Verb.COUNT, 0));
          return ParamTree.of(m);
        },
        (g, s, p) -> new Update(g.map(x -> x.mul(s.get(SCALE).cast(x.dtype()))), s));
  }

  /** As {@link #told(ParamTree, Tensor)}, with a number. */
  public ParamTree told(ParamTree state, double value) {
    return told(state, Tensor.scalar(DType.F32, value));
  }

  /**
   * The state after a value, on concrete and on traced tensors.
   *
   * @param state of an optimizer with one or more {@link #transform} of these settings in it
   * @param value scalar; less is better. NaN is never better
   * @throws IllegalArgumentException if there is none in the state
   */
  public ParamTree told(ParamTree state, Tensor value) {
    Check.shape(
        value.shape().rank() == 0 && value.dtype().isFloating(),
        "plateau: takes one floating value: %s; take its mean",
        value.type());
    Map<String, Tensor> m = new LinkedHashMap<>(state.asMap());
    int changed = 0;
    for (String name : state.names()) {
      if (name.equals(SCALE) || name.endsWith("." + SCALE)) {
        String at = name.substring(0, name.length() - SCALE.length());
        next(state, at, value.cast(DType.F32), m);
        changed++;
      }
    }
    Check.that(
        changed > 0,
        "plateau: the state must have a scale: %s; chain transform() behind the optimizer",
        state.names());
    return ParamTree.of(m);
  }

  private void next(ParamTree s, String at, Tensor value, Map<String, Tensor> m) {
    Tensor zero = Tensor.scalar(DType.F32, 0).lift(value);
    Tensor scale = s.get(at + SCALE);
    Tensor best = s.get(at + "best_value");
    Tensor bad = s.get(at + "plateau_count");
    Tensor cool = s.get(at + "cooldown_count");
    Tensor before = s.get(at + "count");
    Tensor count = before.add(1);
    Tensor mean = before.mul(s.get(at + "avg_value")).add(value).div(count);
    Tensor full = count.equal(Tensor.scalar(DType.F32, every));
    Tensor better = mean.less(best.mul(1 - relative).sub(absolute));
    Tensor now = better.select(zero, bad.add(1));
    Tensor cooling = cool.greater(0);
    Tensor over = now.equal(Tensor.scalar(DType.F32, patience)).and(cooling.not());
    Tensor reset = over.or(cooling);
    Tensor smaller = over.select(scale.mul(factor), scale).maximum(least);
    Tensor rest = over.select(Tensor.scalar(DType.F32, cooldown), zero);
    m.put(at + SCALE, full.and(cooling.not()).select(smaller, scale));
    m.put(at + "best_value", full.and(better).select(mean, best));
    m.put(at + "plateau_count", full.select(reset.select(zero, now), bad));
    m.put(at + "cooldown_count", full.select(cooling.select(cool.sub(1), rest), cool));
    m.put(at + "count", full.select(zero, count));
    m.put(at + "avg_value", full.select(zero, mean));
  }

  @Override
  public String toString() {
    return "plateau("
        + factor
        + ", "
        + patience
        + ", "
        + relative
        + ", "
        + absolute
        + ", "
        + cooldown
        + ", "
        + every
        + ", "
        + least
        + ")";
  }
}
