package io.fragua.spark.param;

import java.io.Serializable;
import java.util.Arrays;
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
   * One number a class; the class with the largest probability / threshold is predicted. All at
   * least 0, at most one of them 0, their sum more than 0. Without it the most probable class is
   * predicted. No default.
   */
  default DoubleArrayParam thresholds() {
    return groups().classifier.thresholds;
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

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> probabilityCol;
    final Param<String> rawPredictionCol;
    final DoubleArrayParam thresholds;

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
              "numbers from 0 up, at most one of them 0, their sum more than 0",
              v ->
                  Arrays.stream(v).allMatch(t -> t >= 0 && Double.isFinite(t))
                      && Arrays.stream(v).filter(t -> t == 0).count() <= 1
                      && Arrays.stream(v).sum() > 0);
    }
  }
}
