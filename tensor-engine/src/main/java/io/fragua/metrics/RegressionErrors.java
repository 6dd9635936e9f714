package io.fragua.metrics;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * Mean squared and absolute errors, and the share of variance explained.
 *
 * <p>Takes finite predictions [B] and labels [B].
 *
 * @source scikit-learn {@code mean_squared_error}, {@code mean_absolute_error}, {@code r2_score},
 *     {@code mean_absolute_percentage_error}, {@code max_error}
 */
public final class RegressionErrors implements Metric<RegressionErrors> {
  private static final long serialVersionUID = 3;

  private final Weighted squares = new Weighted();
  private final Weighted sizes = new Weighted();
  private final Weighted shares = new Weighted();
  private double most;

  /** Mean of the labels and the sum of their squared distances from it, both so far. */
  private double mean;

  private double spread;

  /** Of no rows yet. */
  public RegressionErrors() {}

  @Override
  public RegressionErrors update(Tensor predictions, Tensor labels) {
    return update(predictions, labels, null);
  }

  /**
   * As {@link #update(Tensor, Tensor)}, each row counted by its weight, and not at all if that is
   * 0.
   *
   * @param weights [B], finite and 0 or more; null for 1 each
   * @source scikit-learn {@code sample_weight}
   */
  public RegressionErrors update(Tensor predictions, Tensor labels, Tensor weights) {
    double[][] rows = Rows.numbers("regression_errors", predictions, labels);
    double[] w = Rows.weights("regression_errors", weights, rows[0].length);
    for (int i = 0; i < rows[0].length; i++) {
      if (w[i] == 0) {
        continue;
      }
      double label = rows[1][i];
      double error = rows[0][i] - label;
      squares.add(error * error, w[i]);
      sizes.add(Math.abs(error), w[i]);
      shares.add(Math.abs(error) / Math.max(Math.abs(label), 0x1p-52), w[i]);
      most = Math.max(most, Math.abs(error));
      // Welford (West, 1979, of weights): exact for labels far from 0, where sums of squares cancel
      double off = label - mean;
      mean += off * w[i] / squares.weight();
      spread += w[i] * off * (label - mean);
    }
    return this;
  }

  @Override
  public RegressionErrors merge(RegressionErrors other) {
    double n = squares.weight();
    double m = other.squares.weight();
    if (m == 0) {
      return this;
    }
    // Chan, Golub and LeVeque, 1979
    double off = other.mean - mean;
    mean = n == 0 ? other.mean : mean + off * m / (n + m); // exact, as spreads of 0 must stay
    spread += other.spread + off * off * n * m / (n + m);
    squares.add(other.squares);
    sizes.add(other.sizes);
    shares.add(other.shares);
    most = Math.max(most, other.most);
    return this;
  }

  /** {@link #mse}. */
  @Override
  public double value() {
    return mse();
  }

  /** Mean of squared errors. */
  public double mse() {
    return squares.mean("regression_errors");
  }

  /** Root of {@link #mse}. */
  public double rmse() {
    return Math.sqrt(mse());
  }

  /** Mean of absolute errors. */
  public double mae() {
    return sizes.mean("regression_errors");
  }

  /** Mean of |error| / |label|, 1 for 100 %; labels count as 2^-52 at least. */
  public double mape() {
    return shares.mean("regression_errors");
  }

  /** The largest absolute error. */
  public double most() {
    Rows.some("regression_errors", squares.rows());
    return most;
  }

  /**
   * 1 - squared errors / squared distances of the labels from their mean: 1 is perfect, 0 as good
   * as the mean, below 0 worse.
   *
   * @throws IllegalArgumentException if all labels are equal
   */
  public double r2() {
    Rows.some("regression_errors", squares.rows());
    Check.that(
        spread > 0,
        "regression_errors: r2 needs labels that differ: %d rows with mean %s; use mse",
        squares.rows(),
        mean);
    return 1 - squares.sum() / spread;
  }
}
