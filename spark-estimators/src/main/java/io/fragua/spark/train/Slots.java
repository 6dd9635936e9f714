package io.fragua.spark.train;

import org.apache.spark.SparkContext;
import org.apache.spark.resource.ResourceProfile;

/** Whether the cluster can run all workers at once; asked on the driver before any job. */
final class Slots {
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

  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("train: interrupted while waiting for executors", e);
    }
  }
}
