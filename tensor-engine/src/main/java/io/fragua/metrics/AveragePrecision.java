package io.fragua.metrics;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * Area under the precision-recall curve, by steps: the mean, over the rows of label 1, of the
 * precision among all rows whose score is at least theirs. For rare labels it says more than {@link
 * BinaryAuc}. Exact: all scores are kept, 8 bytes a row.
 *
 * <p>Takes finite scores [B], of any scale, and labels [B], 0 or 1.
 *
 * @source scikit-learn {@code average_precision_score}
 */
public final class AveragePrecision implements Metric<AveragePrecision> {
  private static final long serialVersionUID = 1;

  private final Scores scores = new Scores();

  /** Of no rows yet. */
  public AveragePrecision() {}

  @Override
  public AveragePrecision update(Tensor predictions, Tensor labels) {
    double[][] rows = Rows.numbers("average_precision", predictions, labels);
    Rows.binary("average_precision", rows[1]);
    for (int i = 0; i < rows[0].length; i++) {
      scores.add((int) rows[1][i], rows[0][i]);
    }
    return this;
  }

  @Override
  public AveragePrecision merge(AveragePrecision other) {
    scores.add(other.scores);
    return this;
  }

  /**
   * The area, in [0, 1].
   *
   * @throws IllegalArgumentException if there is no row of label 1
   */
  @Override
  public double value() {
    Check.that(
        scores.size(1) > 0,
        "average_precision: needs rows of label 1: %d of 0, none of 1; update it with more data",
        scores.size(0));
    double[] low = scores.sorted(0);
    double[] high = scores.sorted(1);
    int wrong = low.length; // not yet above the score
    Total sum = new Total();
    for (int i = high.length - 1; i >= 0; ) {
      int first = i;
      while (first > 0 && high[first - 1] == high[i]) {
        first--;
      }
      while (wrong > 0 && low[wrong - 1] >= high[i]) {
        wrong--;
      }
      double right = (double) high.length - first;
      double precision = right / (right + low.length - wrong);
      sum.add(precision * (i - first + 1));
      i = first - 1;
    }
    return sum.sum() / high.length;
  }
}
