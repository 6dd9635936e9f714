package io.fragua.metrics;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.Arrays;
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
  private static final long serialVersionUID = 2;
  private static final int MOST_CLASSES = 4096;

  private final int classes;
  private final long[] counts;
  private double[] weights; // as counts; null while all are 1
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
    return update(predictions, labels, null);
  }

  /**
   * As {@link #update(Tensor, Tensor)}, each row counted by its weight in all but {@link #count}.
   *
   * @param rowWeights [B], finite and 0 or more; null for 1 each
   * @source scikit-learn {@code sample_weight}
   */
  public ConfusionMatrix update(Tensor predictions, Tensor labels, Tensor rowWeights) {
    int[] given = Rows.ids("confusion_matrix", "predictions", predictions, classes);
    int[] wanted = Rows.ids("confusion_matrix", "labels", labels, classes);
    Check.shape(
        given.length == wanted.length,
        "confusion_matrix: takes as many predictions as labels: %s with %s; correct one of them",
        predictions.type(),
        labels.type());
    double[] w = Rows.weights("confusion_matrix", rowWeights, given.length);
    if (rowWeights != null) {
      weigh();
    }
    for (int i = 0; i < given.length; i++) {
      int at = wanted[i] * classes + given[i];
      counts[at]++;
      if (weights != null) {
        weights[at] += w[i];
      }
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
    if (other.weights != null) {
      weigh();
    }
    for (int i = 0; i < counts.length; i++) {
      if (weights != null) {
        weights[i] += other.weights == null ? other.counts[i] : other.weights[i];
      }
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

  /** Weight of the rows with this label and this prediction: their number if none has another. */
  public double weight(int label, int prediction) {
    int at = known(label) * classes + known(prediction);
    return weights == null ? counts[at] : weights[at];
  }

  private void weigh() {
    if (weights == null) {
      weights = Arrays.stream(counts).asDoubleStream().toArray();
    }
  }

  /** Weight of all rows. */
  private double whole() {
    Rows.some("confusion_matrix", rows);
    double sum = weights == null ? rows : Arrays.stream(weights).sum();
    Check.that(
        sum > 0,
        "confusion_matrix: needs a weight above 0: %d rows of weight 0; update it with more data",
        rows);
    return sum;
  }

  /** Share of rows on the diagonal. */
  public double accuracy() {
    double all = whole();
    double right = 0;
    for (int c = 0; c < classes; c++) {
      right += weight(c, c);
    }
    return right / all;
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
      both += labelled(c) * predicted(c);
      given += predicted(c) * predicted(c);
      wanted += labelled(c) * labelled(c);
    }
    double n = whole();
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
      both += labelled(c) * predicted(c);
    }
    double right = accuracy();
    double n = whole();
    double chance = both / (n * n);
    Check.that(
        chance < 1,
        "confusion_matrix: kappa needs more than one class: %d rows of one; use accuracy",
        rows);
    return (right - chance) / (1 - chance);
  }

  private double weighted(IntToDoubleFunction f) {
    double all = whole();
    return IntStream.range(0, classes).mapToDouble(c -> f.applyAsDouble(c) * labelled(c)).sum()
        / all;
  }

  private double mean(IntToDoubleFunction f) {
    return IntStream.range(0, classes).mapToDouble(f).sum() / classes;
  }

  private double share(int c, double of) {
    Rows.some("confusion_matrix", rows);
    return of == 0 ? 0 : weight(c, c) / of;
  }

  private double predicted(int c) {
    double n = 0;
    for (int label = 0; label < classes; label++) {
      n += weight(label, c);
    }
    return n;
  }

  private double labelled(int c) {
    double n = 0;
    for (int prediction = 0; prediction < classes; prediction++) {
      n += weight(c, prediction);
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
