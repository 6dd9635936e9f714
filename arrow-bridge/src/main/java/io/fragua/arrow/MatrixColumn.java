package io.fragua.arrow;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarArray;

/**
 * A Spark ML matrix of a fixed shape: in columns, a struct of type, sizes, the sparse one's column
 * starts and row numbers, values, and whether all this is of the transposed matrix. Spark keeps
 * values column after column; the tile has them row after row. A sparse one is written out in full.
 */
final class MatrixColumn extends RowColumn {
  private static final int TYPE = 0;
  private static final int ROWS = 1;
  private static final int COLUMNS = 2;
  private static final int STARTS = 3;
  private static final int INDICES = 4;
  private static final int VALUES = 5;
  private static final int TRANSPOSED = 6;
  private static final byte DENSE = 1;

  private final int rows;
  private final int columns;

  MatrixColumn(Spec spec) {
    super(spec);
    rows = column.shape().get(0);
    columns = column.shape().get(1);
  }

  @Override
  void row(ColumnVector v, int row, float[] x, int at) {
    int m = v.getChild(ROWS).getInt(row);
    int n = v.getChild(COLUMNS).getInt(row);
    boolean transposed = v.getChild(TRANSPOSED).getBoolean(row);
    if (m != rows || n != columns) {
      checkShape(row, List.of(m, n), x, at);
    } else {
      Arrays.fill(x, at, at + width, 0);
    }
    ColumnarArray values = v.getChild(VALUES).getArray(row);
    int lines = transposed ? m : n; // of values that lie one after the other
    int length = transposed ? n : m;
    if (v.getChild(TYPE).getByte(row) == DENSE) {
      for (int line = 0; line < lines; line++) {
        for (int k = 0; k < length; k++) {
          put(x, at, transposed, line, k, values.getDouble(line * length + k));
        }
      }
      return;
    }
    if (m != rows || n != columns) {
      for (int line = 0; line < lines; line++) { // zeros, where the fill is now
        for (int k = 0; k < length; k++) {
          put(x, at, transposed, line, k, 0);
        }
      }
    }
    ColumnarArray starts = v.getChild(STARTS).getArray(row);
    ColumnarArray indices = v.getChild(INDICES).getArray(row);
    for (int line = 0; line < lines; line++) {
      for (int k = starts.getInt(line); k < starts.getInt(line + 1); k++) {
        int index = indices.getInt(k);
        if (index < 0 || index >= length) {
          checkIndex(row, length, index, x, at);
          return;
        }
        put(x, at, transposed, line, index, values.getDouble(k));
      }
    }
  }

  @Override
  String given(ColumnVector v, int row, int element, float x) {
    boolean transposed = v.getChild(TRANSPOSED).getBoolean(row);
    int i = element / columns;
    int j = element % columns;
    int line = transposed ? i : j;
    int k = transposed ? j : i;
    ColumnarArray values = v.getChild(VALUES).getArray(row);
    double value = x;
    if (v.getChild(TYPE).getByte(row) == DENSE) {
      value = values.getDouble(line * (transposed ? columns : rows) + k);
    } else {
      ColumnarArray starts = v.getChild(STARTS).getArray(row);
      ColumnarArray indices = v.getChild(INDICES).getArray(row);
      for (int p = starts.getInt(line); p < starts.getInt(line + 1); p++) {
        value = indices.getInt(p) == k ? values.getDouble(p) : value;
      }
    }
    return value + " at " + at(element);
  }

  private void put(float[] x, int at, boolean transposed, int line, int k, double value) {
    int i = transposed ? line : k;
    int j = transposed ? k : line;
    if (i < rows && j < columns) {
      x[at + i * columns + j] = (float) value;
    }
  }
}
