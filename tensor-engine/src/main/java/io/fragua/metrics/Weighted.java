package io.fragua.metrics;

import io.fragua.tensor.Check;
import java.io.Serializable;

/** A weighted mean of which neither sum loses digits. */
final class Weighted implements Serializable {
  private static final long serialVersionUID = 1;

  private final Total sum = new Total();
  private final Total weights = new Total();

  void add(double v, double weight) {
    sum.add(v * weight);
    weights.add(weight);
  }

  void add(Weighted other) {
    sum.add(other.sum);
    weights.add(other.weights);
  }

  double sum() {
    return sum.sum();
  }

  double weight() {
    return weights.sum();
  }

  long rows() {
    return weights.count();
  }

  double mean(String who) {
    Rows.some(who, rows());
    Check.that(
        weight() > 0,
        "%s: needs a weight above 0: %d rows of weight 0; update it with more data",
        who,
        rows());
    return sum() / weight();
  }
}
