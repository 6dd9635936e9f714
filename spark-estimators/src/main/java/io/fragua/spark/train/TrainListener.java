package io.fragua.spark.train;

/**
 * Hears, on the driver, how a training goes. Calls come in order from one thread at a time; an
 * exception thrown here stops the training and is thrown by {@link BarrierTrainer#train}.
 */
public interface TrainListener {
  /** Does nothing. */
  TrainListener NONE = new TrainListener() {};

  /** A new phase began: {@code reading}, {@code loading}, {@code training}. */
  default void phase(String name) {}

  /**
   * Progress within an epoch, about five times a second.
   *
   * @param epoch counted from 0
   * @param epochs that were asked for
   * @param rowsDone in this epoch, all workers together
   * @param rowsTotal in an epoch, all workers together
   * @param loss mean over the epoch so far
   */
  default void step(int epoch, int epochs, long rowsDone, long rowsTotal, double loss) {}

  /** An epoch ended. */
  default void epoch(EpochMetrics metrics) {}
}
