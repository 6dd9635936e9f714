package io.fragua.examples.bench;

import io.fragua.exec.Profile;
import io.fragua.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * Something that Fragua and its peers compute alike, and how much better Fragua has to be.
 *
 * @param row what the table calls it
 * @param function what the peers call it: a function of their scripts
 * @param settings for that function, written as JSON
 * @param threads that each may use; 0 for as many as were asked for
 * @param tolerance of the results: norm of the difference over norm of the result
 * @param unit of the figures
 * @param scale figures are seconds of one run times this, or what {@link Measured} gives
 * @param against the peers
 * @param ours makes it ready here, for a number of threads
 */
record Workload(
    String row,
    String function,
    Map<String, Object> settings,
    int threads,
    double tolerance,
    String unit,
    double scale,
    List<Against> against,
    Start ours) {

  /** A row in milliseconds, of as many threads as were asked for. */
  static Workload milliseconds(
      String row,
      String function,
      Map<String, Object> settings,
      double tolerance,
      List<Against> against,
      Start ours) {
    return new Workload(row, function, settings, 0, tolerance, "ms", 1e3, against, ours);
  }

  /**
   * A peer of one workload.
   *
   * @param peer key that the peers' script knows
   * @param reach how many times better than this peer Fragua aims to be
   */
  record Against(String peer, double reach) {}

  /** Makes a workload ready. */
  @FunctionalInterface
  interface Start {
    /** Compiles and fills; {@code threads} may be used. */
    Ours start(int threads);
  }

  /** A workload that is ready here. Not thread-safe. */
  interface Ours extends AutoCloseable {
    /** What the peers need, by the names that they know. */
    Map<String, Tensor> inputs();

    /** Computes what is compared with the peers' results. Called once, before the first run. */
    Map<String, Tensor> outputs();

    /** What is timed. */
    void run();

    /** Where the time of so many runs goes; by default all of it into one step. */
    default Profile profile(int runs) {
      return Profile.of("run", runs, this::run);
    }

    @Override
    void close();
  }

  /** A workload whose figure is not the time of a run. */
  interface Measured extends Ours {
    /** Measures once; in seconds, if the figure is a time. */
    double figure();
  }
}
