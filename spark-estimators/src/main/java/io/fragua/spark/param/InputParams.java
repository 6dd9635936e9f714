package io.fragua.spark.param;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.StringArrayParam;

/** Which columns are read, and how. */
public interface InputParams extends ParamFamily {
  /** Values of {@link #handleInvalid()}. */
  List<String> HANDLE_INVALID = List.of("error", "skip", "keep");

  /**
   * A column of vectors (dense or sparse) or arrays of numbers, all of one size. Default {@code
   * "features"}. It is read when it is set, and also, as in Spark's own estimators, when neither
   * {@link #numericCols()} nor {@link #categoricalCols()} names a column.
   */
  default Param<String> featuresCol() {
    return groups().input.featuresCol;
  }

  /** Columns of single numbers or truth values. Default none. */
  default StringArrayParam numericCols() {
    return groups().input.numericCols;
  }

  /**
   * Columns of texts or integers whose values are names, not amounts. Each value seen in {@code
   * fit} gets a learnt vector of {@link NetworkParams#embeddingDim()} numbers; null and values
   * never seen share one more. Default none.
   */
  default StringArrayParam categoricalCols() {
    return groups().input.categoricalCols;
  }

  /**
   * Whether every number that is not a category is brought to mean 0 and standard deviation 1, with
   * statistics learnt in {@code fit}; they become part of the model. Default true.
   */
  default BooleanParam standardize() {
    return groups().input.standardize;
  }

  /**
   * What is done with a null, NaN or infinite number: {@code "error"} names the column, {@code
   * "skip"} drops the row, {@code "keep"} puts the mean of fit's numbers in its place. An array or
   * vector of another size is dropped by {@code "skip"} and else an error. A null category is
   * valid. A row without a label is dropped by {@code "skip"} in fit and else an error. Default
   * {@code "error"}.
   */
  default Param<String> handleInvalid() {
    return groups().input.handleInvalid;
  }

  /** Value of {@link #featuresCol()}. */
  default String getFeaturesCol() {
    return getOrDefault(featuresCol());
  }

  /** Value of {@link #numericCols()}. */
  default String[] getNumericCols() {
    return getOrDefault(numericCols()).clone();
  }

  /** Value of {@link #categoricalCols()}. */
  default String[] getCategoricalCols() {
    return getOrDefault(categoricalCols()).clone();
  }

  /** Value of {@link #standardize()}. */
  default boolean getStandardize() {
    return (boolean) getOrDefault(standardize());
  }

  /** Value of {@link #handleInvalid()}. */
  default String getHandleInvalid() {
    return getOrDefault(handleInvalid());
  }

  /** Whether {@link #featuresCol()} is read. */
  default boolean readsFeaturesCol() {
    return isSet(featuresCol()) || getNumericCols().length == 0 && getCategoricalCols().length == 0;
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> featuresCol;
    final StringArrayParam numericCols;
    final StringArrayParam categoricalCols;
    final BooleanParam standardize;
    final Param<String> handleInvalid;

    Group(Declare d) {
      featuresCol =
          d.column(
              "featuresCol",
              "column of vectors or arrays of numbers, read when set or when there are neither"
                  + " numericCols nor categoricalCols",
              false,
              "features");
      numericCols = d.columns("numericCols", "columns of single numbers");
      categoricalCols =
          d.columns("categoricalCols", "columns of texts or integers that name things");
      standardize =
          d.truth(
              "standardize",
              "whether numbers are brought to mean 0 and standard deviation 1 (true, false)",
              true);
      handleInvalid =
          d.choice(
              "handleInvalid",
              "what is done with a null, NaN or infinite number: stop, drop the row, or use the"
                  + " column's mean",
              HANDLE_INVALID,
              "error");
    }
  }
}
