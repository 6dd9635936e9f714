package io.fragua.spark.train;

import org.apache.spark.SecurityManager;
import org.apache.spark.SparkContext;
import org.apache.spark.resource.ResourceProfile;

/** Whether the cluster can run all workers at once; asked on the driver before any job. */
final class Slots {
  /** How long a lost executor's replacement may take. */
  static final String REPLACEMENT = "spark.fragua.train.replacementTimeout";

  /** How long executors of a young application may take to register. */
  private static final long START_MS = 30_000;

  private Slots() {}

  /**
   * Checks.
   *
   * @throws IllegalArgumentException if there are too few slots, or executors come and go
   */
  static void check(SparkContext sc, int workers) {
    if (!sc.isLocal() && sc.conf().getBoolean("spark.dynamicAllocation.enabled", false)) {
      throw new IllegalArgumentException(
          "train: all workers run at once and must stay: spark.dynamicAllocation.enabled is true,"
              + " which adds and removes executors; set it to false and ask for the executors with"
              + " spark.executor.instances");
    }
    ResourceProfile profile = sc.resourceProfileManager().defaultResourceProfile();
    int slots = sc.maxNumConcurrentTasks(profile);
    while (slots < workers
        && !sc.isLocal()
        && System.currentTimeMillis() - sc.startTime() < START_MS) {
      pause();
      slots = sc.maxNumConcurrentTasks(profile);
    }
    if (slots < workers) {
      throw new IllegalArgumentException(
          "train: all workers run at once, each in a slot of its own (spark.task.cpus cores): "
              + workers
              + " workers, "
              + slots
              + " slots with master "
              + sc.master()
              + "; set numWorkers to at most "
              + slots
              + " or add executors");
    }
  }

  /**
   * Waits, after an executor was lost, until all workers can run again.
   *
   * @throws IllegalArgumentException if there are too few slots when the time is over
   */
  static void await(SparkContext sc, int workers) {
    long end = System.nanoTime() + sc.conf().getTimeAsMs(REPLACEMENT, "120s") * 1_000_000L;
    ResourceProfile profile = sc.resourceProfileManager().defaultResourceProfile();
    while (sc.maxNumConcurrentTasks(profile) < workers && System.nanoTime() - end < 0) {
      pause();
    }
    check(sc, workers);
  }

  /**
   * Workers' sums travel in clear text, which a cluster that encrypts its traffic must not find out
   * later.
   *
   * @throws IllegalArgumentException if Spark's traffic is encrypted and workers would talk
   */
  static void checkEncryption(SecurityManager security, int workers) {
    if (workers > 1 && (security.isEncryptionEnabled() || security.isSslRpcEnabled())) {
      throw new IllegalArgumentException(
          "train: what workers exchange is authenticated but not encrypted: "
              + workers
              + " workers, and Spark's network encryption is on; set numWorkers to 1, or turn"
              + " spark.network.crypto.enabled and spark.ssl.rpc.enabled off on a trusted network");
    }
  }

  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("train: interrupted while waiting for executors", e);
    }
  }
}
