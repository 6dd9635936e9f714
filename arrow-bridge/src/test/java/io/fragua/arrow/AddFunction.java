package io.fragua.arrow;

import java.util.Iterator;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/** The sum of its float inputs, as one double column {@code sum}. Counts the rows it has seen. */
final class AddFunction implements BatchFunction {
  private static final long serialVersionUID = 1L;

  static final AtomicLong ROWS = new AtomicLong();

  @Override
  public String describe() {
    return "on cpu";
  }

  @Override
  public Iterator<ColumnarBatch> apply(
      Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
    OnHeapColumnVector out = new OnHeapColumnVector(1 << 16, DataTypes.DoubleType);
    return BatchFunction.each(
        in,
        b -> {
          long t = System.nanoTime();
          int n = b.numRows();
          out.reset();
          out.reserve(n);
          for (int i = 0; i < n; i++) {
            double sum = 0;
            for (int o : ordinals) {
              sum += b.column(o).getFloat(i);
            }
            out.putDouble(i, sum);
          }
          ROWS.addAndGet(n);
          metrics.compute(System.nanoTime() - t);
          return new ColumnarBatch(new ColumnVector[] {out}, n);
        });
  }
}
