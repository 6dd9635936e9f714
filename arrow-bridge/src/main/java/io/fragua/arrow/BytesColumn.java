package io.fragua.arrow;

import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.unsafe.types.UTF8String;

/** Binary whose bytes are numbers from 0 to 255, as many in every row. */
final class BytesColumn extends RowColumn {
  BytesColumn(Spec spec) {
    super(spec);
  }

  /** The bytes of a row; those of Spark's own vectors where they lie. */
  static UTF8String bytes(ColumnVector v, int row) {
    return v instanceof WritableColumnVector
        ? v.getUTF8String(row)
        : UTF8String.fromBytes(v.getBinary(row));
  }

  @Override
  void row(ColumnVector v, int row, float[] x, int at) {
    UTF8String b = bytes(v, row);
    int n = b.numBytes();
    if (n != width) {
      checkShape(row, column.shape().size() == 1 ? n : n + " bytes", x, at);
    }
    for (int k = 0; k < Math.min(n, width); k++) {
      x[at + k] = b.getByte(k) & 0xFF;
    }
  }
}
