package io.fragua.arrow;

import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.ShortType;
import org.apache.spark.sql.vectorized.ColumnarArray;

/** Single elements of an array of numbers or booleans; the slow path of {@link ArrayColumn}. */
final class ArrayValues {
  private ArrayValues() {}

  static double real(ColumnarArray a, DataType t, int k) {
    if (t instanceof FloatType) {
      return a.getFloat(k);
    }
    if (t instanceof DoubleType) {
      return a.getDouble(k);
    }
    if (t instanceof DecimalType d) {
      return a.getDecimal(k, d.precision(), d.scale()).toDouble();
    }
    return whole(a, t, k);
  }

  static long whole(ColumnarArray a, DataType t, int k) {
    if (t instanceof IntegerType) {
      return a.getInt(k);
    }
    if (t instanceof LongType) {
      return a.getLong(k);
    }
    if (t instanceof ShortType) {
      return a.getShort(k);
    }
    if (t instanceof ByteType) {
      return a.getByte(k);
    }
    return a.getBoolean(k) ? 1 : 0;
  }
}
