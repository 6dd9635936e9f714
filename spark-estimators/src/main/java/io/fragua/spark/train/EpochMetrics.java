package io.fragua.spark.train;

import io.fragua.tensor.Check;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What one pass over the training rows gave.
 *
 * @param epoch counted from 0
 * @param trainLoss weighted mean of the rows' losses, each under the parameters of its step
 * @param validationLoss weighted mean over the validation rows after the epoch; null without any
 * @param validationMetrics weighted means over the validation rows by name; empty without any
 * @param rows training rows seen, all workers together
 * @param seconds from the first step to the end of the validation pass
 */
public record EpochMetrics(
    int epoch,
    double trainLoss,
    Double validationLoss,
    Map<String, Double> validationMetrics,
    long rows,
    double seconds)
    implements Serializable {
  /** Copies the metrics. */
  public EpochMetrics {
    validationMetrics = new TreeMap<>(validationMetrics);
  }

  /**
   * Of sums over the rows.
   *
   * @param loss sum of weighted losses of the rows learnt from
   * @param weights sum of their weights
   * @param held over the validation rows: sums of weighted losses, of weights, and of each weighted
   *     metric; null without any
   * @param metrics their names
   * @throws IllegalArgumentException if the validation rows weigh nothing or their loss is no
   *     finite number
   */
  static EpochMetrics of(
      int epoch,
      double loss,
      double weights,
      double[] held,
      List<String> metrics,
      long rows,
      double seconds) {
    Map<String, Double> means = new TreeMap<>();
    Double validationLoss = null;
    if (held != null) {
      Check.that(
          held[1] > 0,
          "train: validation rows must count something: their weights add up to %s; correct"
              + " weightCol, classWeights or the validation rows",
          held[1]);
      validationLoss = held[0] / held[1];
      Check.that(
          Double.isFinite(validationLoss),
          "train: the validation loss must be a finite number: %s; lower learningRate, set"
              + " clipNorm, or standardize the inputs",
          validationLoss);
      for (int i = 0; i < metrics.size(); i++) {
        means.put(metrics.get(i), held[i + 2] / held[1]);
      }
    }
    return new EpochMetrics(epoch, loss / weights, validationLoss, means, rows, seconds);
  }

  /** Without validation metrics. */
  public EpochMetrics(
      int epoch, double trainLoss, Double validationLoss, long rows, double seconds) {
    this(epoch, trainLoss, validationLoss, Map.of(), rows, seconds);
  }

  /** Training rows a second, validation included. */
  public double rowsPerSecond() {
    return seconds > 0 ? rows / seconds : 0;
  }
}
