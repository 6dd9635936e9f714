package io.fragua.spark.train;

import org.apache.spark.SparkContext;
import org.apache.spark.resource.ResourceProfile;

/** Whether the cluster can run the workers; asked on the driver before any job. */
final class Slots {
  /** Spark's own setting of how long executors of a young application may take to register. */
  private static final String START = "spark.scheduler.maxRegisteredResourcesWaitingTime";

  /** How long a lost executor's replacement may take. */
  static final String REPLACEMENT = "spark.fragua.train.replacementTimeout";

  private Slots() {}

  /**
   * Checks, and besides that settings can be read and workers get what they ask for.
   *
   * @throws IllegalArgumentException if there are too few slots, or executors come and go
   */
  static void check(SparkContext sc, int workers, Distribution distribution) {
    Settings.check(sc.conf());
    ResourceProfile profile = WorkerResources.profile(sc, distribution);
    if (distribution.local()) {
      return; // its workers need not run at once
    }
    if (!sc.isLocal() && sc.conf().getBoolean("spark.dynamicAllocation.enabled", false)) {
      throw new IllegalArgumentException(
          "train: all workers run at once and must stay: spark.dynamicAllocation.enabled is true,"
              + " which adds and removes executors; set distribution to localSgd, or"
              + " spark.dynamicAllocation.enabled to false and ask for the executors with"
              + " spark.executor.instances");
    }
    int slots = sc.maxNumConcurrentTasks(profile);
    long startMs = sc.conf().getTimeAsMs(START, "30s");
    while (slots < workers
        && !sc.isLocal()
        && System.currentTimeMillis() - sc.startTime() < startMs) {
      pause();
      slots = sc.maxNumConcurrentTasks(profile);
    }
    if (slots < workers) {
      throw new IllegalArgumentException(
          "train: all workers run at once, each in a slot of its own ("
              + (distribution.cpus() > 0 ? distribution.cpus() : "spark.task.cpus")
              + " cores): "
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
  static void await(SparkContext sc, int workers, Distribution distribution) {
    long end = System.nanoTime() + sc.conf().getTimeAsMs(REPLACEMENT, "120s") * 1_000_000L;
    ResourceProfile profile = WorkerResources.profile(sc, distribution);
    while (sc.maxNumConcurrentTasks(profile) < workers && System.nanoTime() - end < 0) {
      pause();
    }
    check(sc, workers, distribution);
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
