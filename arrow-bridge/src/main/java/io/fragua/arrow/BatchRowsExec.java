package io.fragua.arrow;

import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.plans.physical.Partitioning;
import org.apache.spark.sql.execution.ColumnarToRowExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.UnaryExecNode;
import org.apache.spark.sql.execution.metric.SQLMetric;
import org.apache.spark.sql.execution.metric.SQLMetrics;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Map;
import scala.collection.immutable.Seq;

/**
 * Columns as rows for a writer of files: each row is a view of the batch, where Spark's own
 * conversion copies every row. A view holds only until the next is asked for, so this stands
 * directly below a writer that keeps no rows and nowhere else ({@link ColumnarMapRules.Strategy}).
 * Class and constructor are public because Catalyst copies nodes by reflection; they are not for
 * use.
 */
public final class BatchRowsExec extends SparkPlan implements UnaryExecNode {
  private static final long serialVersionUID = 1L;

  /** What a view reads as any row does. */
  private static final Set<DataType> READABLE =
      Set.of(
          DataTypes.BooleanType,
          DataTypes.ByteType,
          DataTypes.ShortType,
          DataTypes.IntegerType,
          DataTypes.LongType,
          DataTypes.FloatType,
          DataTypes.DoubleType,
          DataTypes.BinaryType,
          DataTypes.DateType,
          DataTypes.TimestampType,
          DataTypes.TimestampNTZType);

  private final SparkPlan child;
  private transient Map<String, SQLMetric> metrics;

  /** Called by Catalyst; its parameter is the product element. */
  public BatchRowsExec(SparkPlan child) {
    this.child = child;
  }

  /** Whether rows of these columns can be views. */
  static boolean canDo(Seq<Attribute> columns) {
    return ScalaLists.list(columns).stream()
        .allMatch(a -> READABLE.contains(a.dataType()) || a.dataType() instanceof StringType);
  }

  @Override
  public SparkPlan child() {
    return child;
  }

  @Override
  public Seq<SparkPlan> children() {
    return ScalaLists.seq(List.of(child));
  }

  /** Spark, which does not know this node, has put its own conversion below. */
  @Override
  public SparkPlan withNewChildInternal(SparkPlan newChild) {
    return new BatchRowsExec(newChild instanceof ColumnarToRowExec c ? c.child() : newChild);
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
  public synchronized Map<String, SQLMetric> metrics() {
    if (metrics == null) {
      var sc = sparkContext();
      metrics =
          ScalaLists.map(
              java.util.Map.of(
                  "numOutputRows",
                  SQLMetrics.createMetric(sc, "number of output rows"),
                  "numInputBatches",
                  SQLMetrics.createMetric(sc, "number of input batches")));
    }
    return metrics;
  }

  @Override
  public RDD<InternalRow> doExecute() {
    if (!child.supportsColumnar()) {
      return child.execute();
    }
    var views = new Views(metrics().apply("numOutputRows"), metrics().apply("numInputBatches"));
    return child.executeColumnar().toJavaRDD().mapPartitions(views, true).rdd();
  }

  @Override
  public String nodeName() {
    return "BatchRows";
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
    return o instanceof BatchRowsExec;
  }

  @Override
  public boolean equals(Object o) {
    return this == o || o instanceof BatchRowsExec r && child.equals(r.child);
  }

  @Override
  public int hashCode() {
    return super.hashCode();
  }

  private record Views(SQLMetric rows, SQLMetric batches)
      implements FlatMapFunction<Iterator<ColumnarBatch>, InternalRow> {
    @Override
    public Iterator<InternalRow> call(Iterator<ColumnarBatch> in) {
      return new Iterator<>() {
        private ColumnarBatch batch;
        private Iterator<InternalRow> views;

        @Override
        public boolean hasNext() {
          while (views == null || !views.hasNext()) {
            if (batch != null) {
              batch.closeIfFreeable(); // whoever takes a batch frees it
              batch = null;
            }
            if (!in.hasNext()) {
              return false;
            }
            batch = in.next();
            batches.add(1);
            rows.add(batch.numRows());
            views = batch.rowIterator();
          }
          return true;
        }

        @Override
        public InternalRow next() {
          hasNext();
          return views.next();
        }
      };
    }
  }
}
