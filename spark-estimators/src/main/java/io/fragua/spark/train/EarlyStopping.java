package io.fragua.spark.train;

/** Finds the epoch of the best validation loss, and says when it lies too far back. */
final class EarlyStopping {
  private final int patience;
  private double best;
  private int worse;

  /**
   * Goes on from a position.
   *
   * @param patience epochs without a better loss before the training ends; 0 for never
   */
  EarlyStopping(int patience, Position from) {
    this.patience = patience;
    best = from.best();
    worse = from.worse();
  }

  /** Whether an epoch of this loss is the best so far; never without patience. */
  boolean improves(Double validationLoss) {
    if (patience == 0) {
      return false;
    }
    if (validationLoss < best) {
      best = validationLoss;
      worse = 0;
      return true;
    }
    worse++;
    return false;
  }

  /** Whether the training ends. */
  boolean ends() {
    return patience > 0 && worse >= patience;
  }

  /** The best loss; infinite before there is one. */
  double best() {
    return best;
  }

  /** Epochs since the best. */
  int worse() {
    return worse;
  }
}
