package io.fragua.optim;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.function.UnaryOperator;

/** Learning rates over time; t is the step, from 0. Formulas are Optax's. */
public final class Schedules {
  private Schedules() {}

  /** A schedule that prints itself. */
  private record Named(String text, UnaryOperator<Tensor> f) implements Schedule {
    @Override
    public Tensor at(Tensor step) {
      return f.apply(step);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** The same at every step. */
  public static Schedule constant(double value) {
    check(Double.isFinite(value), "constant", "the value is finite", value);
    return new Named(String.valueOf(value), t -> Tensor.scalar(t.dtype(), value).lift(t));
  }

  /**
   * A straight line from {@code from} at step 0 to {@code to} at step {@code steps}, level after
   * it.
   *
   * @source {@code optax.linear_schedule}
   */
  public static Schedule linear(double from, double to, int steps) {
    check(steps >= 1, "linear", "there is at least one step", steps);
    return new Named(
        "linear(" + from + ", " + to + ", " + steps + ")",
        t -> t.minimum(steps).div(steps).neg().add(1).mul(from - to).add(to));
  }

  /**
   * A straight rise from 0 to {@code peak} over {@code warmupSteps}, then half a cosine wave down
   * to {@code end} at step {@code totalSteps}, level after it: end + (peak - end) (1 + cos(pi u)) /
   * 2, where u = (t - warmup) / (total - warmup).
   *
   * @param peak not 0
   * @param warmupSteps 0 or more
   * @param totalSteps more than {@code warmupSteps}
   * @source {@code optax.warmup_cosine_decay_schedule(0, ...)}; Loshchilov and Hutter, ICLR 2017
   */
  public static Schedule cosineDecay(double peak, int warmupSteps, int totalSteps, double end) {
    check(warmupSteps >= 0, "cosine_decay", "warm-up steps are not negative", warmupSteps);
    check(
        totalSteps > warmupSteps, "cosine_decay", "total steps are more than warm-up", totalSteps);
    double span = (double) totalSteps - warmupSteps;
    return new Named(
        "cosineDecay(" + peak + ", " + warmupSteps + ", " + totalSteps + ", " + end + ")",
        t -> {
          Tensor u = t.sub(warmupSteps).maximum(0).minimum(span).div(span);
          Tensor wave = u.mul(Math.PI).cos().add(1).mul(0.5);
          Tensor decayed = wave.mul(peak - end).add(end);
          return warmupSteps == 0
              ? decayed
              : t.less(warmupSteps).select(t.mul(peak / warmupSteps), decayed);
        });
  }

  /**
   * initial * rate^(t / transitionSteps); with {@code staircase} the exponent is rounded down.
   *
   * @param rate factor of each {@code transitionSteps} steps, above 0
   * @source {@code optax.exponential_decay}
   */
  public static Schedule exponentialDecay(
      double initial, int transitionSteps, double rate, boolean staircase) {
    check(transitionSteps >= 1, "exponential_decay", "there is at least one step", transitionSteps);
    check(rate > 0 && Double.isFinite(rate), "exponential_decay", "rate is above 0", rate);
    return new Named(
        "exponentialDecay("
            + initial
            + ", "
            + transitionSteps
            + ", "
            + rate
            + ", "
            + staircase
            + ")",
        t -> {
          Tensor p = t.div(transitionSteps);
          Tensor base = Tensor.scalar(t.dtype(), rate);
          return base.lift(t).pow(staircase ? p.floor() : p).mul(initial);
        });
  }

  private static void check(boolean ok, String who, String rule, Object given) {
    Check.that(ok, "%s: %s: %s; correct it", who, rule, given);
  }
}
