package io.fragua.spark.estimator;

import io.fragua.arrow.ColumnStatistics.Column;
import io.fragua.spark.param.ClassifierParams;
import io.fragua.tensor.Check;
import java.util.Arrays;
import org.apache.spark.ml.attribute.Attribute;
import org.apache.spark.ml.attribute.BinaryAttribute;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructField;

/**
 * Checks of the columns' values, by what the statistics found, before any training.
 *
 * @param stage with which errors begin
 * @param handleInvalid the parameter's value
 */
record ValueChecks(String stage, String handleInvalid) {
  private static final int MOST_CLASSES = 1 << 24; // labels travel as f32, exact up to here

  /** A label or a weight: no row may be without. */
  void valid(String param, String column, Column c, long rows) {
    Check.that(
        c.nulls() + c.nans() == 0,
        "%s %s: must have a finite number in every row: \"%s\" is null in %d and NaN or infinite in"
            + " %d of %d rows, first %s; fill or filter them",
        stage,
        param,
        column,
        c.nulls(),
        c.nans(),
        rows,
        c.firstInvalid());
    range(param, column, c);
  }

  /** A scalar input. */
  void numbers(String column, Column c, long rows) {
    Check.that(
        c.nulls() + c.nans() == 0 || !handleInvalid.equals("error"),
        "%s numericCols: must have a finite number in every row (handleInvalid=error): \"%s\" is"
            + " null in %d and NaN or infinite in %d of %d rows, first %s; fill them, or set"
            + " handleInvalid to skip or keep",
        stage,
        column,
        c.nulls(),
        c.nans(),
        rows,
        c.firstInvalid());
    if (handleInvalid.equals("error")) { // else such a number is an invalid one as others are
      range("numericCols", column, c);
    }
    some("numericCols", column, c.mean(), rows);
  }

  /** A categorical input. */
  void categories(String column, Column c, long rows) {
    Check.that(
        c.nulls() == 0 || !handleInvalid.equals("error"),
        "%s categoricalCols: must have a value in every row (handleInvalid=error): \"%s\" is null"
            + " in %d of %d rows, first %s; fill them, or set handleInvalid to skip or keep",
        stage,
        column,
        c.nulls(),
        rows,
        c.firstInvalid());
  }

  /** A mean needs at least one value. */
  void some(String param, String column, double mean, long rows) {
    Check.that(
        Double.isFinite(mean),
        "%s %s: must have a finite number in some row: \"%s\" has none in %d rows; leave the column"
            + " out",
        stage,
        param,
        column,
        rows);
  }

  /** Values are computed on as f32; what is larger would become infinite. */
  private void range(String param, String column, Column c) {
    boolean below = -c.min() > c.max();
    double largest = below ? c.min() : c.max();
    Check.that(
        !(Math.abs(largest) > Float.MAX_VALUE), // NaN where there is no number at all
        "%s %s: numbers must be finite in f32, up to 3.4e38: \"%s\" holds %s in %s; divide the"
            + " column, or take its logarithm",
        stage,
        param,
        column,
        largest,
        below ? c.minPlace() : c.maxPlace());
  }

  /** The column of weights, beyond {@link #valid}. */
  void weights(String column, Column w, long rows) {
    Check.that(
        w.min() >= 0,
        "%s weightCol: weights must not be negative: \"%s\" holds %s in %s; correct the column",
        stage,
        column,
        w.min(),
        w.minPlace());
    Check.that(
        w.max() > 0,
        "%s weightCol: some rows must count: all %d weights in \"%s\" are 0; correct the column",
        stage,
        rows,
        column);
  }

  /**
   * The number of classes, which the column's metadata name, as those of a StringIndexer do, or
   * which each have rows.
   *
   * @param column of the labels, in the schema
   * @param found of it
   * @param values the distinct labels, ascending
   */
  int classes(String label, StructField column, Column found, long[] values, long rows) {
    long first = values[0];
    long last = values[values.length - 1];
    Check.that(
        first >= 0 && last < MOST_CLASSES,
        "%s labelCol: a classifier's labels must lie from 0 to the number of classes - 1: \"%s\""
            + " holds %d in %s; number the classes from 0",
        stage,
        label,
        first < 0 ? first : last,
        first < 0 ? found.minPlace() : found.maxPlace());
    int named = named(column);
    if (named >= 2) {
      Check.that(
          last < named,
          "%s labelCol: labels must be of the %d classes that the column's metadata name: \"%s\""
              + " holds %d in %s; number the classes anew, or drop the metadata with a cast",
          stage,
          named,
          label,
          last,
          found.maxPlace());
      return named;
    }
    for (int k = 0; k < values.length; k++) {
      Check.that(
          values[k] == k,
          "%s labelCol: every class from 0 to %d must have rows: class %d has none among %d rows of"
              + " \"%s\"; number the classes without gaps, for instance with a StringIndexer",
          stage,
          last,
          k,
          rows,
          label);
    }
    Check.that(
        values.length >= 2,
        "%s labelCol: a classifier needs at least two classes: class 1 has no rows, all %d rows of"
            + " \"%s\" have label 0; add rows of another class",
        stage,
        rows,
        label);
    return values.length;
  }

  /** How many classes a column's metadata name; 0 if they do not. */
  private static int named(StructField column) {
    if (!(column.dataType() instanceof NumericType)) {
      return 0; // metadata describe numbers
    }
    Attribute a = Attribute.fromStructField(column);
    if (a instanceof NominalAttribute n && n.getNumValues().isDefined()) {
      return (int) n.getNumValues().get();
    }
    return a instanceof BinaryAttribute ? 2 : 0;
  }

  /** As many weights as classes. */
  void classWeights(ClassifierParams c, int classes) {
    if (c.isDefined(c.classWeights())) {
      Check.that(
          c.getClassWeights().length == classes,
          "%s classWeights: there must be one for each of the %d classes: %s; set as many",
          stage,
          classes,
          Arrays.toString(c.getClassWeights()));
    }
  }

  /** The model would refuse them as well, but only after the training. */
  void thresholds(ClassifierParams c, int classes) {
    if (c.isDefined(c.thresholds())) {
      Check.that(
          c.getThresholds().length == classes,
          "%s thresholds: there must be one for each of the %d classes: %s; set as many",
          stage,
          classes,
          Arrays.toString(c.getThresholds()));
    }
  }
}
