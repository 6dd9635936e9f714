package io.fragua.spark.train;

import org.apache.spark.SparkContext;
import org.apache.spark.resource.ResourceProfile;

/** Whether the cluster can run all workers at once; asked on the driver before any job. */
final class Slots {
  /** Spark's own setting of how long executors of a young application may take to register. */
  private static final String START = "spark.scheduler.maxRegisteredResourcesWaitingTime";

  private Slots() {}

  /**
   * Checks.
   *
   * @throws IllegalArgumentException if there are too few slots, or executors come and go
   */
  static void check(SparkContext sc, int workers, Distribution distribution) {
    if (!sc.isLocal() && sc.conf().getBoolean("spark.dynamicAllocation.enabled", false)) {
      throw new IllegalArgumentException(
          "train: all workers run at once and must stay: spark.dynamicAllocation.enabled is true,"
              + " which adds and removes executors; set distribution to localSgd, or"
              + " spark.dynamicAllocation.enabled to false and ask for the executors with"
              + " spark.executor.instances");
    }
    ResourceProfile profile = WorkerResources.profile(sc, distribution);
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

  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("train: interrupted while waiting for executors", e);
    }
  }
}
