package io.fragua.arrow;

import java.util.List;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.plans.physical.Partitioning;
import org.apache.spark.sql.catalyst.plans.physical.UnknownPartitioning;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.UnaryExecNode;
import org.apache.spark.sql.execution.metric.SQLMetric;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import scala.collection.Iterator;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Map;
import scala.collection.immutable.Seq;

/**
 * {@link ColumnarMap} in a physical plan: takes columns from its child (Spark inserts a conversion
 * where the child has rows) and yields columns (Spark inserts a conversion where the parent wants
 * rows). Class and constructor are public because Catalyst copies nodes by reflection; they are not
 * for use.
 */
public final class ColumnarMapExec extends SparkPlan implements UnaryExecNode {
  private static final long serialVersionUID = 1L;

  private final SparkPlan child;

  // Not transient: an operator above, such as a sort behind an exchange, asks for output() on the
  // executor.
  @SuppressWarnings("serial") // every Seq that Spark makes is serializable
  private final Seq<Attribute> inputs;

  @SuppressWarnings("serial")
  private final Seq<Attribute> outputs;

  private final boolean keep;
  private final transient BatchFunction function;
  private final String label;
  private transient Map<String, SQLMetric> metrics;

  /** Called by Catalyst; its parameters are the product elements. */
  public ColumnarMapExec(
      SparkPlan child,
      Seq<Attribute> inputs,
      Seq<Attribute> outputs,
      boolean keep,
      BatchFunction function,
      String label) {
    this.child = child;
    this.inputs = inputs;
    this.outputs = outputs;
    this.keep = keep;
    this.function = function;
    this.label = label;
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
    return new ColumnarMapExec(
        RowsToColumnsExec.instead(ColumnarProjectExec.instead(newChild)),
        inputs,
        outputs,
        keep,
        function,
        label);
  }

  @Override
  public SparkPlan withNewChildrenInternal(IndexedSeq<SparkPlan> newChildren) {
    return withNewChildInternal(newChildren.apply(0));
  }

  @Override
  public Seq<Attribute> output() {
    return keep ? ScalaLists.concat(child.output(), outputs) : outputs;
  }

  @Override
  public AttributeSet producedAttributes() {
    return ColumnarMapPlan.attributeSet(outputs);
  }

  @Override
  public AttributeSet references() {
    return ColumnarMapPlan.attributeSet(inputs);
  }

  @Override
  public Partitioning outputPartitioning() {
    Partitioning p = child.outputPartitioning();
    return keep ? p : new UnknownPartitioning(p.numPartitions());
  }

  @Override
  public Seq<SortOrder> outputOrdering() {
    return keep ? child.outputOrdering() : ScalaLists.seq(List.of());
  }

  @Override
  public boolean supportsColumnar() {
    return true;
  }

  @Override
  public synchronized Map<String, SQLMetric> metrics() {
    if (metrics == null) {
      metrics = MapMetrics.create(sparkContext());
    }
    return metrics;
  }

  @Override
  public RDD<InternalRow> doExecute() {
    throw new UnsupportedOperationException(
        "ColumnarMap " + label + ": yields columns only; ask for executeColumnar");
  }

  @Override
  public RDD<ColumnarBatch> doExecuteColumnar() {
    var map =
        new MapPartition(
            function, ordinals(), child.output().size(), keep, label, MapMetrics.of(metrics()));
    return child.executeColumnar().toJavaRDD().mapPartitions(map, true).rdd();
  }

  private int[] ordinals() {
    int[] ordinals = new int[inputs.size()];
    java.util.Map<ExprId, Integer> positions = ScalaLists.positions(child.output());
    int i = 0;
    for (Attribute input : ScalaLists.list(inputs)) {
      ordinals[i++] = positions.getOrDefault(input.exprId(), -1);
      if (ordinals[i - 1] < 0) {
        throw new IllegalStateException(
            "ColumnarMap "
                + label
                + ": the child must have every input: "
                + input
                + " is not in "
                + child.output()
                + "; a rule of the session has pruned it");
      }
    }
    return ordinals;
  }

  @Override
  public String nodeName() {
    return "ColumnarMap";
  }

  @Override
  public Iterator<Object> stringArgs() {
    return ColumnarMapPlan.describe(label, inputs, outputs, function);
  }

  @Override
  public int productArity() {
    return 6;
  }

  @Override
  public Object productElement(int i) {
    return switch (i) {
      case 0 -> child;
      case 1 -> inputs;
      case 2 -> outputs;
      case 3 -> keep;
      case 4 -> function;
      case 5 -> label;
      default -> throw new IndexOutOfBoundsException(i);
    };
  }

  @Override
  public boolean canEqual(Object o) {
    return o instanceof ColumnarMapExec;
  }

  @Override
  public boolean equals(Object o) {
    return this == o
        || o instanceof ColumnarMapExec p
            && keep == p.keep
            && label.equals(p.label)
            && function.equals(p.function)
            && inputs.equals(p.inputs)
            && outputs.equals(p.outputs)
            && child.equals(p.child);
  }

  @Override
  public int hashCode() {
    return super.hashCode();
  }
}
