package io.fragua.metrics;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * How far probabilities are from shares: rows are put into bins of equal width by their
 * probability, and the distance of a bin's mean probability from its share of right rows is
 * averaged, weighed by rows (the expected calibration error). Beside it the largest distance of a
 * bin and Brier's score.
 *
 * <p>Takes probabilities of label 1 [B] with labels [B], 0 or 1. For classes give the largest
 * probability of each row, and 1 where that class is the label.
 *
 * @source Naeini, Cooper and Hauskrecht, AAAI 2015; scikit-learn {@code calibration_curve}, {@code
 *     brier_score_loss}
 */
public final class CalibrationError implements Metric<CalibrationError> {
  private static final long serialVersionUID = 1;

  private final Total[] probabilities;
  private final long[] right;
  private final Total brier = new Total();

  /** With 10 bins. */
  public CalibrationError() {
    this(10);
  }

  /**
   * Of no rows yet.
   *
   * @param bins 1 to 10000
   */
  public CalibrationError(int bins) {
    Check.that(
        bins >= 1 && bins <= 10000,
        "calibration_error: takes 1 to 10000 bins: %d; correct the number",
        bins);
    probabilities = new Total[bins];
    for (int i = 0; i < bins; i++) {
      probabilities[i] = new Total();
    }
    right = new long[bins];
  }

  @Override
  public CalibrationError update(Tensor predictions, Tensor labels) {
    double[][] rows = Rows.numbers("calibration_error", predictions, labels);
    Rows.binary("calibration_error", rows[1]);
    Rows.probabilities("calibration_error", rows[0]);
    for (int i = 0; i < rows[0].length; i++) {
      double p = rows[0][i];
      int bin = Math.max(0, (int) Math.ceil(p * right.length) - 1); // its upper edge is in a bin
      probabilities[bin].add(p);
      right[bin] += (long) rows[1][i];
      brier.add((p - rows[1][i]) * (p - rows[1][i]));
    }
    return this;
  }

  @Override
  public CalibrationError merge(CalibrationError other) {
    Check.that(
        right.length == other.right.length,
        "calibration_error: merges with as many bins: %d and %d; make them alike",
        right.length,
        other.right.length);
    for (int i = 0; i < right.length; i++) {
      probabilities[i].add(other.probabilities[i]);
      right[i] += other.right[i];
    }
    brier.add(other.brier);
    return this;
  }

  /** Mean distance, weighed by rows. */
  @Override
  public double value() {
    Rows.some("calibration_error", brier.count());
    double sum = 0;
    for (int i = 0; i < right.length; i++) {
      sum += Math.abs(probabilities[i].sum() - right[i]);
    }
    return sum / brier.count();
  }

  /** Largest distance of a bin that has rows. */
  public double most() {
    Rows.some("calibration_error", brier.count());
    double most = 0;
    for (int i = 0; i < right.length; i++) {
      long n = probabilities[i].count();
      most = n == 0 ? most : Math.max(most, Math.abs(probabilities[i].sum() - right[i]) / n);
    }
    return most;
  }

  /** Mean of (probability - label)^2. */
  public double brier() {
    return brier.mean("calibration_error");
  }
}
