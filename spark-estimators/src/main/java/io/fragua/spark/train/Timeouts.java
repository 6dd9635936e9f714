package io.fragua.spark.train;

import org.apache.spark.SparkConf;

/**
 * How long a worker waits for another.
 *
 * @param connectMs for the ring to form
 * @param readMs without a byte from a neighbour that owes some
 */
record Timeouts(long connectMs, long readMs) {
  /** Time without a byte after which a peer counts as dead. */
  static final String READ = "spark.fragua.collective.timeout";

  /** Time for all workers to find each other. */
  static final String CONNECT = "spark.fragua.collective.connectTimeout";

  static Timeouts of(SparkConf conf) {
    return new Timeouts(conf.getTimeAsMs(CONNECT, "10s"), conf.getTimeAsMs(READ, "20s"));
  }
}
