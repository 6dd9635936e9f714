package io.fragua.arrow;

import java.util.Arrays;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarArray;

/** An array of a fixed number of numbers. */
final class ArrayColumn extends TileColumn {
  private final int width;
  private float[] floats;
  private float[] elements;
  private int[] ints;

  ArrayColumn(InputColumn column, boolean keepInvalid, double fill, Position position) {
    super(column, keepInvalid, fill, position);
    this.width = column.width();
  }

  @Override
  float[] floats(ColumnVector v, int from, int n) {
    float[] x;
    if (v instanceof WritableColumnVector w && Numbers.bulk(v)) {
      x = writable(w, from, n);
    } else {
      x = floats = Numbers.fit(floats, n * width);
      for (int i = 0; i < n; i++) {
        if (v.isNullAt(from + i)) {
          fillNull(from + i);
          Arrays.fill(x, i * width, (i + 1) * width, (float) fill);
        } else {
          row(v, from + i, x, i * width);
        }
      }
    }
    checkFinite(x, n * width, v, from);
    return x;
  }

  /**
   * From Spark's own vectors, whose arrays lie one after the other in a child: taken as one range,
   * which is already the tile where no row is null and every size is right.
   */
  private float[] writable(WritableColumnVector v, int from, int n) {
    boolean nulls = v.hasNull();
    int first = Integer.MAX_VALUE;
    int end = 0;
    int expected = -1;
    boolean dense = true;
    for (int i = 0; i < n; i++) {
      if (nulls && v.isNullAt(from + i)) {
        fillNull(from + i);
        dense = false;
        continue;
      }
      int at = v.getArrayOffset(from + i);
      if (v.getArrayLength(from + i) != width) {
        throw wrongSize(from + i, v.getArrayLength(from + i));
      }
      dense &= expected < 0 || at == expected;
      expected = at + width;
      first = Math.min(first, at);
      end = Math.max(end, at + width);
    }
    if (end == 0) {
      floats = Numbers.fit(floats, n * width);
      Arrays.fill(floats, 0, n * width, (float) fill);
      return floats;
    }
    ColumnVector child = v.arrayData();
    float[] x = Numbers.floats(child, first, end - first, elements);
    elements = x;
    if (child.hasNull()) {
      nullElements(v, child, x, first, from, n);
    }
    if (dense) {
      return x;
    }
    floats = Numbers.fit(floats, n * width);
    for (int i = 0; i < n; i++) {
      if (nulls && v.isNullAt(from + i)) {
        Arrays.fill(floats, i * width, (i + 1) * width, (float) fill);
      } else {
        System.arraycopy(x, v.getArrayOffset(from + i) - first, floats, i * width, width);
      }
    }
    return floats;
  }

  private void nullElements(
      WritableColumnVector v, ColumnVector child, float[] x, int first, int from, int n) {
    for (int i = 0; i < n; i++) {
      if (v.isNullAt(from + i)) {
        continue;
      }
      int at = v.getArrayOffset(from + i);
      for (int k = 0; k < width; k++) {
        if (child.isNullAt(at + k)) {
          x[at + k - first] = (float) nullElement(from + i, k);
        }
      }
    }
  }

  private void row(ColumnVector v, int row, float[] x, int at) {
    ColumnarArray a = v.getArray(row);
    if (a.numElements() != width) {
      throw wrongSize(row, a.numElements());
    }
    DataType t = elementType(v);
    for (int k = 0; k < width; k++) {
      x[at + k] = (float) (a.isNullAt(k) ? nullElement(row, k) : ArrayValues.real(a, t, k));
    }
  }

  private static DataType elementType(ColumnVector v) {
    return ((ArrayType) v.dataType()).elementType();
  }

  @Override
  int[] ints(ColumnVector v, int from, int n) {
    ints = Numbers.fit(ints, n * width);
    DataType t = elementType(v);
    for (int i = 0; i < n; i++) {
      int row = from + i;
      if (v.isNullAt(row)) {
        fillNull(row);
        Arrays.fill(ints, i * width, (i + 1) * width, (int) fill);
        continue;
      }
      ColumnarArray a = v.getArray(row);
      if (a.numElements() != width) {
        throw wrongSize(row, a.numElements());
      }
      for (int k = 0; k < width; k++) {
        long x = a.isNullAt(k) ? (long) nullElement(row, k) : ArrayValues.whole(a, t, k);
        if (x != (int) x) {
          if (!keepInvalid) {
            throw invalid(row, "whole numbers must fit an i32", x + " at element " + k);
          }
          x = (int) fill;
        }
        ints[i * width + k] = (int) x;
      }
    }
    return ints;
  }

  private void fillNull(int row) {
    if (!keepInvalid) {
      throw invalid(row, "values must not be null", "null");
    }
  }

  private double nullElement(int row, int k) {
    if (!keepInvalid) {
      throw invalid(row, "elements must not be null", "null at element " + k);
    }
    return fill;
  }

  @Override
  String given(ColumnVector v, int row, int element, float x) {
    DataType t = elementType(v);
    return ArrayValues.real(v.getArray(row), t, element) + " at element " + element;
  }
}
