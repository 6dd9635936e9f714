package io.fragua.metrics;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * Share of rows whose predicted class is the label, for any number of classes.
 *
 * <p>Takes i32 predictions [B], the classes, or finite scores [B, K], whose first maximum is the
 * class; and i32 labels [B].
 *
 * @source scikit-learn {@code accuracy_score}
 */
public final class Accuracy implements Metric<Accuracy> {
  private static final long serialVersionUID = 2;

  private final Weighted right = new Weighted();

  /** Of no rows yet. */
  public Accuracy() {}

  @Override
  public Accuracy update(Tensor predictions, Tensor labels) {
    return update(predictions, labels, null);
  }

  /**
   * As {@link #update(Tensor, Tensor)}, each row counted by its weight.
   *
   * @param weights [B], finite and 0 or more; null for 1 each
   * @source scikit-learn {@code sample_weight}
   */
  public Accuracy update(Tensor predictions, Tensor labels, Tensor weights) {
    boolean scores = predictions.shape().rank() == 2;
    int[] wanted =
        scores
            ? Rows.classes("accuracy", predictions, labels)
            : Rows.ids("accuracy", "labels", labels, Integer.MAX_VALUE);
    if (scores) {
      Rows.finite("accuracy", "predictions", predictions);
    }
    int[] given =
        scores
            ? predictions.argmax(1).toInts()
            : Rows.ids("accuracy", "predictions", predictions, Integer.MAX_VALUE);
    Check.shape(
        given.length == wanted.length,
        "accuracy: takes as many predictions as labels: %s with %s; correct one of them",
        predictions.type(),
        labels.type());
    double[] w = Rows.weights("accuracy", weights, given.length);
    for (int i = 0; i < given.length; i++) {
      right.add(given[i] == wanted[i] ? 1 : 0, w[i]);
    }
    return this;
  }

  @Override
  public Accuracy merge(Accuracy other) {
    right.add(other.right);
    return this;
  }

  @Override
  public double value() {
    return right.mean("accuracy");
  }
}
