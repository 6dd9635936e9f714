package io.fragua.arrow;

import io.fragua.tensor.Check;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/** How many pairs rows of maps and of Spark ML vectors have, in one pass over the columns. */
public final class PairCounts implements BatchFunction {
  private static final long serialVersionUID = 1L;

  private final List<String> columns;

  private PairCounts(List<String> columns) {
    this.columns = List.copyOf(columns);
  }

  /** The type of the keys of a column's rows; null for a column that has no pairs. */
  public static Vocabulary.Type keys(org.apache.spark.sql.types.DataType type) {
    return SparseColumn.keys(type);
  }

  /**
   * The most pairs of any row, and the largest size of a vector.
   *
   * @param columns names of columns of maps to numbers or of vectors
   * @return two numbers for each column, in order: pairs and size; -1 where no row has a value
   * @throws IllegalArgumentException if a column is missing or has another type
   */
  public static int[][] largest(Dataset<?> data, List<String> columns) {
    for (String c : columns) {
      var type = ColumnTypes.field(data.schema(), "pairs", c).dataType();
      Check.that(
          keys(type) != null,
          "column %s: must be a map to numbers or a Spark ML vector: it is %s; choose another",
          c,
          type.simpleString());
    }
    StructType out = new StructType();
    for (int i = 0; i < 2 * columns.size(); i++) {
      out = out.add("n" + i, DataTypes.IntegerType, false);
    }
    int[][] most = new int[columns.size()][2];
    for (int[] m : most) {
      Arrays.fill(m, -1);
    }
    var parts = ColumnarMap.replace(data, columns, out, new PairCounts(columns), "pairs");
    for (Row r : Shuffles.collected(parts)) {
      for (int i = 0; i < 2 * most.length; i++) {
        most[i / 2][i % 2] = Math.max(most[i / 2][i % 2], r.getInt(i));
      }
    }
    return most;
  }

  @Override
  public Iterator<ColumnarBatch> apply(
      Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
    int[] most = new int[2 * columns.size()];
    Arrays.fill(most, -1);
    SparseColumn.Pairs pairs = new SparseColumn.Pairs();
    while (in.hasNext()) {
      ColumnarBatch b = in.next();
      for (int c = 0; c < columns.size(); c++) {
        ColumnVector v = b.column(ordinals[c]);
        for (int row = 0; row < b.numRows(); row++) {
          if (!v.isNullAt(row)) {
            most[2 * c] = Math.max(most[2 * c], pairs.open(v, row));
            most[2 * c + 1] = Math.max(most[2 * c + 1], pairs.size());
          }
        }
      }
    }
    ColumnVector[] out = new ColumnVector[most.length];
    for (int i = 0; i < out.length; i++) {
      OnHeapColumnVector v = new OnHeapColumnVector(1, DataTypes.IntegerType);
      v.putInt(0, most[i]);
      out[i] = v;
    }
    return List.of(new ColumnarBatch(out, 1)).iterator();
  }
}
