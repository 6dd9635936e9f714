package io.fragua.arrow;

import static io.fragua.arrow.MlVectors.DENSE;
import static io.fragua.arrow.MlVectors.INDICES;
import static io.fragua.arrow.MlVectors.SIZE;
import static io.fragua.arrow.MlVectors.TYPE;
import static io.fragua.arrow.MlVectors.VALUES;

import java.util.Arrays;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarArray;

/**
 * A Spark ML vector of a fixed size: in columns, a struct of type, size, indices and values. A
 * sparse vector is written out in full into the tile.
 */
final class VectorColumn extends RowColumn {
  private float[] values;

  VectorColumn(Spec spec) {
    super(spec);
  }

  @Override
  float[] floats(ColumnVector v, int from, int n) {
    float[] x = dense(v, from, n);
    if (x == null) {
      return super.floats(v, from, n);
    }
    checkFinite(x, n * width, v, from);
    return x;
  }

  /**
   * The values as one range of Spark's own vectors, if every row is a dense vector of the right
   * size and the rows lie one after the other; null if not.
   */
  private float[] dense(ColumnVector v, int from, int n) {
    if (n == 0 || v.hasNull() || !(v.getChild(VALUES) instanceof WritableColumnVector w)) {
      return null;
    }
    ColumnVector type = v.getChild(TYPE);
    int first = w.getArrayOffset(from);
    for (int i = 0; i < n; i++) {
      if (type.getByte(from + i) != DENSE
          || w.getArrayLength(from + i) != width
          || w.getArrayOffset(from + i) != first + i * width) {
        return null;
      }
    }
    values = Numbers.floats(w.arrayData(), first, n * width, values);
    return values;
  }

  @Override
  void row(ColumnVector v, int row, float[] x, int at) {
    ColumnarArray a = v.getChild(VALUES).getArray(row);
    boolean dense = v.getChild(TYPE).getByte(row) == DENSE;
    int size = dense ? a.numElements() : v.getChild(SIZE).getInt(row);
    if (size != width) {
      checkShape(row, size, x, at);
    }
    int n = Math.min(size, width);
    if (dense) {
      for (int k = 0; k < n; k++) {
        x[at + k] = (float) a.getDouble(k);
      }
      return;
    }
    Arrays.fill(x, at, at + n, 0);
    ColumnarArray indices = v.getChild(INDICES).getArray(row);
    for (int k = 0; k < a.numElements(); k++) {
      int index = indices.getInt(k);
      if (index < 0 || index >= size) {
        checkIndex(row, size, index, x, at);
        return;
      }
      if (index < n) {
        x[at + index] = (float) a.getDouble(k);
      }
    }
  }

  @Override
  String given(ColumnVector v, int row, int element, float x) {
    double value = x;
    ColumnarArray a = v.getChild(VALUES).getArray(row);
    if (v.getChild(TYPE).getByte(row) == DENSE) {
      value = a.getDouble(element);
    } else {
      ColumnarArray indices = v.getChild(INDICES).getArray(row);
      for (int k = 0; k < a.numElements(); k++) {
        if (indices.getInt(k) == element) {
          value = a.getDouble(k);
        }
      }
    }
    return value + " at element " + element;
  }
}
