package io.fragua.spark.train;

import io.fragua.tensor.Check;
import java.util.function.IntSupplier;
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
              + " cores"
              + (distribution.gpus() > 0 ? " and " + distribution.gpus() + " GPU" : "")
              + "): "
              + workers
              + " workers, "
              + slots
              + " slots with master "
              + sc.master()
              + "; set numWorkers to at most "
              + slots
              + (distribution.gpus() > 0
                  ? " or add executors with GPUs (spark.executor.resource.gpu.amount)"
                  : " or add executors"));
    }
  }

  /**
   * Waits, after an executor was lost, until all workers can run again.
   *
   * @param hung slots of workers that were given up but still run, for which Spark would wait
   *     without end
   * @throws IllegalArgumentException if there are too few slots when the time is over
   */
  static void await(SparkContext sc, int workers, Distribution distribution, IntSupplier hung) {
    long limitMs = sc.conf().getTimeAsMs(REPLACEMENT, "120s");
    long end = System.nanoTime() + limitMs * 1_000_000L;
    ResourceProfile profile = WorkerResources.profile(sc, distribution);
    int slots = sc.maxNumConcurrentTasks(profile);
    while (slots - hung.getAsInt() < workers && System.nanoTime() - end < 0) {
      pause();
      slots = sc.maxNumConcurrentTasks(profile);
    }
    check(sc, workers, distribution);
    int held = hung.getAsInt();
    Check.that(
        slots - held >= workers,
        "train: workers that were given up must leave their slots within %d ms (%s): %d of %d slots"
            + " are still held, for %d workers; end what the held ones wait for, or their"
            + " executors, or add executors",
        limitMs,
        REPLACEMENT,
        held,
        slots,
        workers);
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
