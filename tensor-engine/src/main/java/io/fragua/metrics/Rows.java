package io.fragua.metrics;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import java.util.Arrays;

/** Reads and checks what metrics are given. */
final class Rows {
  private Rows() {}

  /** Both [B], real numbers without NaN. */
  static double[][] numbers(String who, Tensor predictions, Tensor labels) {
    Check.shape(
        predictions.shape().rank() == 1 && predictions.shape().equals(labels.shape()),
        "%s: takes predictions [B] and labels [B]: %s with %s; reshape [B, 1] to [B]",
        who,
        predictions.type(),
        labels.type());
    return new double[][] {finite(who, "predictions", predictions), finite(who, "labels", labels)};
  }

  /** Predictions [B, K], real numbers without NaN, with i32 labels [B] in [0, K). */
  static int[] classes(String who, Tensor predictions, Tensor labels) {
    Check.shape(
        predictions.shape().rank() == 2
            && labels.shape().rank() == 1
            && labels.shape().dim(0) == predictions.shape().dim(0),
        "%s: takes predictions [B, K] and i32 labels [B]: %s with %s; reshape one of them",
        who,
        predictions.type(),
        labels.type());
    return ids(who, "labels", labels, predictions.shape().dim(1));
  }

  /** An i32 tensor [B] in [0, classes). */
  static int[] ids(String who, String what, Tensor t, int classes) {
    Check.shape(
        t.dtype() == DType.I32 && t.shape().rank() == 1,
        "%s: %s are i32 [B]: %s; cast or reshape them",
        who,
        what,
        t.type());
    int[] ids = t.toInts();
    for (int i = 0; i < ids.length; i++) {
      Check.that(
          ids[i] >= 0 && ids[i] < classes,
          "%s: %s lie in [0, %d): %d in row %d; correct them or the number of classes",
          who,
          what,
          classes,
          ids[i],
          i);
    }
    return ids;
  }

  /** The elements, finite. */
  static double[] finite(String who, String what, Tensor t) {
    double[] v = t.toDoubles();
    int columns = t.shape().rank() < 2 ? 1 : t.shape().dim(1);
    for (int i = 0; i < v.length; i++) {
      Check.that(
          Double.isFinite(v[i]),
          "%s: %s are finite: %s in row %d; look for missing values or a diverged training",
          who,
          what,
          v[i],
          i / columns);
    }
    return v;
  }

  /** Weights of n rows; null stands for 1 each. */
  static double[] weights(String who, Tensor weights, int n) {
    if (weights == null) {
      double[] ones = new double[n];
      Arrays.fill(ones, 1);
      return ones;
    }
    Check.shape(
        weights.shape().rank() == 1 && weights.shape().dim(0) == n,
        "%s: takes weights [B], one a row: %s for %d rows; reshape them",
        who,
        weights.type(),
        n);
    double[] w = finite(who, "weights", weights);
    for (int i = 0; i < n; i++) {
      Check.that(
          w[i] >= 0, "%s: weights are not negative: %s in row %d; correct them", who, w[i], i);
    }
    return w;
  }

  /** Labels 0 or 1. */
  static void binary(String who, double[] labels) {
    for (int i = 0; i < labels.length; i++) {
      Check.that(
          labels[i] == 0 || labels[i] == 1,
          "%s: labels are 0 or 1: %s in row %d; correct them",
          who,
          labels[i],
          i);
    }
  }

  /** Numbers in [0, 1]. */
  static void probabilities(String who, double[] p) {
    for (double v : p) {
      Check.that(
          v >= 0 && v <= 1,
          "%s: probabilities lie in [0, 1]: %s; apply logistic or softmax first",
          who,
          v);
    }
  }

  static void some(String who, long rows) {
    Check.that(rows > 0, "%s: needs at least one row: 0; update it before asking", who);
  }
}
