package io.fragua.arrow;

import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.vectorized.ColumnVector;

/** One number a row. */
final class ScalarColumn extends TileColumn {
  private float[] floats;
  private int[] ints;

  ScalarColumn(Spec spec) {
    super(spec);
  }

  @Override
  float[] floats(ColumnVector v, int from, int n) {
    float[] x = Numbers.floats(v, from, n, column.origin(), floats);
    floats = x;
    if (v.hasNull()) {
      for (int i = 0; i < n; i++) {
        if (v.isNullAt(from + i)) {
          checkNull(from + i);
          x[i] = fill;
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
        checkNull(from + i);
        ints[i] = wholeFill;
      } else if (x[i] == (int) x[i]) {
        ints[i] = (int) x[i];
      } else if (isError(from + i)) {
        throw invalid(from + i, "whole numbers must fit an i32", String.valueOf(x[i]));
      } else {
        ints[i] = wholeFill;
      }
    }
    return ints;
  }

  @Override
  String given(ColumnVector v, int row, int element, float x) {
    DataType t = v.dataType();
    return t instanceof FloatType
        ? String.valueOf(v.getFloat(row))
        : String.valueOf(Numbers.real(v, t, row));
  }
}
