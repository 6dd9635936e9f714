package io.fragua.arrow;

import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.ShortType;
import org.apache.spark.sql.vectorized.ColumnVector;

/**
 * Reads ranges of a column of numbers, booleans or times as one Java type, through Spark's public
 * vector interface. Where a row is null the number is arbitrary: callers look at nulls themselves.
 */
final class Numbers {
  private static final double MICROS = 1e6; // of a second
  private static final double[] TEN = new double[23]; // the powers that a double holds exactly

  static {
    TEN[0] = 1;
    for (int i = 1; i < TEN.length; i++) {
      TEN[i] = TEN[i - 1] * 10;
    }
  }

  private Numbers() {}

  /**
   * Whether whole ranges can be taken from the vector. Spark's own vectors give any range; others
   * (Arrow's) throw on a null, and a missing column has no memory to copy from.
   */
  static boolean bulk(ColumnVector v) {
    return v instanceof WritableColumnVector w ? !w.isAllNull() : !v.hasNull();
  }

  /**
   * The range as f32, after the origin was subtracted in f64; the array may be longer than the
   * range and is the caller's until next time.
   */
  static float[] floats(ColumnVector v, int from, int n, double origin, float[] scratch) {
    if (origin == 0) {
      return floats(v, from, n, scratch);
    }
    double[] d = doubles(v, from, n);
    float[] out = fit(scratch, n);
    for (int i = 0; i < n; i++) {
      out[i] = (float) (d[i] - origin);
    }
    return out;
  }

  /** The range as f32, as above. */
  static float[] floats(ColumnVector v, int from, int n, float[] scratch) {
    DataType t = v.dataType();
    if (!bulk(v)) {
      float[] out = fit(scratch, n);
      for (int i = 0; i < n; i++) {
        out[i] = v.isNullAt(from + i) ? 0 : (float) real(v, t, from + i);
      }
      return out;
    }
    if (t instanceof FloatType) {
      return v.getFloats(from, n);
    }
    float[] out = fit(scratch, n);
    if (t instanceof DoubleType) {
      double[] d = v.getDoubles(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = (float) d[i];
      }
    } else if (t instanceof IntegerType || t instanceof DateType) {
      int[] d = v.getInts(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = d[i];
      }
    } else if (t instanceof LongType) {
      long[] d = v.getLongs(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = d[i];
      }
    } else if (t instanceof ShortType) {
      short[] d = v.getShorts(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = d[i];
      }
    } else if (t instanceof ByteType) {
      byte[] d = v.getBytes(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = d[i];
      }
    } else if (t instanceof DecimalType || ColumnTypes.isTimestamp(t)) {
      double[] d = doubles(v, from, n);
      for (int i = 0; i < n; i++) {
        out[i] = (float) d[i];
      }
    } else {
      boolean[] d = v.getBooleans(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = d[i] ? 1 : 0;
      }
    }
    return out;
  }

  /** The range as f64, a fresh array. */
  static double[] doubles(ColumnVector v, int from, int n) {
    DataType t = v.dataType();
    boolean bulk = bulk(v);
    if (bulk && t instanceof DoubleType) {
      return v.getDoubles(from, n);
    }
    double[] out = new double[n];
    if (bulk && (t instanceof IntegerType || t instanceof DateType)) {
      int[] x = v.getInts(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = x[i];
      }
    } else if (bulk && ColumnTypes.isTimestamp(t)) {
      long[] x = v.getLongs(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = x[i] / MICROS;
      }
    } else if (bulk
        && t instanceof DecimalType d
        && v instanceof WritableColumnVector
        && small(d)) {
      // Spark keeps a decimal of up to 18 digits as its unscaled integer.
      double scale = TEN[d.scale()];
      if (d.precision() <= Decimal.MAX_INT_DIGITS()) {
        int[] x = v.getInts(from, n);
        for (int i = 0; i < n; i++) {
          out[i] = x[i] / scale;
        }
      } else {
        long[] x = v.getLongs(from, n);
        for (int i = 0; i < n; i++) {
          out[i] = x[i] / scale;
        }
      }
    } else if (bulk && t instanceof FloatType) {
      float[] x = v.getFloats(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = x[i];
      }
    } else if (bulk && ColumnTypes.isIntegral(t)) {
      long[] x = longs(v, from, n);
      for (int i = 0; i < n; i++) {
        out[i] = x[i];
      }
    } else {
      for (int i = 0; i < n; i++) {
        out[i] = v.isNullAt(from + i) ? 0 : real(v, t, from + i);
      }
    }
    return out;
  }

  private static boolean small(DecimalType d) {
    return d.precision() <= Decimal.MAX_LONG_DIGITS();
  }

  /** The range of an integer, boolean or date column as i64, a fresh array. */
  static long[] longs(ColumnVector v, int from, int n) {
    DataType t = v.dataType();
    boolean bulk = bulk(v);
    if (bulk && t instanceof LongType) {
      return v.getLongs(from, n);
    }
    long[] out = new long[n];
    if (bulk && (t instanceof IntegerType || t instanceof DateType)) {
      int[] x = v.getInts(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = x[i];
      }
    } else if (bulk && t instanceof ShortType) {
      short[] x = v.getShorts(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = x[i];
      }
    } else if (bulk && t instanceof ByteType) {
      byte[] x = v.getBytes(from, n);
      for (int i = 0; i < n; i++) {
        out[i] = x[i];
      }
    } else {
      for (int i = 0; i < n; i++) {
        out[i] = v.isNullAt(from + i) ? 0 : whole(v, t, from + i);
      }
    }
    return out;
  }

  /** One value of a column of {@link ColumnTypes#isScalar} as f64. */
  static double real(ColumnVector v, DataType t, int i) {
    if (t instanceof FloatType) {
      return v.getFloat(i);
    }
    if (t instanceof DoubleType) {
      return v.getDouble(i);
    }
    if (t instanceof DecimalType d) {
      return decimal(v, d, i);
    }
    if (ColumnTypes.isTimestamp(t)) {
      return v.getLong(i) / MICROS;
    }
    return whole(v, t, i);
  }

  /**
   * One decimal. Of more than 18 digits Spark keeps the unscaled integer's bytes, the highest
   * first; without a dictionary they can be read where they lie.
   */
  private static double decimal(ColumnVector v, DecimalType d, int i) {
    if (small(d) || !(v instanceof WritableColumnVector w) || w.hasDictionary()) {
      return v.getDecimal(i, d.precision(), d.scale()).toDouble();
    }
    WritableColumnVector bytes = w.arrayData();
    int at = w.getArrayOffset(i);
    int length = w.getArrayLength(i);
    long high = length == 0 ? 0 : bytes.getByte(at) >> 7; // the sign
    long low = high;
    for (int k = 0; k < length; k++) {
      high = high << 8 | low >>> 56;
      low = low << 8 | bytes.getByte(at + k) & 0xFF;
    }
    if (high == low >> 63 && d.scale() < TEN.length) {
      return low / TEN[d.scale()];
    }
    double unscaled = high * 0x1p64 + (low >>> 1) * 2.0 + (low & 1);
    return d.scale() < TEN.length
        ? unscaled / TEN[d.scale()]
        : unscaled / TEN[TEN.length - 1] / TEN[d.scale() - TEN.length + 1];
  }

  /** One value of an integer, boolean or date column. */
  static long whole(ColumnVector v, DataType t, int i) {
    if (t instanceof IntegerType || t instanceof DateType) {
      return v.getInt(i);
    }
    if (t instanceof LongType) {
      return v.getLong(i);
    }
    if (t instanceof ShortType) {
      return v.getShort(i);
    }
    if (t instanceof ByteType) {
      return v.getByte(i);
    }
    return v.getBoolean(i) ? 1 : 0;
  }

  static float[] fit(float[] scratch, int n) {
    return scratch != null && scratch.length >= n ? scratch : new float[n];
  }

  static int[] fit(int[] scratch, int n) {
    return scratch != null && scratch.length >= n ? scratch : new int[n];
  }

  /** True if the first n numbers hold no NaN and no infinity. */
  static boolean finite(float[] x, int n) {
    // 0 * v is 0 for a finite v and NaN otherwise, so a sum of it tells in one test for all; four
    // sums because each waits for its last addition.
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    int i = 0;
    for (; i + 3 < n; i += 4) {
      a += x[i] * 0f;
      b += x[i + 1] * 0f;
      c += x[i + 2] * 0f;
      d += x[i + 3] * 0f;
    }
    for (; i < n; i++) {
      a += x[i] * 0f;
    }
    return a + b + c + d == 0;
  }
}
