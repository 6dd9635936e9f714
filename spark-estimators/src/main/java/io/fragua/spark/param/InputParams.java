package io.fragua.spark.param;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.IntArrayParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.StringArrayParam;

/** Which columns are read, and how. */
public interface InputParams extends ParamFamily {
  /** Values of {@link #handleInvalid()}. */
  List<String> HANDLE_INVALID = List.of("error", "skip", "keep");

  /**
   * A column whose rows are many numbers, all of one shape: vectors (dense or sparse, written out),
   * matrices, arrays of numbers to any depth, images as Spark's image source reads them ([height,
   * width, channels] of 0 to 255), or binary (each byte a number from 0 to 255). Default {@code
   * "features"}. It is read when it is set, and also, as in Spark's own estimators, when none of
   * {@link #numericCols()}, {@link #categoricalCols()} and {@link #sparseCols()} names a column.
   */
  default Param<String> featuresCol() {
    return groups().input.featuresCol;
  }

  /**
   * The shape of a row of {@link #featuresCol()}, row-major. Default empty: that of the column's
   * metadata or of its first row; with {@link #handleInvalid()} {@code "keep"} arrays and binary
   * have the largest sizes of all rows.
   */
  default IntArrayParam featuresShape() {
    return groups().input.featuresShape;
  }

  /**
   * Columns of single numbers: any numeric type, decimals included; truth values (0 and 1); dates
   * (days since 1970-01-01); timestamps with or without zone (seconds since 1970-01-01, with
   * fraction). Default none. Every name here and in the other parameters may be a dotted one, as
   * {@code a.b.c}, of a field in a struct.
   */
  default StringArrayParam numericCols() {
    return groups().input.numericCols;
  }

  /**
   * Columns of texts, integers, truth values, dates or binaries whose values are names, not
   * amounts. Each value seen in {@code fit} gets a learnt vector of {@link
   * NetworkParams#embeddingDim()} numbers; null and values never seen share one more. Default none.
   */
  default StringArrayParam categoricalCols() {
    return groups().input.categoricalCols;
  }

  /**
   * Columns whose rows are pairs of a key and a number: maps from strings or integers to numbers,
   * or Spark ML vectors, of which an index is the key and what is 0 is left out. They are never
   * written out: the first layer adds up its weights of the keys of a row, each times its number.
   * Numbers are taken as they are, neither centred nor scaled. Default none.
   */
  default StringArrayParam sparseCols() {
    return groups().input.sparseCols;
  }

  /**
   * Whether every number that is not a category is brought to mean 0 and standard deviation 1, with
   * statistics learnt in {@code fit}; they become part of the model. Default true.
   */
  default BooleanParam standardize() {
    return groups().input.standardize;
  }

  /**
   * What is done with an invalid value: null, NaN, infinity, a row of another shape, a category
   * that is null or was not seen in {@code fit}. {@code "error"} stops and names column, row, file
   * and value; {@code "skip"} drops the row; {@code "keep"} puts the mean of fit's numbers in the
   * place of a number and one vector of its own in that of a category, fills up a row that is too
   * small with means, and leaves out what a row has too much. A row without a label is dropped by
   * {@code "skip"} in fit and else an error. Default {@code "error"}.
   */
  default Param<String> handleInvalid() {
    return groups().input.handleInvalid;
  }

  /** Value of {@link #featuresCol()}. */
  default String getFeaturesCol() {
    return getOrDefault(featuresCol());
  }

  /** Value of {@link #featuresShape()}. */
  default int[] getFeaturesShape() {
    return getOrDefault(featuresShape()).clone();
  }

  /** Value of {@link #numericCols()}. */
  default String[] getNumericCols() {
    return getOrDefault(numericCols()).clone();
  }

  /** Value of {@link #categoricalCols()}. */
  default String[] getCategoricalCols() {
    return getOrDefault(categoricalCols()).clone();
  }

  /** Value of {@link #sparseCols()}. */
  default String[] getSparseCols() {
    return getOrDefault(sparseCols()).clone();
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
    return isSet(featuresCol())
        || getNumericCols().length == 0
            && getCategoricalCols().length == 0
            && getSparseCols().length == 0;
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> featuresCol;
    final IntArrayParam featuresShape;
    final StringArrayParam numericCols;
    final StringArrayParam categoricalCols;
    final StringArrayParam sparseCols;
    final BooleanParam standardize;
    final Param<String> handleInvalid;

    Group(Declare d) {
      featuresCol =
          d.column(
              "featuresCol",
              "column of vectors, matrices, arrays of numbers, images or binary, read when set or"
                  + " when there are no numericCols, categoricalCols and sparseCols",
              false,
              "features");
      featuresShape =
          d.integers(
              "featuresShape",
              "shape of a row of featuresCol",
              "an array of at most 32 numbers that are each at least 1; empty for that of the data",
              v -> v.length <= 32 && Arrays.stream(v).allMatch(n -> n >= 1));
      numericCols = d.columns("numericCols", "columns of single numbers, truth values or times");
      categoricalCols =
          d.columns(
              "categoricalCols", "columns of texts, integers, dates or binaries that name things");
      sparseCols =
          d.columns("sparseCols", "columns of maps from keys to numbers, or of sparse vectors");
      standardize =
          d.truth(
              "standardize",
              "whether numbers are brought to mean 0 and standard deviation 1 (true, false)",
              true);
      handleInvalid =
          d.choice(
              "handleInvalid",
              "what is done with null, NaN, infinity, a row of another shape or an unseen category:"
                  + " stop, drop the row, or use means and a vector for the unseen",
              HANDLE_INVALID,
              "error");
    }
  }
}
