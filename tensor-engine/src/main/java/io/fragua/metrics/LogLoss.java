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
  private static final long serialVersionUID = 1;

  private final Total total = new Total();

  /** Of no rows yet. */
  public LogLoss() {}

  @Override
  public LogLoss update(Tensor predictions, Tensor labels) {
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
    for (int i = 0; i < rows; i++) {
      double v =
          Math.min(1 - eps, Math.max(eps, binary ? p[i] : p[i * (p.length / rows) + column[i]]));
      total.add(-Math.log(binary && label[i] == 0 ? 1 - v : v));
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
