package io.fragua.metrics;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * Mean of numbers by weights, for instance of a loss: of each row and its weight, or of each batch
 * and its number of rows.
 *
 * <p>Takes finite values [B] and weights [B], finite and 0 or more; null for 1 each.
 *
 * @source NumPy {@code average}
 */
public final class WeightedMean implements Metric<WeightedMean> {
  private static final long serialVersionUID = 1;

  private final Weighted mean = new Weighted();

  /** Of no values yet. */
  public WeightedMean() {}

  /**
   * Adds a batch.
   *
   * @param values [B]
   * @param weights [B]; null for 1 each
   */
  @Override
  public WeightedMean update(Tensor values, Tensor weights) {
    Check.shape(
        values.shape().rank() == 1,
        "weighted_mean: takes values [B]: %s; reshape them",
        values.type());
    double[] v = Rows.finite("weighted_mean", "values", values);
    double[] w = Rows.weights("weighted_mean", weights, v.length);
    for (int i = 0; i < v.length; i++) {
      mean.add(v[i], w[i]);
    }
    return this;
  }

  /**
   * Adds one value, for instance the mean loss of a batch by its number of rows.
   *
   * @param weight finite and 0 or more
   */
  public WeightedMean update(double value, double weight) {
    Check.that(
        Double.isFinite(value) && weight >= 0 && Double.isFinite(weight),
        "weighted_mean: a value is finite, a weight finite and not negative: %s, %s; look for a"
            + " diverged training",
        value,
        weight);
    mean.add(value, weight);
    return this;
  }

  @Override
  public WeightedMean merge(WeightedMean other) {
    mean.add(other.mean);
    return this;
  }

  @Override
  public double value() {
    return mean.mean("weighted_mean");
  }
}
