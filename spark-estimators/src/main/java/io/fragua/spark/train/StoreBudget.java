package io.fragua.spark.train;

import java.lang.management.ManagementFactory;
import org.apache.spark.SparkConf;

/** How much memory a worker's rows may take. */
final class StoreBudget {
  /**
   * Bytes of one worker's rows beyond which they go to disk; by default its share of the memory
   * beside the heap.
   */
  static final String KEY = "spark.fragua.train.storeBudget";

  private StoreBudget() {}

  /**
   * The setting, or: what the machine (or container) has beside the Java heap, at least a quarter
   * of it, divided by the workers that share the machine.
   */
  static long of(SparkConf conf, int workersHere) {
    if (conf.contains(KEY)) {
      return conf.getSizeAsBytes(KEY);
    }
    long total =
        ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getTotalMemorySize();
    return Math.max(total - Runtime.getRuntime().maxMemory(), total / 4) / workersHere;
  }
}
