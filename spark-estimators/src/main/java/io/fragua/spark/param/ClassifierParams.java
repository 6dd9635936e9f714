package io.fragua.spark.param;

import java.io.Serializable;
import java.util.Arrays;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.DoubleArrayParam;
import org.apache.spark.ml.param.Param;

/** What a classifier has besides. */
public interface ClassifierParams extends ParamFamily {
  /**
   * Receives a vector with the probability of each class. Empty leaves the column out. Default
   * {@code "probability"}.
   */
  default Param<String> probabilityCol() {
    return groups().classifier.probabilityCol;
  }

  /**
   * Receives a vector with the network's output for each class, from minus to plus infinity; with
   * two classes it is (-z, z). Empty leaves the column out. Default {@code "rawPrediction"}.
   */
  default Param<String> rawPredictionCol() {
    return groups().classifier.rawPredictionCol;
  }

  /**
   * One number a class; the class with the largest probability / threshold is predicted. All 0 or
   * more than 0 in f32, up to 3.4e38, at most one of them 0, their sum more than 0. Without it the
   * most probable class is predicted. No default.
   */
  default DoubleArrayParam thresholds() {
    return groups().classifier.thresholds;
  }

  /**
   * One number a class, by which rows of the class count more or less, in training and in what
   * epochs measure, besides {@link TrainingParams#weightCol()}. All 0 or more than 0 in f32, up to
   * 3.4e38, not all 0. No default: all count 1.
   */
  default DoubleArrayParam classWeights() {
    return groups().classifier.classWeights;
  }

  /**
   * Whether classes count alike in all, however many rows they have: a row of a class then counts
   * rows / (classes x rows of the class). Not together with {@link #classWeights()}. Default false.
   */
  default BooleanParam balanceClasses() {
    return groups().classifier.balanceClasses;
  }

  /** Value of {@link #probabilityCol()}. */
  default String getProbabilityCol() {
    return getOrDefault(probabilityCol());
  }

  /** Value of {@link #rawPredictionCol()}. */
  default String getRawPredictionCol() {
    return getOrDefault(rawPredictionCol());
  }

  /**
   * Value of {@link #thresholds()}.
   *
   * @throws java.util.NoSuchElementException if it is not set
   */
  default double[] getThresholds() {
    return getOrDefault(thresholds()).clone();
  }

  /**
   * Value of {@link #classWeights()}.
   *
   * @throws java.util.NoSuchElementException if it is not set
   */
  default double[] getClassWeights() {
    return getOrDefault(classWeights()).clone();
  }

  /** Value of {@link #balanceClasses()}. */
  default boolean getBalanceClasses() {
    return (boolean) getOrDefault(balanceClasses());
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> probabilityCol;
    final Param<String> rawPredictionCol;
    final DoubleArrayParam thresholds;
    final DoubleArrayParam classWeights;
    final BooleanParam balanceClasses;

    Group(Declare d) {
      probabilityCol =
          d.column(
              "probabilityCol",
              "column that receives the classes' probabilities",
              true,
              "probability");
      rawPredictionCol =
          d.column(
              "rawPredictionCol",
              "column that receives the network's output for each class",
              true,
              "rawPrediction");
      thresholds =
          d.reals(
              "thresholds",
              "one number a class; the class with the largest probability / threshold is predicted",
              "numbers that are 0 or more than 0 in f32, up to 3.4e38, at most one of them 0, their"
                  + " sum more than 0",
              v ->
                  Arrays.stream(v).allMatch(Group::holds)
                      && Arrays.stream(v).filter(t -> t == 0).count() <= 1
                      && Arrays.stream(v).sum() > 0);
      classWeights =
          d.reals(
              "classWeights",
              "one number a class, by which its rows count more or less",
              "numbers that are 0 or more than 0 in f32, up to 3.4e38, not all 0",
              v -> Arrays.stream(v).allMatch(Group::holds) && Arrays.stream(v).sum() > 0);
      balanceClasses =
          d.truth(
              "balanceClasses",
              "whether classes count alike in all, however many rows they have (true, false)",
              false);
    }

    /** Whether a number is 0, or in f32 both more than 0 and finite. */
    private static boolean holds(double v) {
      return v == 0 || (float) v > 0 && Float.isFinite((float) v);
    }
  }
}
