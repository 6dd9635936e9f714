package io.fragua.optim;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
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
    double none = rate < 1 ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    return exponentialDecay(initial, transitionSteps, rate, 0, staircase, none);
  }

  /**
   * As {@link #exponentialDecay(double, int, double, boolean)}, level before a step and bounded.
   *
   * @param begin first step of the decay, 0 or more
   * @param end the least value for a rate below 1, else the greatest; an infinity for none
   */
  public static Schedule exponentialDecay(
      double initial, int transitionSteps, double rate, int begin, boolean staircase, double end) {
    check(begin >= 0, "exponential_decay", "the first step is not negative", begin);
    check(!Double.isNaN(end), "exponential_decay", "the end is a number", end);
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
            + (begin == 0 ? "" : ", from " + begin)
            + (Double.isInfinite(end) ? ")" : ", to " + end + ")"),
        t -> {
          Tensor p = (begin == 0 ? t : t.sub(begin).maximum(0)).div(transitionSteps);
          Tensor base = Tensor.scalar(t.dtype(), rate);
          Tensor v = base.lift(t).pow(staircase ? p.floor() : p).mul(initial);
          return Double.isInfinite(end) ? v : rate < 1 ? v.maximum(end) : v.minimum(end);
        });
  }

  /**
   * (from - to) (1 - t / steps)^power + to, level after {@code steps}.
   *
   * @param power above 0; 1 is {@link #linear}
   * @source {@code optax.polynomial_schedule}
   */
  public static Schedule polynomial(double from, double to, double power, int steps) {
    check(steps >= 1, "polynomial", "there is at least one step", steps);
    check(power > 0 && Double.isFinite(power), "polynomial", "power is above 0", power);
    return new Named(
        "polynomial(" + from + ", " + to + ", " + power + ", " + steps + ")",
        t -> t.minimum(steps).div(steps).neg().add(1).pow(power).mul(from - to).add(to));
  }

  /**
   * Steps: {@code initial}, multiplied by each scale from its boundary on.
   *
   * @param scales by boundary; scales are not negative
   * @source {@code optax.piecewise_constant_schedule}
   */
  public static Schedule piecewiseConstant(double initial, Map<Integer, Double> scales) {
    SortedMap<Integer, Double> sorted = new TreeMap<>(scales);
    sorted.forEach(
        (at, scale) -> {
          check(at >= 0, "piecewise_constant", "boundaries are not negative", at);
          check(
              scale >= 0 && Double.isFinite(scale),
              "piecewise_constant",
              "scales are finite and not negative",
              scale);
        });
    return new Named(
        "piecewiseConstant(" + initial + ", " + sorted + ")",
        t -> {
          double value = initial;
          Tensor v = Tensor.scalar(t.dtype(), value).lift(t);
          for (Map.Entry<Integer, Double> e : sorted.entrySet()) {
            value *= e.getValue();
            v = t.less(e.getKey()).select(v, Tensor.scalar(t.dtype(), value));
          }
          return v;
        });
  }

  /**
   * One cycle by half cosine waves, with Optax's defaults: from peak / 25 up to the peak during the
   * first 0.3 of the steps, then down to peak / 250000.
   *
   * @source Smith and Topin, 2018; {@code optax.cosine_onecycle_schedule}
   */
  public static Schedule cosineOnecycle(int steps, double peak) {
    return cosineOnecycle(steps, peak, 0.3, 25, 1e4);
  }

  /**
   * As {@link #cosineOnecycle(int, double)}, with other settings.
   *
   * @param start share of the steps on the way up, in [0, 1]
   * @param div the first value is peak / div
   * @param finalDiv the last value is peak / (div finalDiv)
   */
  public static Schedule cosineOnecycle(
      int steps, double peak, double start, double div, double finalDiv) {
    check(steps >= 1, "cosine_onecycle", "there is at least one step", steps);
    check(start >= 0 && start <= 1, "cosine_onecycle", "start lies in [0, 1]", start);
    check(div > 0, "cosine_onecycle", "div is above 0", div);
    check(finalDiv > 0, "cosine_onecycle", "final div is above 0", finalDiv);
    int top = (int) (start * steps);
    return new Named(
        "cosineOnecycle(" + steps + ", " + peak + ", " + start + ", " + div + ", " + finalDiv + ")",
        t ->
            t.less(top)
                .select(
                    wave(t, 0, top, peak / div, peak),
                    wave(t, top, steps, peak, peak / (div * finalDiv))));
  }

  /**
   * One cycle in straight lines, with Optax's defaults: from peak / 25 up to the peak during the
   * first 0.3 of the steps, down again until 0.85, then to peak / 250000.
   *
   * @source Smith and Topin, 2018; {@code optax.linear_onecycle_schedule}
   */
  public static Schedule linearOnecycle(int steps, double peak) {
    return linearOnecycle(steps, peak, 0.3, 0.85, 25, 1e4);
  }

  /**
   * As {@link #linearOnecycle(int, double)}, with other settings.
   *
   * @param start share of the steps on the way up, in [0, 1]
   * @param last share of the steps until the first value is there again, in [start, 1]
   * @param div the first value is peak / div
   * @param finalDiv the last value is peak / (div finalDiv)
   */
  public static Schedule linearOnecycle(
      int steps, double peak, double start, double last, double div, double finalDiv) {
    check(steps >= 1, "linear_onecycle", "there is at least one step", steps);
    check(start >= 0 && start <= 1, "linear_onecycle", "start lies in [0, 1]", start);
    check(last >= start && last <= 1, "linear_onecycle", "last lies in [start, 1]", last);
    check(div > 0, "linear_onecycle", "div is above 0", div);
    check(finalDiv > 0, "linear_onecycle", "final div is above 0", finalDiv);
    int top = (int) (start * steps);
    int low = (int) (last * steps);
    double first = peak / div;
    boolean usual = start == 0.3 && last == 0.85 && div == 25 && finalDiv == 1e4;
    String settings = ", " + start + ", " + last + ", " + div + ", " + finalDiv + ")";
    return new Named(
        "linearOnecycle(" + steps + ", " + peak + (usual ? ")" : settings),
        t -> {
          Tensor end = line(t, low, steps, first, first / finalDiv);
          Tensor down = t.less(low).select(line(t, top, low, peak, first), end);
          return t.less(top).select(line(t, 0, top, first, peak), down);
        });
  }

  private static Tensor line(Tensor t, int begin, int end, double from, double to) {
    Tensor u = t.minimum(end).sub(begin).div(Math.max(1, end - begin));
    Tensor v = u.mul(to - from).add(from);
    return t.less(end).select(v, Tensor.scalar(t.dtype(), to));
  }

  /**
   * Warm restarts: cycles of {@link #cosineDecay} without warm-up, each {@code growth} times as
   * long as the one before.
   *
   * @param first steps of the first cycle, 1 or more
   * @param growth 1 or more; 2 is usual
   * @param cycles 1 or more; the last one ends at {@code end} and stays there
   * @source Loshchilov and Hutter, ICLR 2017; {@code optax.sgdr_schedule}
   */
  public static Schedule cosineRestarts(
      double peak, int first, int growth, int cycles, double end) {
    check(first >= 1, "cosine_restarts", "there is at least one step", first);
    check(growth >= 1, "cosine_restarts", "growth is 1 or more", growth);
    check(cycles >= 1, "cosine_restarts", "there is at least one cycle", cycles);
    List<Schedule> all = new ArrayList<>();
    List<Integer> at = new ArrayList<>();
    long length = first;
    long step = 0;
    for (int i = 0; i < cycles; i++) {
      check(step + length < 1 << 24, "cosine_restarts", "steps stay below 2^24", step + length);
      all.add(cosineDecay(peak, 0, (int) length, end));
      step += length;
      length *= growth;
      if (i + 1 < cycles) {
        at.add((int) step);
      }
    }
    Schedule joined = join(all, at);
    return new Named(
        "cosineRestarts(" + peak + ", " + first + ", " + growth + ", " + cycles + ", " + end + ")",
        joined::at);
  }

  /** Half a cosine wave between two steps, level after the second. */
  private static Tensor wave(Tensor t, int begin, int end, double from, double to) {
    Tensor u = t.minimum(end).sub(begin).div(Math.max(1, end - begin));
    // after the end the value is exact, also if the span is empty
    Tensor v = u.mul(Math.PI).cos().add(1).mul((from - to) / 2).add(to);
    return t.less(end).select(v, Tensor.scalar(t.dtype(), to));
  }

  /**
   * One schedule after the other; each counts its steps from its own beginning. For instance a
   * warm-up of any kind: {@code join(List.of(linear(0, 0.1, 100), exponentialDecay(...)),
   * List.of(100))}.
   *
   * @param boundaries first step of each schedule but the first, ascending
   * @source {@code optax.join_schedules}
   */
  public static Schedule join(List<Schedule> schedules, List<Integer> boundaries) {
    List<Schedule> all = List.copyOf(schedules);
    List<Integer> at = List.copyOf(boundaries);
    check(
        all.size() == at.size() + 1,
        "join",
        "there is one boundary between each two schedules",
        all.size() + " schedules, boundaries " + at);
    check(at.equals(at.stream().sorted().toList()), "join", "boundaries ascend", at);
    return new Named(
        "join(" + all + ", " + at + ")",
        t -> {
          Tensor v = all.get(0).at(t);
          for (int i = 0; i < at.size(); i++) {
            v = t.less(at.get(i)).select(v, all.get(i + 1).at(t.sub(at.get(i))));
          }
          return v;
        });
  }

  private static void check(boolean ok, String who, String rule, Object given) {
    Check.that(ok, "%s: %s: %s; correct it", who, rule, given);
  }
}
