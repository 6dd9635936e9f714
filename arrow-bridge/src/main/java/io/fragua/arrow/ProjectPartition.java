package io.fragua.arrow;

import java.util.Iterator;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.MutableProjection;
import org.apache.spark.sql.catalyst.expressions.MutableProjection$;
import org.apache.spark.sql.execution.vectorized.MutableColumnarRow;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.apache.spark.sql.vectorized.ColumnarBatchRow;
import scala.collection.immutable.Seq;

/**
 * What a task of {@link ColumnarProjectExec} does with its partition.
 *
 * @param expressions what is computed, of types that a vector takes in place
 * @param input the child's columns, to which the expressions refer
 * @param written names and types of what is computed
 * @param from for each output column the position of an input column, or the complement of the
 *     position of an expression
 * @param width number of input columns
 */
record ProjectPartition(
    Seq<Expression> expressions, Seq<Attribute> input, StructType written, int[] from, int width)
    implements FlatMapFunction<Iterator<ColumnarBatch>, ColumnarBatch> {
  private static final int FIRST_CAPACITY = 4096;

  @Override
  public Iterator<ColumnarBatch> call(Iterator<ColumnarBatch> in) {
    return new Batches(in);
  }

  private final class Batches implements Iterator<ColumnarBatch> {
    private final Iterator<ColumnarBatch> in;
    private final MutableProjection projection =
        MutableProjection$.MODULE$.create(expressions, input);
    private final WritableColumnVector[] vectors =
        OnHeapColumnVector.allocateColumns(FIRST_CAPACITY, written);
    private final MutableColumnarRow target = new MutableColumnarRow(vectors);
    private ColumnarBatch last;

    Batches(Iterator<ColumnarBatch> in) {
      this.in = in;
      projection.target(target);
    }

    @Override
    public boolean hasNext() {
      boolean more = in.hasNext();
      if (!more) {
        freeDropped();
      }
      return more;
    }

    @Override
    public ColumnarBatch next() {
      freeDropped();
      last = in.next();
      int rows = last.numRows();
      ColumnVector[] columns = new ColumnVector[width];
      for (int i = 0; i < width; i++) {
        columns[i] = last.column(i);
      }
      compute(columns, rows);
      ColumnVector[] out = new ColumnVector[from.length];
      for (int i = 0; i < out.length; i++) {
        out[i] = from[i] >= 0 ? columns[from[i]] : vectors[~from[i]];
      }
      return new ColumnarBatch(out, rows);
    }

    private void compute(ColumnVector[] columns, int rows) {
      if (vectors.length == 0) {
        return;
      }
      for (WritableColumnVector v : vectors) {
        // v.reset();
        v.reserve(rows);
      }
      ColumnarBatchRow row = new ColumnarBatchRow(columns);
      for (int i = 0; i < rows; i++) {
        row.rowId = i;
        target.rowId = i;
        projection.apply(row);
      }
    }

    /** Whoever takes the output frees its columns; nobody above sees the others. */
    private void freeDropped() {
      if (last != null) {
        boolean[] passed = new boolean[width];
        for (int f : from) {
          if (f >= 0) {
            passed[f] = true;
          }
        }
        for (int i = 0; i < width; i++) {
          if (!passed[i]) {
            last.column(i).closeIfFreeable();
          }
        }
        last = null;
      }
    }
  }
}
