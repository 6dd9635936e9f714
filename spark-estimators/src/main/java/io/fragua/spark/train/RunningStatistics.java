package io.fragua.spark.train;

import io.fragua.nn.RunningVariance;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The running statistics of one worker, and how those of several become one: the mean, weighted by
 * rows; of a variance, by the law of total variance, the mean of the variances and the variance of
 * the means, so that it is what one worker would have of all the rows.
 *
 * <p>A worker knows only where its running mean has gone, d = gain * (mean of its rows - running
 * mean before). So it adds d^2 / gain to its variance, which together are gain * (variance of its
 * rows + squared distance of their mean); of the mean over all workers the square of their common
 * way, again divided by the gain, is taken off. Distances are from the running mean, and not from
 * 0, because squares of large numbers would leave nothing of a small variance in f32.
 */
final class RunningStatistics {
  /** Of the names of states among a graph's operands. */
  static final String PREFIX = "state:";

  /** What a step gives, and later the sum of that; and what is now. */
  private record Pair(FloatBuffer next, FloatBuffer now) {}

  private final List<RunningVariance> variances;
  private final Map<String, Pair> all = new LinkedHashMap<>();

  /** Without any statistics yet. */
  RunningStatistics(List<RunningVariance> variances) {
    this.variances = variances;
  }

  /** One more, by its name with prefix. */
  void add(String name, FloatBuffer next, FloatBuffer now) {
    all.put(name, new Pair(next, now));
  }

  /** Makes what a worker has computed its part of the sum of all. */
  void weigh(int rows) {
    for (RunningVariance v : variances) {
      Pair mean = all.get(PREFIX + v.mean());
      addSquares(mean.now, mean.next, all.get(PREFIX + v.variance()).next, v.gain());
    }
    for (Pair p : all.values()) {
      scale(p.next, p.next, rows);
    }
  }

  /**
   * To a variance the square of the way of its mean.
   *
   * @param gain of the running mean on all that way; 0 if it has made none
   */
  static void addSquares(FloatBuffer from, FloatBuffer to, FloatBuffer variance, double gain) {
    for (int i = 0; i < variance.capacity() && gain > 0; i++) {
      double way = to.get(i) - from.get(i);
      variance.put(i, (float) (variance.get(i) + way * way / gain));
    }
  }

  /** Takes the sum over workers of so many rows together. */
  void takeMean(float rows) {
    for (Pair p : all.values()) {
      scale(p.next, p.next, 1 / rows);
    }
    for (RunningVariance v : variances) {
      Pair mean = all.get(PREFIX + v.mean());
      Pair variance = all.get(PREFIX + v.variance());
      takeSquares(mean.now, mean.next, variance.now, variance.next, v.gain());
    }
    take();
  }

  /**
   * Of the mean of variances with {@link #addSquares}, the square of the way of the mean of means.
   *
   * @param old variance before the way, of which the share that the gain leaves is not lost to
   *     rounding
   */
  static void takeSquares(
      FloatBuffer from, FloatBuffer to, FloatBuffer old, FloatBuffer variance, double gain) {
    for (int i = 0; i < variance.capacity() && gain > 0; i++) {
      double way = to.get(i) - from.get(i);
      double least = (1 - gain) * old.get(i);
      variance.put(i, (float) Math.max(least, variance.get(i) - way * way / gain));
    }
  }

  /** Takes what one worker alone has computed. */
  void take() {
    for (Pair p : all.values()) {
      scale(p.next, p.now, 1);
    }
  }

  private static void scale(FloatBuffer from, FloatBuffer to, float factor) {
    for (int i = 0; i < to.capacity(); i++) {
      to.put(i, from.get(i) * factor);
    }
  }
}
