package io.fragua.arrow;

import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import scala.collection.immutable.Seq;

/**
 * What a task of {@link ColumnarProjectExec} does with its partition.
 *
 * @param derived what is computed
 * @param input the child's columns, to which the expressions refer
 * @param from for each output column the position of an input column, or the complement of the
 *     position among all that is derived
 * @param fields for each output column that is an input column the way to a field in it, by
 *     ordinals; empty for the column itself
 */
record ProjectPartition(
    List<DerivedColumns.Spec> derived, Seq<Attribute> input, int[] from, int[][] fields)
    implements FlatMapFunction<Iterator<ColumnarBatch>, ColumnarBatch> {
  @Override
  public Iterator<ColumnarBatch> call(Iterator<ColumnarBatch> in) {
    return new Batches(in);
  }

  private final class Batches implements Iterator<ColumnarBatch> {
    private final Iterator<ColumnarBatch> in;
    private final int width = input.size();
    private final DerivedColumns[] groups = new DerivedColumns[derived.size()];
    private final ColumnVector[] results; // of all groups, one after the other
    private ColumnarBatch last;

    Batches(Iterator<ColumnarBatch> in) {
      this.in = in;
      results = new ColumnVector[derived.stream().mapToInt(d -> d.written().fields().length).sum()];
      int at = 0;
      for (int g = 0; g < groups.length; g++) {
        groups[g] = new DerivedColumns(derived.get(g), input);
        for (int i = 0; i < derived.get(g).written().fields().length; i++) {
          results[at++] = groups[g].vector(i);
        }
      }
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
      for (DerivedColumns group : groups) {
        group.compute(columns, rows);
      }
      ColumnVector[] out = new ColumnVector[from.length];
      for (int i = 0; i < out.length; i++) {
        out[i] = from[i] >= 0 ? field(columns[from[i]], fields[i]) : results[~from[i]];
      }
      return new ColumnarBatch(out, rows);
    }

    private static ColumnVector field(ColumnVector column, int[] path) {
      ColumnVector v = column;
      for (int ordinal : path) {
        v = FieldVector.of(v, ordinal);
      }
      return v;
    }

    /** Whoever takes the output frees its columns; nobody above sees the others. */
    private void freeDropped() {
      if (last != null) {
        boolean[] passed = new boolean[width];
        for (int i = 0; i < from.length; i++) {
          if (from[i] >= 0 && fields[i].length == 0) {
            passed[from[i]] = true;
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
