package io.fragua.spark.train;

import io.netty.util.internal.PlatformDependent;
import java.lang.management.BufferPoolMXBean;
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
   * The setting, or: half of what the machine (or container) has beside the Java heap, which the
   * JVM itself and the engine need as well, at least a sixteenth of it, divided by the workers that
   * share the machine.
   */
  static long of(SparkConf conf, int workersHere) {
    if (conf.contains(KEY)) {
      return conf.getSizeAsBytes(KEY);
    }
    long total =
        ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getTotalMemorySize();
    return Math.max((total - Runtime.getRuntime().maxMemory()) / 2, total / 16) / workersHere;
  }

  /**
   * Whether the process may take so many bytes more of the memory that Arrow's comes from. Netty
   * counts it, up to {@code -XX:MaxDirectMemorySize}, by default the size of the heap; an eighth is
   * left to Spark's own transfers.
   */
  static boolean mayTake(long bytes) {
    long most = PlatformDependent.maxDirectMemory();
    long used = PlatformDependent.usedDirectMemory();
    if (used < 0) { // it lets the JDK count
      used = 0;
      for (var p : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
        used += p.getName().equals("direct") ? p.getMemoryUsed() : 0;
      }
    }
    return used + bytes <= most - most / 8;
  }
}
