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
  private static final long serialVersionUID = 1;

  /** Scores of label 0 and of label 1, each with room to grow. */
  private final double[][] scores = {new double[16], new double[16]};

  private final int[] sizes = new int[2];

  /** Of no rows yet. */
  public BinaryAuc() {}

  @Override
  public BinaryAuc update(Tensor predictions, Tensor labels) {
    double[][] rows = Rows.numbers("binary_auc", predictions, labels);
    Rows.binary("binary_auc", rows[1]);
    for (int i = 0; i < rows[0].length; i++) {
      int side = (int) rows[1][i];
      room(side, 1);
      scores[side][sizes[side]++] = rows[0][i];
    }
    return this;
  }

  @Override
  public BinaryAuc merge(BinaryAuc other) {
    for (int side = 0; side < 2; side++) {
      int more = other.sizes[side];
      room(side, more);
      System.arraycopy(other.scores[side], 0, scores[side], sizes[side], more);
      sizes[side] += more;
    }
    return this;
  }

  private void room(int side, int more) {
    int needed = Math.addExact(sizes[side], more);
    if (needed > scores[side].length) {
      int grown = (int) Math.min(Integer.MAX_VALUE - 8L, 2L * scores[side].length);
      scores[side] = Arrays.copyOf(scores[side], Math.max(needed, grown));
    }
  }

  /**
   * The area, in [0, 1].
   *
   * @throws IllegalArgumentException if a label has no row
   */
  @Override
  public double value() {
    Check.that(
        sizes[0] > 0 && sizes[1] > 0,
        "binary_auc: needs rows of both labels: %d of 0, %d of 1; update it with more data",
        sizes[0],
        sizes[1]);
    double[] low = Arrays.copyOf(scores[0], sizes[0]);
    double[] high = Arrays.copyOf(scores[1], sizes[1]);
    // -0.0 and 0.0 are one score, but sort and binary order tell them apart
    normalise(low);
    normalise(high);
    Arrays.sort(low);
    Arrays.sort(high);
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

  private static void normalise(double[] v) {
    for (int i = 0; i < v.length; i++) {
      v[i] += 0.0;
    }
  }
}
