package io.fragua.arrow;

import org.apache.spark.TaskContext;
import org.apache.spark.sql.vectorized.ColumnVector;

/**
 * Turns ranges of one column into the numbers of its tile columns, row-major. To add a kind of
 * column: a row in {@link InputColumn.Kind}, a subclass here (of {@link RowColumn}, where rows are
 * read one by one).
 */
abstract class TileColumn {
  /** A subclass's constructor. */
  interface Maker {
    TileColumn make(Spec spec);
  }

  /**
   * How a column is read.
   *
   * @param keep whether the fill takes the place of an invalid value, which is an error otherwise
   * @param fill what stands in for an invalid value, before the origin is subtracted
   */
  record Spec(InputColumn column, boolean keep, double fill, Position position) {}

  /** Where the reader is, and what becomes of invalid rows. */
  static final class Position {
    /** Rows read before the present range. */
    long before;

    /** First row of the present range in its batch. */
    int from;

    /** Number of the present batch: what was seen in another need not hold for it. */
    long batch;

    /** Not null: invalid rows of the present range are marked here, and nothing is an error. */
    boolean[] marks;
  }

  final InputColumn column;
  final Position position;
  private final boolean keep;

  /** What stands in for an invalid value. */
  final float fill;

  /** The same in an i32 tile. */
  final int wholeFill;

  TileColumn(Spec spec) {
    this.column = spec.column();
    this.keep = spec.keep();
    this.fill = (float) (spec.fill() - column.origin());
    this.wholeFill = (int) spec.fill();
    this.position = spec.position();
  }

  /**
   * Rows [from, from + n) as f32, {@code n * width} numbers; the array may be longer and is reused
   * by the next call.
   */
  abstract float[] floats(ColumnVector v, int from, int n);

  /** As {@link #floats}, as i32. */
  abstract int[] ints(ColumnVector v, int from, int n);

  /**
   * Hears of an invalid value, and marks its row where rows are marked.
   *
   * @return whether it is an error, which the caller then throws; otherwise the fill takes its
   *     place
   */
  final boolean isError(int row) {
    if (position.marks != null) {
      position.marks[row - position.from] = true;
      return false;
    }
    return !keep;
  }

  /** The error for a value that cannot be read. */
  final IllegalArgumentException invalid(int row, String rule, String value) {
    return new IllegalArgumentException(
        "column "
            + column.name()
            + ": "
            + rule
            + ": "
            + value
            + " in "
            + place(position.before + row - position.from, row)
            + "; correct the data, or set handleInvalid to \"skip\" or \"keep\"");
  }

  /**
   * A row of this task's partition, and the file it comes from where Spark knows it.
   *
   * @param row in its partition
   * @param inBatch the same row in its batch
   */
  static String place(long row, int inBatch) {
    String file = SourceFiles.of(inBatch);
    return "row "
        + row
        + " of partition "
        + TaskContext.getPartitionId()
        + " (both counted from 0)"
        + (file.isEmpty() ? "" : ", file " + file);
  }

  final void checkNull(int row) {
    if (isError(row)) {
      throw invalid(row, "values must not be null", "null");
    }
  }

  /** Replaces what is not finite, or throws for the first of it. */
  final void checkFinite(float[] x, int n, ColumnVector v, int from) {
    if (Numbers.finite(x, n)) {
      return;
    }
    int width = column.width();
    for (int i = 0; i < n; i++) {
      if (!(Math.abs(x[i]) <= Float.MAX_VALUE)) {
        int row = from + i / width;
        if (isError(row)) {
          throw invalid(row, "numbers must be finite in f32", given(v, row, i % width, x[i]));
        }
        x[i] = fill;
      }
    }
  }

  /** The value that became {@code x}, as the user knows it. */
  String given(ColumnVector v, int row, int element, float x) {
    return String.valueOf(x);
  }

  /** An element's place in its row. */
  final String at(int element) {
    if (column.shape().size() < 2) {
      return "element " + element;
    }
    StringBuilder s = new StringBuilder();
    int rest = element;
    for (int a = column.shape().size() - 1; a >= 0; a--) {
      s.insert(0, (a == 0 ? "" : ", ") + rest % column.shape().get(a));
      rest /= column.shape().get(a);
    }
    return "element [" + s + "]";
  }
}
