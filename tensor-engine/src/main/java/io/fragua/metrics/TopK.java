package io.fragua.metrics;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * Share of rows whose label is among the k classes of the highest scores. Of equal scores the
 * smaller class counts as higher.
 *
 * <p>Takes finite scores [B, K], K of k or more, and i32 labels [B].
 *
 * @source scikit-learn {@code top_k_accuracy_score}, which breaks ties the other way
 */
public final class TopK implements Metric<TopK> {
  private static final long serialVersionUID = 1;

  private final int k;
  private long rows;
  private long right;

  /**
   * Of no rows yet.
   *
   * @param k 1 or more
   */
  public TopK(int k) {
    Check.that(k >= 1, "top_k: k is 1 or more: %d; correct it", k);
    this.k = k;
  }

  @Override
  public TopK update(Tensor predictions, Tensor labels) {
    int[] wanted = Rows.classes("top_k", predictions, labels);
    double[] scores = Rows.finite("top_k", "predictions", predictions);
    int classes = predictions.shape().dim(1);
    Check.shape(
        classes >= k, "top_k: there are k classes or more: %s for k %d; lower k", predictions, k);
    for (int i = 0; i < wanted.length; i++) {
      double own = scores[i * classes + wanted[i]];
      int before = 0;
      for (int c = 0; c < classes; c++) {
        double s = scores[i * classes + c];
        before += s > own || s == own && c < wanted[i] ? 1 : 0;
      }
      right += before < k ? 1 : 0;
    }
    rows += wanted.length;
    return this;
  }

  @Override
  public TopK merge(TopK other) {
    Check.that(
        k == other.k, "top_k: merges with the same k: %d and %d; make them alike", k, other.k);
    rows += other.rows;
    right += other.right;
    return this;
  }

  @Override
  public double value() {
    Rows.some("top_k", rows);
    return (double) right / rows;
  }
}
