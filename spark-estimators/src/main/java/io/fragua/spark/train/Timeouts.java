package io.fragua.spark.train;

import org.apache.spark.SparkConf;

/**
 * How long a worker waits for another.
 *
 * @param connectMs for all to be connected
 * @param silentMs without a sign of life, after which a worker counts as dead
 * @param stuckMs for a worker that lives but does not join an operation
 */
record Timeouts(long connectMs, long silentMs, long stuckMs) {
  /** Time without a sign of life. */
  static final String SILENT = "spark.fragua.collective.timeout";

  /** Time for all workers to find each other. */
  static final String CONNECT = "spark.fragua.collective.connectTimeout";

  /** Time to wait for a worker that lives. */
  static final String STUCK = "spark.fragua.collective.stuckTimeout";

  static Timeouts of(SparkConf conf) {
    return new Timeouts(
        conf.getTimeAsMs(CONNECT, "10s"),
        conf.getTimeAsMs(SILENT, "20s"),
        conf.getTimeAsMs(STUCK, "10m"));
  }
}
