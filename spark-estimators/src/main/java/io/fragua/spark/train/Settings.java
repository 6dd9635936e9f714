package io.fragua.spark.train;

import io.fragua.tensor.Check;
import java.util.List;
import java.util.function.Predicate;
import org.apache.spark.SparkConf;

/**
 * Checks on the driver the settings of Spark's that workers read. In a worker one that cannot be
 * read would look like a worker that was lost.
 */
final class Settings {
  private Settings() {}

  /**
   * Checks all that are set.
   *
   * @throws IllegalArgumentException naming the first that cannot be read
   */
  static void check(SparkConf conf) {
    for (String key :
        List.of(Timeouts.SILENT, Timeouts.CONNECT, Timeouts.STUCK, Slots.REPLACEMENT)) {
      check(conf, key, "a time from 1ms up, as 20s or 10m", c -> c.getTimeAsMs(key) > 0);
    }
    for (String key : List.of(OverlappedCollective.KEY, SharedMemory.KEY)) {
      check(conf, key, "true or false", c -> c.getBoolean(key, true) || true);
    }
    String budget = StoreBudget.KEY;
    check(conf, budget, "a number of bytes from 0 up, as 512m", c -> c.getSizeAsBytes(budget) >= 0);
  }

  private static void check(SparkConf conf, String key, String rule, Predicate<SparkConf> fits) {
    if (!conf.contains(key)) {
      return;
    }
    boolean ok;
    try {
      ok = fits.test(conf);
    } catch (IllegalArgumentException e) { // refused with the text as it was given
      ok = false;
    }
    Check.that(ok, "train: %s: must be %s: \"%s\"; correct or unset it", key, rule, conf.get(key));
  }
}
