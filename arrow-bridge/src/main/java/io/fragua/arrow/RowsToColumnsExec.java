package io.fragua.arrow;

import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.catalyst.plans.physical.Partitioning;
import org.apache.spark.sql.execution.RowToColumnConverter;
import org.apache.spark.sql.execution.RowToColumnarExec;
import org.apache.spark.sql.execution.RowToColumnarTransition;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.metric.SQLMetric;
import org.apache.spark.sql.execution.metric.SQLMetrics;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.UserDefinedType;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.apache.spark.util.TaskCompletionListener;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Map;
import scala.collection.immutable.Seq;

/**
 * Rows to columns, as Spark's own {@link RowToColumnarExec}, which refuses user-defined types,
 * hence rows with ML vectors, and forgets which file a row came from. A user-defined type is stored
 * as its SQL type, in rows as in columns, so the same converter does the work when it is told that
 * one. Public because Catalyst copies nodes by reflection; not for use.
 */
public final class RowsToColumnsExec extends SparkPlan implements RowToColumnarTransition {
  private static final long serialVersionUID = 1L;

  /** A batch with so many bytes of rows takes no more: wide rows, as images, are few to a batch. */
  private static final long BATCH_BYTES = 32L << 20;

  private final SparkPlan child;
  private transient Map<String, SQLMetric> metrics;

  /** Called by Catalyst; its parameter is the product element. */
  public RowsToColumnsExec(SparkPlan child) {
    this.child = child;
  }

  /** This conversion instead of Spark's. */
  static SparkPlan instead(SparkPlan plan) {
    return plan instanceof RowToColumnarExec r ? new RowsToColumnsExec(r.child()) : plan;
  }

  /** The type with every user-defined type in it replaced by its SQL type. */
  static DataType plain(DataType t) {
    if (t instanceof UserDefinedType<?> u) {
      return plain(u.sqlType());
    }
    if (t instanceof ArrayType a) {
      return new ArrayType(plain(a.elementType()), a.containsNull());
    }
    if (t instanceof MapType m) {
      return new MapType(plain(m.keyType()), plain(m.valueType()), m.valueContainsNull());
    }
    if (t instanceof StructType s) {
      return plain(s);
    }
    return t;
  }

  private static StructType plain(StructType s) {
    StructField[] fields = s.fields().clone();
    for (int i = 0; i < fields.length; i++) {
      StructField f = fields[i];
      fields[i] = new StructField(f.name(), plain(f.dataType()), f.nullable(), f.metadata());
    }
    return new StructType(fields);
  }

  @Override
  public SparkPlan child() {
    return child;
  }

  @Override
  public Seq<SparkPlan> children() {
    return ScalaLists.seq(List.of(child));
  }

  @Override
  public SparkPlan withNewChildInternal(SparkPlan newChild) {
    return new RowsToColumnsExec(newChild);
  }

  @Override
  public SparkPlan withNewChildrenInternal(IndexedSeq<SparkPlan> newChildren) {
    return withNewChildInternal(newChildren.apply(0));
  }

  @Override
  public Seq<Attribute> output() {
    return child.output();
  }

  @Override
  public Partitioning outputPartitioning() {
    return child.outputPartitioning();
  }

  @Override
  public Seq<SortOrder> outputOrdering() {
    return child.outputOrdering();
  }

  @Override
  public boolean supportsColumnar() {
    return true;
  }

  @Override
  public RDD<InternalRow> doExecute() {
    return child.execute();
  }

  @Override
  public synchronized Map<String, SQLMetric> metrics() {
    if (metrics == null) {
      var sc = sparkContext();
      metrics =
          ScalaLists.map(
              java.util.Map.of(
                  "numInputRows",
                  SQLMetrics.createMetric(sc, "number of input rows"),
                  "numOutputBatches",
                  SQLMetrics.createMetric(sc, "number of output batches")));
    }
    return metrics;
  }

  @Override
  public RDD<ColumnarBatch> doExecuteColumnar() {
    var convert =
        new Convert(
            plain(schema()),
            conf().columnBatchSize(),
            metrics().apply("numInputRows"),
            metrics().apply("numOutputBatches"));
    return child.execute().toJavaRDD().mapPartitions(convert, true).rdd();
  }

  @Override
  public String nodeName() {
    return "RowsToColumns";
  }

  @Override
  public int productArity() {
    return 1;
  }

  @Override
  public Object productElement(int i) {
    return child;
  }

  @Override
  public boolean canEqual(Object o) {
    return o instanceof RowsToColumnsExec;
  }

  @Override
  public boolean equals(Object o) {
    return this == o || o instanceof RowsToColumnsExec r && child.equals(r.child);
  }

  @Override
  public int hashCode() {
    return super.hashCode();
  }

  private record Convert(StructType schema, int batchRows, SQLMetric rows, SQLMetric batches)
      implements FlatMapFunction<Iterator<InternalRow>, ColumnarBatch> {
    @Override
    public Iterator<ColumnarBatch> call(Iterator<InternalRow> in) {
      RowToColumnConverter converter = new RowToColumnConverter(schema);
      WritableColumnVector[] vectors = OnHeapColumnVector.allocateColumns(batchRows, schema);
      ColumnarBatch batch = new ColumnarBatch(vectors);
      SourceFiles files = SourceFiles.begin();
      TaskContext task = TaskContext.get();
      if (task != null) {
        task.addTaskCompletionListener(
            (TaskCompletionListener)
                c -> {
                  batch.close();
                  SourceFiles.end();
                });
      }
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          boolean more = in.hasNext();
          if (!more) {
            SourceFiles.end(); // the task may go on with another source
          }
          return more;
        }

        @Override
        public ColumnarBatch next() {
          for (WritableColumnVector v : vectors) {
            v.reset();
          }
          files.clear();
          int n = 0;
          long bytes = 0;
          while (n < batchRows && bytes < BATCH_BYTES && in.hasNext()) {
            InternalRow row = in.next();
            converter.convert(row, vectors);
            bytes += row instanceof UnsafeRow u ? u.getSizeInBytes() : 0;
            files.row(n++);
          }
          batch.setNumRows(n);
          rows.add(n);
          batches.add(1);
          return batch;
        }
      };
    }
  }
}
