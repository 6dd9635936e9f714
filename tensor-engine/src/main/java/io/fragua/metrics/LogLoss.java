package io.fragua.metrics;

import io.fragua.tensor.Tensor;

/**
 * Mean of -log(probability of the label), natural logarithm. Probabilities are bounded to [eps, 1 -
 * eps], eps the spacing of their type at 1, so that one wrong certainty is not infinite.
 *
 * <p>Takes probabilities of label 1 [B] with labels [B], 0 or 1; or probabilities of classes [B, K]
 * with i32 labels [B]. Rows of [B, K] should add up to 1, which is not checked.
 *
 * @source scikit-learn {@code log_loss}
 */
public final class LogLoss implements Metric<LogLoss> {
  private static final long serialVersionUID = 2;

  private final Weighted total = new Weighted();

  /** Of no rows yet. */
  public LogLoss() {}

  @Override
  public LogLoss update(Tensor predictions, Tensor labels) {
    return update(predictions, labels, null);
  }

  /**
   * As {@link #update(Tensor, Tensor)}, each row counted by its weight.
   *
   * @param weights [B], finite and 0 or more; null for 1 each
   * @source scikit-learn {@code sample_weight}
   */
  public LogLoss update(Tensor predictions, Tensor labels, Tensor weights) {
    boolean binary = predictions.shape().rank() == 1;
    double[] p;
    int[] column = null;
    double[] label = null;
    if (binary) {
      double[][] rows = Rows.numbers("log_loss", predictions, labels);
      p = rows[0];
      label = rows[1];
      Rows.binary("log_loss", label);
    } else {
      column = Rows.classes("log_loss", predictions, labels);
      p = Rows.finite("log_loss", "predictions", predictions);
    }
    Rows.probabilities("log_loss", p);
    double eps =
        switch (predictions.dtype()) {
          case F64 -> 0x1p-52;
          case F16 -> 0x1p-10;
          case BF16 -> 0x1p-7;
          default -> 0x1p-23;
        };
    int rows = predictions.shape().dim(0);
    double[] w = Rows.weights("log_loss", weights, rows);
    for (int i = 0; i < rows; i++) {
      double v =
          Math.min(1 - eps, Math.max(eps, binary ? p[i] : p[i * (p.length / rows) + column[i]]));
      total.add(-Math.log(binary && label[i] == 0 ? 1 - v : v), w[i]);
    }
    return this;
  }

  @Override
  public LogLoss merge(LogLoss other) {
    total.add(other.total);
    return this;
  }

  @Override
  public double value() {
    return total.mean("log_loss");
  }

  /** e to the mean: of how many equally likely choices the labels were as hard to guess. */
  public double perplexity() {
    return Math.exp(value());
  }
}
