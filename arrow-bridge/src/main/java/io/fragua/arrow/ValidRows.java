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
  private static final int MAX_ROWS = 4096;

  @Override
  public Iterator<ColumnarBatch> apply(
      Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
    TileReader reader = new TileReader(tiles, ordinals);
    int range = TileSpec.rowsAtOnce(tiles, MAX_ROWS);
    OnHeapColumnVector valid = new OnHeapColumnVector(MAX_ROWS, DataTypes.BooleanType);
    boolean[] marks = new boolean[range];
    return BatchFunction.each(
        in,
        batch -> {
          long start = System.nanoTime();
          int rows = batch.numRows();
          valid.reset();
          valid.reserve(rows);
          for (int from = 0; from < rows; from += range) {
            int n = Math.min(range, rows - from);
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
