package io.fragua.arrow;

import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.vectorized.ColumnVector;

/** One number a row. */
final class ScalarColumn extends TileColumn {
  private float[] floats;
  private int[] ints;

  ScalarColumn(InputColumn column, boolean keepInvalid, double fill, Position position) {
    super(column, keepInvalid, fill, position);
  }

  @Override
  float[] floats(ColumnVector v, int from, int n) {
    float[] x = Numbers.floats(v, from, n, floats);
    floats = x;
    if (v.hasNull()) {
      for (int i = 0; i < n; i++) {
        if (v.isNullAt(from + i)) {
          x[i] = (float) ifNull(from + i);
        }
      }
    }
    checkFinite(x, n, v, from);
    return x;
  }

  @Override
  int[] ints(ColumnVector v, int from, int n) {
    long[] x = Numbers.longs(v, from, n);
    ints = Numbers.fit(ints, n);
    boolean nulls = v.hasNull();
    for (int i = 0; i < n; i++) {
      if (nulls && v.isNullAt(from + i)) {
        ints[i] = (int) ifNull(from + i);
      } else if (x[i] == (int) x[i]) {
        ints[i] = (int) x[i];
      } else if (keepInvalid) {
        ints[i] = (int) fill;
      } else {
        throw invalid(from + i, "whole numbers must fit an i32", String.valueOf(x[i]));
      }
    }
    return ints;
  }

  private double ifNull(int row) {
    if (!keepInvalid) {
      throw invalid(row, "values must not be null", "null");
    }
    return fill;
  }

  @Override
  String given(ColumnVector v, int row, int element, float x) {
    return v.dataType() instanceof DoubleType
        ? String.valueOf(v.getDouble(row))
        : super.given(v, row, element, x);
  }
}
