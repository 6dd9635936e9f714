package io.fragua.arrow;

import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.ExpressionSet;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.UnaryNode;
import scala.Option;
import scala.collection.Iterator;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * {@link ColumnarMap} in a logical plan.
 *
 * <p>Catalyst rewrites a node through its product elements, so inputs and outputs are sequences of
 * attributes there: canonical form, attribute renewal and streaming's replacement of sources then
 * work as for Spark's own nodes. Class and constructor are public because Catalyst copies nodes by
 * reflection; they are not for use.
 */
public final class ColumnarMapPlan extends LogicalPlan implements UnaryNode {
  private final LogicalPlan child;
  private final Seq<Attribute> inputs;
  private final Seq<Attribute> outputs;
  private final boolean keep;
  private final BatchFunction function;
  private final String label;
  private Seq<Attribute> output;

  static ColumnarMapPlan of(
      LogicalPlan child,
      List<Attribute> inputs,
      List<Attribute> outputs,
      boolean keep,
      BatchFunction function,
      String label) {
    return new ColumnarMapPlan(
        child,
        ScalaLists.<Attribute>seq(inputs),
        ScalaLists.<Attribute>seq(outputs),
        keep,
        function,
        label);
  }

  /** Called by Catalyst; its parameters are the product elements. */
  public ColumnarMapPlan(
      LogicalPlan child,
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

  List<Attribute> inputs() {
    return ScalaLists.list(inputs);
  }

  List<Attribute> outputs() {
    return ScalaLists.list(outputs);
  }

  /** Whether the child's columns are part of the output: true for append. */
  boolean keepsInput() {
    return keep;
  }

  BatchFunction function() {
    return function;
  }

  String label() {
    return label;
  }

  @Override
  public LogicalPlan child() {
    return child;
  }

  @Override
  public Seq<LogicalPlan> children() {
    return ScalaLists.seq(List.of(child));
  }

  @Override
  public LogicalPlan withNewChildInternal(LogicalPlan newChild) {
    return new ColumnarMapPlan(newChild, inputs, outputs, keep, function, label);
  }

  @Override
  public LogicalPlan withNewChildrenInternal(IndexedSeq<LogicalPlan> newChildren) {
    return withNewChildInternal(newChildren.apply(0));
  }

  @Override
  public Seq<Attribute> output() {
    if (output == null) {
      output = keep ? ScalaLists.concat(child.output(), outputs) : outputs;
    }
    return output;
  }

  @Override
  public AttributeSet producedAttributes() {
    return attributeSet(outputs);
  }

  @Override
  public AttributeSet references() {
    return attributeSet(inputs);
  }

  static AttributeSet attributeSet(Seq<Attribute> attributes) {
    return AttributeSet.apply(
        ScalaLists.<org.apache.spark.sql.catalyst.expressions.Expression>seq(
            ScalaLists.list(attributes)));
  }

  @Override
  public ExpressionSet validConstraints() {
    return child.constraints();
  }

  @Override
  public Option<Object> maxRows() {
    return keep ? child.maxRows() : Option.empty();
  }

  @Override
  public Option<Object> maxRowsPerPartition() {
    return keep ? child.maxRowsPerPartition() : Option.empty();
  }

  @Override
  public String nodeName() {
    return "ColumnarMap";
  }

  @Override
  public Iterator<Object> stringArgs() {
    return describe(label, inputs, outputs, function);
  }

  static Iterator<Object> describe(
      String label, Seq<Attribute> inputs, Seq<Attribute> outputs, BatchFunction function) {
    List<Object> args = new java.util.ArrayList<>(List.of(label, inputs, outputs));
    if (!function.describe().isEmpty()) {
      args.add(function.describe());
    }
    return CollectionConverters.asScala(args.iterator());
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
    return o instanceof ColumnarMapPlan;
  }

  @Override
  public boolean equals(Object o) {
    return this == o
        || o instanceof ColumnarMapPlan p
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
