package io.fragua.metrics;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.Arrays;

/**
 * Area under the ROC curve: the chance that a row of label 1 has a higher score than one of label
 * 0, where equal scores count half. Exact: all scores are kept, 8 bytes a row, and sorted when the
 * value is asked for.
 *
 * <p>Takes finite scores [B], of any scale, and labels [B], 0 or 1.
 *
 * @source Mann and Whitney, 1947; scikit-learn {@code roc_auc_score}
 */
public final class BinaryAuc implements Metric<BinaryAuc> {
  private static final long serialVersionUID = 3;

  private final Scores scores = new Scores();

  /** Of no rows yet. */
  public BinaryAuc() {}

  @Override
  public BinaryAuc update(Tensor predictions, Tensor labels) {
    return update(predictions, labels, null);
  }

  /**
   * As {@link #update(Tensor, Tensor)}, each row counted by its weight; 8 bytes a row more.
   *
   * @param weights [B], finite and 0 or more; null for 1 each
   * @source scikit-learn {@code sample_weight}
   */
  public BinaryAuc update(Tensor predictions, Tensor labels, Tensor weights) {
    double[][] rows = Rows.numbers("binary_auc", predictions, labels);
    Rows.binary("binary_auc", rows[1]);
    double[] w = Rows.weights("binary_auc", weights, rows[0].length);
    for (int i = 0; i < rows[0].length; i++) {
      scores.add((int) rows[1][i], rows[0][i], w[i]);
    }
    return this;
  }

  @Override
  public BinaryAuc merge(BinaryAuc other) {
    scores.add(other.scores);
    return this;
  }

  /**
   * The area, in [0, 1].
   *
   * @throws IllegalArgumentException if a label has no row
   */
  @Override
  public double value() {
    Check.that(
        scores.size(0) > 0 && scores.size(1) > 0,
        "binary_auc: needs rows of both labels: %d of 0, %d of 1; update it with more data",
        scores.size(0),
        scores.size(1));
    if (scores.weighted()) {
      return weighted();
    }
    double[] low = scores.sorted(0);
    double[] high = scores.sorted(1);
    long twice = 0;
    int below = 0;
    int upTo = 0;
    for (double h : high) {
      while (below < low.length && low[below] < h) {
        below++;
      }
      while (upTo < low.length && low[upTo] <= h) {
        upTo++;
      }
      twice += (long) below + upTo;
    }
    return twice / 2.0 / ((double) low.length * high.length);
  }

  private double weighted() {
    double[][] low = scores.sortedWithWeights(0);
    double[][] high = scores.sortedWithWeights(1);
    double all = Arrays.stream(low[1]).sum();
    double right = Arrays.stream(high[1]).sum();
    Check.that(
        all > 0 && right > 0,
        "binary_auc: needs weight of both labels: %s of 0, %s of 1; update it with more data",
        all,
        right);
    Total area = new Total();
    double below = 0;
    double upTo = 0;
    int b = 0;
    int u = 0;
    for (int i = 0; i < high[0].length; i++) {
      for (; b < low[0].length && low[0][b] < high[0][i]; b++) {
        below += low[1][b];
      }
      for (; u < low[0].length && low[0][u] <= high[0][i]; u++) {
        upTo += low[1][u];
      }
      area.add(high[1][i] * (below + upTo) / 2);
    }
    return area.sum() / all / right;
  }
}
