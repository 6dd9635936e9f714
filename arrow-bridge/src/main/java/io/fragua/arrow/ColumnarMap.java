package io.fragua.arrow;

import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Option;
import scala.collection.immutable.Seq;

/**
 * The one Catalyst operator: applies a {@link BatchFunction} to the batches of a data set, columns
 * in, columns out. Scoring, statistics and the packing of training data all are uses of it. It
 * works on batch and streaming data sets, and registers itself with the session on first use;
 * {@link FraguaExtensions} does so at the start of a session.
 */
public final class ColumnarMap {
  private ColumnarMap() {}

  /**
   * Appends columns. The input's columns pass through untouched, the same vectors; the function
   * yields one batch per input batch (see {@link BatchFunction}). Columns that nothing above uses
   * are not read, filters on other columns than the new ones pass below, and a query that uses none
   * of the new columns does not compute them.
   *
   * @param inputs names of the columns the function reads, dotted for fields of structs ({@link
   *     ColumnPath})
   * @param outputs the new columns
   * @param label names the operator in {@code explain()} and the SQL tab
   * @throws IllegalArgumentException if an input is missing or ambiguous, or an output is there
   */
  public static Dataset<Row> append(
      Dataset<?> data, List<String> inputs, StructType outputs, BatchFunction f, String label) {
    var df = classic(data);
    LogicalPlan below = df.logicalPlan();
    LogicalPlan child = withFields(df, below, inputs);
    List<Attribute> in = resolve(df, child, inputs, label);
    Set<String> taken = new HashSet<>();
    ScalaLists.list(below.output()).forEach(a -> taken.add(key(df, a.name())));
    checkOutputs(df, outputs, taken, label);
    return plan(
        df, ColumnarMapPlan.of(child, in, attributes(outputs), true, f, label), below.output());
  }

  /**
   * Replaces all columns: the result holds the outputs only, with as many rows as the function
   * yields. Only the inputs are read.
   *
   * @param inputs names of the columns the function reads, dotted for fields of structs ({@link
   *     ColumnPath})
   * @param outputs the columns of the result
   * @param label names the operator in {@code explain()} and the SQL tab
   * @throws IllegalArgumentException if an input is missing or ambiguous
   */
  public static Dataset<Row> replace(
      Dataset<?> data, List<String> inputs, StructType outputs, BatchFunction f, String label) {
    var df = classic(data);
    LogicalPlan child = withFields(df, df.logicalPlan(), inputs);
    List<Attribute> in = resolve(df, child, inputs, label);
    checkOutputs(df, outputs, new HashSet<>(), label);
    Set<ExprId> read = in.stream().map(Attribute::exprId).collect(Collectors.toSet());
    // In the order of the child: then the scan yields just this and no row-based projection is
    // needed, which would turn the columns to rows and back.
    List<Attribute> used =
        ScalaLists.list(child.output()).stream().filter(a -> read.contains(a.exprId())).toList();
    LogicalPlan pruned =
        used.size() == child.output().size()
            ? child
            : new Project(ScalaLists.<NamedExpression>seq(used), child);
    return plan(
        df,
        ColumnarMapPlan.of(pruned, in, attributes(outputs), false, f, label),
        ScalaLists.seq(List.of()));
  }

  /** The plan, with columns of the names behind that are no column's own: paths and quoted ones. */
  private static LogicalPlan withFields(
      org.apache.spark.sql.classic.Dataset<?> df, LogicalPlan child, List<String> inputs) {
    List<NamedExpression> fields = new ArrayList<>();
    StructType schema = df.schema();
    var resolver = df.sparkSession().sessionState().conf().resolver();
    for (String name : new LinkedHashSet<>(inputs)) {
      if (ColumnPath.isPath(schema, name)) {
        NamedExpression e = child.resolve(ScalaLists.seq(ColumnPath.parts(name)), resolver).get();
        Expression field = e instanceof Alias a ? a.child() : (Expression) e;
        fields.add(
            new Alias(
                field,
                name,
                NamedExpression.newExprId(),
                ScalaLists.seq(List.of()),
                Option.empty(),
                ScalaLists.seq(List.of())));
      }
    }
    if (fields.isEmpty()) {
      return child;
    }
    List<NamedExpression> all = new ArrayList<>(ScalaLists.list(child.output()));
    all.addAll(fields);
    return new Project(ScalaLists.seq(all), child);
  }

  /**
   * Makes sure that the session can plan the operator. {@link #append} and {@link #replace} call
   * it; idempotent.
   */
  public static void register(org.apache.spark.sql.SparkSession session) {
    if (session instanceof SparkSession s) {
      ColumnarMapRules.register(s);
    }
  }

  private static Dataset<Row> plan(
      org.apache.spark.sql.classic.Dataset<?> df, ColumnarMapPlan map, Seq<Attribute> kept) {
    register(df.sparkSession());
    // The produced attributes get another identity on top: Spark renews aliases in a self-join or
    // union, but does not know how to renew what this node produces. The optimizer removes the
    // projection again.
    List<NamedExpression> top = new ArrayList<>();
    Set<Long> produced = new HashSet<>();
    map.outputs().forEach(a -> produced.add(a.exprId().id()));
    List<Attribute> output = new ArrayList<>(ScalaLists.list(kept));
    output.addAll(map.outputs());
    for (Attribute a : output) {
      top.add(
          produced.contains(a.exprId().id())
              ? new Alias(
                  a,
                  a.name(),
                  NamedExpression.newExprId(),
                  ScalaLists.seq(List.of()),
                  Option.empty(),
                  ScalaLists.seq(List.of()))
              : a);
    }
    return org.apache.spark.sql.classic.Dataset.ofRows(
        df.sparkSession(), new Project(ScalaLists.seq(top), map));
  }

  private static org.apache.spark.sql.classic.Dataset<?> classic(Dataset<?> data) {
    Check.that(
        data instanceof org.apache.spark.sql.classic.Dataset,
        "columnar map: needs a data set of a classic session: %s; run this code in the driver"
            + " program, not through Spark Connect",
        data.getClass().getName());
    return (org.apache.spark.sql.classic.Dataset<?>) data;
  }

  private static String key(org.apache.spark.sql.classic.Dataset<?> df, String name) {
    return df.sparkSession().sessionState().conf().caseSensitiveAnalysis()
        ? name
        : name.toLowerCase(java.util.Locale.ROOT);
  }

  private static List<Attribute> resolve(
      org.apache.spark.sql.classic.Dataset<?> df,
      LogicalPlan child,
      List<String> names,
      String label) {
    Map<String, List<Attribute>> byName = new HashMap<>();
    for (Attribute a : ScalaLists.list(child.output())) {
      byName.computeIfAbsent(key(df, a.name()), k -> new ArrayList<>()).add(a);
    }
    List<Attribute> found = new ArrayList<>();
    for (String name : names) {
      List<Attribute> same = byName.getOrDefault(key(df, name), List.of());
      if (same.size() != 1) {
        throw new IllegalArgumentException(
            String.format(
                "%s: an input column must be there once: \"%s\" %s among %s; %s",
                label,
                name,
                same.isEmpty() ? "is not" : "is " + same.size() + " times",
                ScalaLists.list(child.output()).stream().map(Attribute::name).toList(),
                same.isEmpty() ? "correct the name" : "rename or drop the others"));
      }
      found.add(same.get(0));
    }
    return found;
  }

  private static void checkOutputs(
      org.apache.spark.sql.classic.Dataset<?> df,
      StructType outputs,
      Set<String> taken,
      String label) {
    for (StructField f : outputs.fields()) {
      Check.that(
          taken.add(key(df, f.name())),
          "%s: an output column must be new: \"%s\" is there already; drop it or choose another"
              + " name",
          label,
          f.name());
    }
  }

  private static List<Attribute> attributes(StructType fields) {
    List<Attribute> out = new ArrayList<>();
    for (StructField f : fields.fields()) {
      out.add(
          new AttributeReference(
              f.name(),
              f.dataType(),
              f.nullable(),
              f.metadata(),
              NamedExpression.newExprId(),
              ScalaLists.seq(List.of())));
    }
    return out;
  }
}
