package io.fragua.arrow;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/**
 * Says of each row whether tiles can be read from it, by reading them.
 *
 * @param tiles to read
 */
record ValidRows(List<TileSpec> tiles) implements BatchFunction {
  private static final int RANGE = 4096;

  @Override
  public Iterator<ColumnarBatch> apply(
      Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
    TileReader reader = new TileReader(tiles, ordinals);
    OnHeapColumnVector valid = new OnHeapColumnVector(RANGE, DataTypes.BooleanType);
    boolean[] marks = new boolean[RANGE];
    return BatchFunction.each(
        in,
        batch -> {
          long start = System.nanoTime();
          int rows = batch.numRows();
          valid.reset();
          valid.reserve(rows);
          for (int from = 0; from < rows; from += RANGE) {
            int n = Math.min(RANGE, rows - from);
            Arrays.fill(marks, false);
            reader.mark(batch, from, n, marks);
            for (int i = 0; i < n; i++) {
              valid.putBoolean(from + i, !marks[i]);
            }
          }
          metrics.copy(System.nanoTime() - start);
          return new ColumnarBatch(new ColumnVector[] {valid}, rows);
        });
  }
}
