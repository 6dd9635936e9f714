package io.fragua.spark.param;

import java.io.Serializable;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;

/** What is learnt from, how long, and by how many workers. */
public interface TrainingParams extends ParamFamily {
  /**
   * The column to learn. A classifier takes a number 0, 1, 2, ... or a truth value, a regressor any
   * number. Every class needs rows, unless the column's metadata say how many there are, as those
   * of a StringIndexer do. Default {@code "label"}.
   */
  default Param<String> labelCol() {
    return groups().training.labelCol;
  }

  /** How much each row counts, a number of at least 0. Default empty: every row counts 1. */
  default Param<String> weightCol() {
    return groups().training.weightCol;
  }

  /** Rows of one step, all workers together. At least 1. Default 1024. */
  default IntParam batchSize() {
    return groups().training.batchSize;
  }

  /** Passes over the rows, at least 1. Default 10. */
  default IntParam epochs() {
    return groups().training.epochs;
  }

  /**
   * Decides initial weights, order of rows and dropout: same rows, seed and number of workers give
   * the same bits. Any integer. Default 42.
   */
  default LongParam seed() {
    return groups().training.seed;
  }

  /**
   * A column of truth values: rows that hold true are not learnt from but measure each epoch.
   * Default empty: none. Not together with {@link #validationFraction()}.
   */
  default Param<String> validationIndicatorCol() {
    return groups().training.validationIndicatorCol;
  }

  /**
   * Share of the rows, drawn with the seed by what they hold, that are not learnt from but measure
   * each epoch: the same rows in whatever order they come, and of equal rows all or none. From 0 to
   * below 1. Default 0.
   */
  default DoubleParam validationFraction() {
    return groups().training.validationFraction;
  }

  /**
   * Epochs without a better validation loss after which training stops; the weights of the best
   * epoch are kept. At least 0, and 0 never stops. Needs validation rows. Default 0.
   */
  default IntParam patience() {
    return groups().training.patience;
  }

  /**
   * Tasks that train together, each with its share of rows and batch. At least 1, or 0 or -1 for as
   * many as the cluster runs at once. Default 0.
   */
  default IntParam numWorkers() {
    return groups().training.numWorkers;
  }

  /** Value of {@link #labelCol()}. */
  default String getLabelCol() {
    return getOrDefault(labelCol());
  }

  /** Value of {@link #weightCol()}. */
  default String getWeightCol() {
    return getOrDefault(weightCol());
  }

  /** Value of {@link #batchSize()}. */
  default int getBatchSize() {
    return (int) getOrDefault(batchSize());
  }

  /** Value of {@link #epochs()}. */
  default int getEpochs() {
    return (int) getOrDefault(epochs());
  }

  /** Value of {@link #seed()}. */
  default long getSeed() {
    return (long) getOrDefault(seed());
  }

  /** Value of {@link #validationIndicatorCol()}. */
  default String getValidationIndicatorCol() {
    return getOrDefault(validationIndicatorCol());
  }

  /** Value of {@link #validationFraction()}. */
  default double getValidationFraction() {
    return (double) getOrDefault(validationFraction());
  }

  /** Value of {@link #patience()}. */
  default int getPatience() {
    return (int) getOrDefault(patience());
  }

  /** Value of {@link #numWorkers()}. */
  default int getNumWorkers() {
    return (int) getOrDefault(numWorkers());
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> labelCol;
    final Param<String> weightCol;
    final IntParam batchSize;
    final IntParam epochs;
    final LongParam seed;
    final Param<String> validationIndicatorCol;
    final DoubleParam validationFraction;
    final IntParam patience;
    final IntParam numWorkers;

    Group(Declare d) {
      labelCol = d.column("labelCol", "column to learn", false, "label");
      weightCol = d.column("weightCol", "column that says how much a row counts", true, "");
      batchSize =
          d.integer(
              "batchSize",
              "rows of one step, all workers together",
              "from 1 to 16777216",
              v -> v >= 1 && v <= 1 << 24,
              1024);
      epochs = d.integer("epochs", "passes over the rows", "at least 1", v -> v >= 1, 10);
      seed =
          d.integer64(
              "seed", "decides initial weights, order of rows and dropout", "any integer", 42);
      validationIndicatorCol =
          d.column(
              "validationIndicatorCol",
              "column of truth values: true rows measure each epoch and are not learnt from",
              true,
              "");
      validationFraction =
          d.real(
              "validationFraction",
              "share of rows, drawn with the seed by what they hold, that measure each epoch and"
                  + " are not learnt from",
              "at least 0 and less than 1",
              v -> v >= 0 && v < 1,
              0);
      patience =
          d.integer(
              "patience",
              "epochs without a better validation loss after which training stops, 0 for never",
              "at least 0",
              v -> v >= 0,
              0);
      numWorkers =
          d.integer(
              "numWorkers",
              "tasks that train together, 0 or -1 for as many as the cluster runs at once",
              "at least -1",
              v -> v >= -1,
              0);
    }
  }
}
