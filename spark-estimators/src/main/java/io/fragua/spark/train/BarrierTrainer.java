package io.fragua.spark.train;

import org.apache.spark.SparkContext;

/**
 * Data-parallel training inside Spark: rows are dealt to {@code numWorkers} tasks of one barrier
 * stage, each keeps its share off-heap, computes gradients of its part of every batch, and all
 * workers sum them over TCP before each makes the same update.
 */
public final class BarrierTrainer {
  private BarrierTrainer() {}

  /**
   * Whether this cluster can run so many workers, for callers with work to do before the training.
   *
   * @throws IllegalArgumentException if there are too few slots, executors come and go, or a
   *     setting cannot be read
   */
  public static void checkCluster(SparkContext spark, int workers, Distribution distribution) {
    Slots.check(spark, workers, distribution);
  }

  /**
   * Workers that the cluster can run at once now.
   *
   * @throws IllegalArgumentException if it cannot give workers what they ask for
   */
  public static int slots(SparkContext spark, Distribution distribution) {
    return spark.maxNumConcurrentTasks(WorkerResources.profile(spark, distribution));
  }

  /**
   * Trains; returns when all epochs are done or early stopping ended them.
   *
   * @param checkpoints open, in the folder that the request names
   * @throws IllegalArgumentException if the request cannot run: too few slots, no rows, bad values
   * @throws IllegalStateException if a worker failed, naming the worker and the cause
   */
  public static TrainResult train(TrainRequest request, Checkpoints checkpoints) {
    return new TrainJob(request).run(checkpoints);
  }
}
