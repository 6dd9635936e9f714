package io.fragua.arrow;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/** Reduces a partition to one row per column: its position and what is known of it, as bytes. */
final class StatisticsFunction implements BatchFunction {
  private static final long serialVersionUID = 1L;

  static final StructType SCHEMA =
      new StructType()
          .add("column", DataTypes.IntegerType, false)
          .add("state", DataTypes.BinaryType, false);

  private final List<ColumnStatistics.Request> requests;
  private final List<Vocabulary.Type> types;
  private final int maxCategories;

  StatisticsFunction(
      List<ColumnStatistics.Request> requests, List<Vocabulary.Type> types, int maxCategories) {
    this.requests = List.copyOf(requests);
    this.types = new ArrayList<>(types); // null where there are no categories
    this.maxCategories = maxCategories;
  }

  @Override
  public Iterator<ColumnarBatch> apply(
      Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
    return new Iterator<>() {
      private ColumnAccumulator[] columns;
      private int given;

      @Override
      public boolean hasNext() {
        return given < requests.size();
      }

      @Override
      public ColumnarBatch next() {
        if (columns == null) {
          columns = read();
        }
        // A batch of its own for every column: a vector holds at most 2 GiB.
        OnHeapColumnVector position = new OnHeapColumnVector(1, DataTypes.IntegerType);
        OnHeapColumnVector state = new OnHeapColumnVector(1, DataTypes.BinaryType);
        position.putInt(0, given);
        byte[] bytes = columns[given].write();
        columns[given++] = null;
        state.putByteArray(0, bytes);
        return new ColumnarBatch(new ColumnVector[] {position, state}, 1);
      }

      private ColumnAccumulator[] read() {
        ColumnAccumulator[] all = new ColumnAccumulator[requests.size()];
        for (int i = 0; i < all.length; i++) {
          all[i] = new ColumnAccumulator(requests.get(i), types.get(i), maxCategories);
        }
        int[] weights = requests.stream().mapToInt(this::weight).toArray();
        while (in.hasNext()) {
          ColumnarBatch b = in.next();
          long t = System.nanoTime();
          for (int i = 0; i < all.length; i++) {
            ColumnVector weight = weights[i] < 0 ? null : b.column(ordinals[weights[i]]);
            all[i].add(b.column(ordinals[i]), weight, b.numRows());
          }
          metrics.compute(System.nanoTime() - t);
        }
        return all;
      }

      /** Position of the request for its weights, or -1. */
      private int weight(ColumnStatistics.Request r) {
        return requests.stream().map(ColumnStatistics.Request::column).toList().indexOf(r.weight());
      }
    };
  }
}
