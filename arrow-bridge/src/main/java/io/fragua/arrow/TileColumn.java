package io.fragua.arrow;

import org.apache.spark.TaskContext;
import org.apache.spark.sql.vectorized.ColumnVector;

/**
 * Turns ranges of one column into the numbers of its tile columns, row-major. To add a kind of
 * column: a row in {@link InputColumn.Kind}, its types in {@link ColumnTypes}, a subclass here.
 */
abstract class TileColumn {
  /** Where the reader is, for errors. */
  static final class Position {
    /** Rows read before the present range. */
    long before;

    /** First row of the present range in its batch. */
    int from;

    /** Number of the present batch: what was seen in another need not hold for it. */
    long batch;
  }

  final InputColumn column;
  final boolean keepInvalid;
  final double fill;
  final Position position;

  TileColumn(InputColumn column, boolean keepInvalid, double fill, Position position) {
    this.column = column;
    this.keepInvalid = keepInvalid;
    this.fill = fill;
    this.position = position;
  }

  static TileColumn of(TileSpec tile, int i, Position position) {
    InputColumn c = tile.columns().get(i);
    boolean keep = tile.keepInvalid();
    double fill = tile.fill().get(i);
    return switch (c.kind()) {
      case SCALAR -> new ScalarColumn(c, keep, fill, position);
      case ARRAY -> new ArrayColumn(c, keep, fill, position);
      case VECTOR -> new VectorColumn(c, keep, fill, position);
      case CATEGORY -> new CategoryColumn(c, keep, fill, position);
    };
  }

  /**
   * Rows [from, from + n) as f32, {@code n * width} numbers; the array may be longer and is reused
   * by the next call.
   */
  abstract float[] floats(ColumnVector v, int from, int n);

  /** As {@link #floats}, as i32. */
  abstract int[] ints(ColumnVector v, int from, int n);

  /** The error for a value that cannot be read. */
  IllegalArgumentException invalid(int row, String rule, String value) {
    return new IllegalArgumentException(
        "column "
            + column.name()
            + ": "
            + rule
            + ": "
            + value
            + " in row "
            + (position.before + row - position.from)
            + " of partition "
            + TaskContext.getPartitionId()
            + " (both counted from 0); correct the data, or set handleInvalid to \"skip\" or"
            + " \"keep\"");
  }

  IllegalArgumentException wrongSize(int row, int size) {
    return invalid(row, "every row must hold " + column.width() + " numbers", size + " numbers");
  }

  /** Replaces what is not finite, or throws for the first of it. */
  void checkFinite(float[] x, int n, ColumnVector v, int from) {
    if (Numbers.finite(x, n)) {
      return;
    }
    int width = column.width();
    for (int i = 0; i < n; i++) {
      if (!(Math.abs(x[i]) <= Float.MAX_VALUE)) {
        if (!keepInvalid) {
          int row = from + i / width;
          throw invalid(row, "numbers must be finite in f32", given(v, row, i % width, x[i]));
        }
        x[i] = (float) fill;
      }
    }
  }

  /** The value that became {@code x}, as the user knows it. */
  String given(ColumnVector v, int row, int element, float x) {
    return String.valueOf(x);
  }
}
