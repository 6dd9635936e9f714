package io.fragua.spark.train;

import java.io.IOException;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

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
   * Whether checkpoints can be written to a folder, which is made; for callers with work to do
   * before the training.
   *
   * @param folder empty for no checkpoints
   * @throws java.io.UncheckedIOException if they cannot
   */
  public static void checkCheckpoints(SparkSession spark, String folder) {
    if (folder.isEmpty()) {
      return;
    }
    try {
      CheckpointFolder.marked(folder, spark.sessionState().newHadoopConf());
    } catch (IOException e) {
      throw CheckpointFolder.unusable(folder, e);
    }
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
   * @throws IllegalArgumentException if the request cannot run: too few slots, no rows, bad values
   * @throws IllegalStateException if a worker failed, naming the worker and the cause
   */
  public static TrainResult train(TrainRequest request) {
    return new TrainJob(request).run();
  }
}
