package io.fragua.arrow;

import java.util.Arrays;
import org.apache.spark.sql.vectorized.ColumnVector;

/**
 * A column whose rows are read one by one into a shape. A row of another shape is invalid: where
 * that is no error, what lies inside the shape is taken and the fill stands for what is missing.
 */
abstract class RowColumn extends TileColumn {
  final int width;
  private float[] floats;

  RowColumn(Spec spec) {
    super(spec);
    width = column.width();
  }

  /** Writes a row that is not null to the {@link #width} numbers from {@code at} on. */
  abstract void row(ColumnVector v, int row, float[] x, int at);

  @Override
  float[] floats(ColumnVector v, int from, int n) {
    float[] x = floats = Numbers.fit(floats, n * width);
    for (int i = 0; i < n; i++) {
      if (v.isNullAt(from + i)) {
        checkNull(from + i);
        Arrays.fill(x, i * width, (i + 1) * width, fill);
      } else {
        row(v, from + i, x, i * width);
      }
    }
    checkFinite(x, n * width, v, from);
    return x;
  }

  @Override
  int[] ints(ColumnVector v, int from, int n) {
    throw new IllegalArgumentException(
        "column "
            + column.name()
            + ": only numbers, arrays of them and categories are read as i32: it is "
            + v.dataType().simpleString()
            + " in an i32 tile; use an f32 tile");
  }

  /** Hears of a row of another shape; the whole row is filled. */
  final void checkShape(int row, Object shape, float[] x, int at) {
    if (isError(row)) {
      throw wrongShape(row, shape);
    }
    Arrays.fill(x, at, at + width, fill);
  }

  /** Hears of a sparse row whose index lies outside; the whole row is filled. */
  final void checkIndex(int row, int size, int index, float[] x, int at) {
    if (isError(row)) {
      throw invalid(row, "indices must lie below the size " + size, "index " + index);
    }
    Arrays.fill(x, at, at + width, fill);
  }

  /** The error for a row of another shape: its size, where a row is a list, or its sizes. */
  final IllegalArgumentException wrongShape(int row, Object shape) {
    return column.shape().size() == 1
        ? invalid(row, "every row must hold " + width + " numbers", shape + " numbers")
        : invalid(row, "every row must have the shape " + column.shape(), String.valueOf(shape));
  }
}
