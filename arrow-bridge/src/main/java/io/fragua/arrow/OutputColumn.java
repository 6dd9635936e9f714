package io.fragua.arrow;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.TensorType;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.vectorized.ColumnVector;

/**
 * One column of results, the same vector for every batch: Spark has finished with a batch before it
 * asks for the next.
 */
final class OutputColumn implements AutoCloseable {
  private static final int LEAST_ROWS = 4096; // what Spark's Parquet reader yields

  private final OutputSpec.Kind kind;
  private final DType dtype;
  private final int width; // numbers per row
  private final OnHeapColumnVector vector;
  private int capacity;
  private float[] floats = new float[0];
  private double[] doubles = new double[0];

  OutputColumn(OutputSpec spec, TensorType type) {
    this.kind = spec.kind();
    this.dtype = type.dtype();
    this.width = kind == OutputSpec.Kind.VECTOR ? type.shape().dim(1) : 1;
    this.vector = new OnHeapColumnVector(LEAST_ROWS, spec.field().dataType());
  }

  ColumnVector vector() {
    return vector;
  }

  /** Makes room for a batch of this many rows. */
  void reserve(int rows) {
    if (rows <= capacity) {
      return;
    }
    int n = Math.max(rows, LEAST_ROWS);
    vector.reserve(n);
    if (kind == OutputSpec.Kind.VECTOR) {
      reserveVectors(n);
    }
    capacity = n;
  }

  /** Every row is a dense vector of the same size, so all but the values is written once. */
  private void reserveVectors(int n) {
    for (int i = 0; i < vector.getNumChildren(); i++) {
      vector.getChild(i).reserve(n);
    }
    vector.getChild(MlVectors.TYPE).putBytes(0, n, MlVectors.DENSE);
    vector.getChild(MlVectors.SIZE).putNulls(0, n);
    vector.getChild(MlVectors.INDICES).putNulls(0, n);
    WritableColumnVector values = vector.getChild(MlVectors.VALUES);
    values.arrayData().reserve(Math.multiplyExact(n, width));
    for (int i = 0; i < n; i++) {
      values.putArray(i, i * width, width);
    }
  }

  /** Writes the first {@code rows} rows of a result to rows [at, at + rows). */
  void put(Buffer result, int at, int rows) {
    int n = rows * width;
    switch (kind) {
      case FLOAT -> {
        fetchFloats(result, n);
        vector.putFloats(at, n, floats, 0);
      }
      case DOUBLE -> {
        fetchDoubles(result, n);
        vector.putDoubles(at, n, doubles, 0);
      }
      case INT -> {
        for (int i = 0; i < n; i++) {
          vector.putInt(at + i, (int) result.getLong(dtype, i));
        }
      }
      case VECTOR -> {
        fetchDoubles(result, n);
        vector.getChild(MlVectors.VALUES).arrayData().putDoubles(at * width, n, doubles, 0);
      }
    }
  }

  private void fetchFloats(Buffer result, int n) {
    floats = Numbers.fit(floats, n);
    if (dtype == DType.F32) {
      result.bytes().asFloatBuffer().get(0, floats, 0, n);
    } else {
      for (int i = 0; i < n; i++) {
        floats[i] = (float) result.getDouble(dtype, i);
      }
    }
  }

  private void fetchDoubles(Buffer result, int n) {
    if (doubles.length < n) {
      doubles = new double[n];
    }
    if (dtype == DType.F32) {
      fetchFloats(result, n);
      for (int i = 0; i < n; i++) {
        doubles[i] = floats[i];
      }
    } else if (dtype == DType.F64) {
      result.bytes().asDoubleBuffer().get(0, doubles, 0, n);
    } else {
      for (int i = 0; i < n; i++) {
        doubles[i] = result.getDouble(dtype, i);
      }
    }
  }

  @Override
  public void close() {
    vector.close();
  }
}
