package io.fragua.spark.train;

/**
 * Data-parallel training inside Spark: rows are dealt to {@code numWorkers} tasks of one barrier
 * stage, each keeps its share off-heap, computes gradients of its part of every batch, and all
 * workers sum them over TCP before each makes the same update.
 */
public final class BarrierTrainer {
  private BarrierTrainer() {}

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
