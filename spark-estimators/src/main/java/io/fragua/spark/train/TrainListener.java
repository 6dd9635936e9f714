package io.fragua.spark.train;

/**
 * Hears, on the driver, how a training goes, and may end it. Calls come in order from one thread at
 * a time; an exception thrown here stops the training and is thrown by {@link
 * BarrierTrainer#train}.
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

  /**
   * An epoch ended. The workers wait for this call, so it should not take long: after nine tenths
   * of {@code spark.fragua.collective.stuckTimeout} the training fails.
   */
  default void epoch(EpochMetrics metrics) {}

  /**
   * An executor was lost, and the training goes on from its last checkpoint or from the start: the
   * phases and epochs from there on are heard again.
   *
   * @param retry counted from 1
   * @param cause the error that would have been thrown if no retry were left
   */
  default void retry(int retry, RuntimeException cause) {}

  /**
   * Asked after every {@link #step} and {@link #epoch}: true ends the training in good order. After
   * an epoch it is the last one; after a step it is cut short within the next few steps, measured
   * and heard of as any other. The model is what was learnt by then, or the best epoch's with early
   * stopping.
   */
  default boolean stopRequested() {
    return false;
  }
}
