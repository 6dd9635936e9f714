package io.fragua.metrics;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * How often which class was predicted for which label, and what follows from it: precision, recall
 * and F1 of a class, and their means. A share of nothing, for instance the precision of a class
 * that was never predicted, is 0.
 *
 * <p>Takes i32 predictions [B] and labels [B].
 *
 * @source scikit-learn {@code confusion_matrix}, {@code precision_recall_fscore_support} with
 *     {@code zero_division=0}
 */
public final class ConfusionMatrix implements Metric<ConfusionMatrix> {
  private static final long serialVersionUID = 1;
  private static final int MOST_CLASSES = 4096;

  private final int classes;
  private final long[] counts;
  private long rows;

  /**
   * Of no rows yet.
   *
   * @param classes 1 to 4096; for more, {@link Accuracy}
   */
  public ConfusionMatrix(int classes) {
    Check.that(
        classes >= 1 && classes <= MOST_CLASSES,
        "confusion_matrix: takes 1 to %d classes: %d; count accuracy alone",
        MOST_CLASSES,
        classes);
    this.classes = classes;
    this.counts = new long[classes * classes];
  }

  @Override
  public ConfusionMatrix update(Tensor predictions, Tensor labels) {
    int[] given = Rows.ids("confusion_matrix", "predictions", predictions, classes);
    int[] wanted = Rows.ids("confusion_matrix", "labels", labels, classes);
    Check.shape(
        given.length == wanted.length,
        "confusion_matrix: takes as many predictions as labels: %s with %s; correct one of them",
        predictions.type(),
        labels.type());
    for (int i = 0; i < given.length; i++) {
      counts[wanted[i] * classes + given[i]]++;
    }
    rows += given.length;
    return this;
  }

  @Override
  public ConfusionMatrix merge(ConfusionMatrix other) {
    Check.that(
        other.classes == classes,
        "confusion_matrix: merges with as many classes: %d and %d; make them alike",
        classes,
        other.classes);
    for (int i = 0; i < counts.length; i++) {
      counts[i] += other.counts[i];
    }
    rows += other.rows;
    return this;
  }

  /** Mean of F1 over all classes, each with the same weight. */
  @Override
  public double value() {
    return macroF1();
  }

  /** Number of rows with this label and this prediction. */
  public long count(int label, int prediction) {
    return counts[known(label) * classes + known(prediction)];
  }

  /** Share of rows on the diagonal. */
  public double accuracy() {
    Rows.some("confusion_matrix", rows);
    long right = 0;
    for (int c = 0; c < classes; c++) {
      right += count(c, c);
    }
    return (double) right / rows;
  }

  /** Share of rows predicted as this class that are of it. */
  public double precision(int c) {
    return share(c, predicted(c));
  }

  /** Share of rows of this class that are predicted as it. */
  public double recall(int c) {
    return share(c, labelled(c));
  }

  /** Harmonic mean of precision and recall: 2 right / (predicted + labelled). */
  public double f1(int c) {
    return 2 * share(c, predicted(c) + labelled(c));
  }

  /** Mean of {@link #precision} over all classes. */
  public double macroPrecision() {
    return mean(this::precision);
  }

  /** Mean of {@link #recall} over all classes. */
  public double macroRecall() {
    return mean(this::recall);
  }

  /** Mean of {@link #f1} over all classes. */
  public double macroF1() {
    return mean(this::f1);
  }

  /** Mean of {@link #f1} weighed by the rows of each class. */
  public double weightedF1() {
    return weighted(this::f1);
  }

  /** Mean of {@link #precision} weighed by the rows of each class. */
  public double weightedPrecision() {
    return weighted(this::precision);
  }

  /**
   * F1 of all classes counted together; as every row has one label and one prediction it is {@link
   * #accuracy}, and so are precision and recall counted together and the weighted recall.
   */
  public double microF1() {
    return accuracy();
  }

  /** Mean of {@link #recall} over the classes that have rows. */
  public double balancedAccuracy() {
    Rows.some("confusion_matrix", rows);
    long there = IntStream.range(0, classes).filter(c -> labelled(c) > 0).count();
    return IntStream.range(0, classes).mapToDouble(this::recall).sum() / there;
  }

  /**
   * Matthews' correlation of predictions and labels, in [-1, 1]; 0 if one of them is always the
   * same class.
   *
   * @source Matthews, 1975; Gorodkin, 2004; scikit-learn {@code matthews_corrcoef}
   */
  public double matthews() {
    double both = 0;
    double given = 0;
    double wanted = 0;
    for (int c = 0; c < classes; c++) {
      both += (double) labelled(c) * predicted(c);
      given += (double) predicted(c) * predicted(c);
      wanted += (double) labelled(c) * labelled(c);
    }
    double n = rows;
    double size = Math.sqrt((n * n - given) * (n * n - wanted));
    double right = accuracy() * n * n;
    return size == 0 ? 0 : (right - both) / size;
  }

  /**
   * Cohen's kappa: how much of the agreement beyond chance there is, at most 1.
   *
   * @throws IllegalArgumentException if labels and predictions are all one class
   * @source Cohen, 1960; scikit-learn {@code cohen_kappa_score}
   */
  public double kappa() {
    double both = 0;
    for (int c = 0; c < classes; c++) {
      both += (double) labelled(c) * predicted(c);
    }
    double right = accuracy();
    double n = rows;
    double chance = both / (n * n);
    Check.that(
        chance < 1,
        "confusion_matrix: kappa needs more than one class: %d rows of one; use accuracy",
        rows);
    return (right - chance) / (1 - chance);
  }

  private double weighted(IntToDoubleFunction f) {
    Rows.some("confusion_matrix", rows);
    return IntStream.range(0, classes).mapToDouble(c -> f.applyAsDouble(c) * labelled(c)).sum()
        / rows;
  }

  private double mean(IntToDoubleFunction f) {
    return IntStream.range(0, classes).mapToDouble(f).sum() / classes;
  }

  private double share(int c, long of) {
    Rows.some("confusion_matrix", rows);
    return of == 0 ? 0 : (double) count(c, c) / of;
  }

  private long predicted(int c) {
    long n = 0;
    for (int label = 0; label < classes; label++) {
      n += count(label, c);
    }
    return n;
  }

  private long labelled(int c) {
    long n = 0;
    for (int prediction = 0; prediction < classes; prediction++) {
      n += count(c, prediction);
    }
    return n;
  }

  private int known(int c) {
    Check.that(
        c >= 0 && c < classes,
        "confusion_matrix: classes lie in [0, %d): %d; ask for another",
        classes,
        c);
    return c;
  }
}
