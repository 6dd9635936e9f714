package io.fragua.spark.train;

import java.io.Serializable;
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
