package io.fragua.arrow;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GetStructField;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.PlanExpression;
import org.apache.spark.sql.catalyst.optimizer.CollapseProject$;
import org.apache.spark.sql.catalyst.plans.logical.OneRowRelation;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.physical.Partitioning;
import org.apache.spark.sql.catalyst.plans.physical.UnknownPartitioning;
import org.apache.spark.sql.execution.ColumnarToRowExec;
import org.apache.spark.sql.execution.ProjectExec;
import org.apache.spark.sql.execution.RowToColumnarExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.UnaryExecNode;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/**
 * A projection of Spark SQL between two columnar operators. Spark itself would turn all columns to
 * rows, compute, and turn all back; here columns that pass through stay the same vectors (a string
 * column keeps its dictionary) and only what is computed is written, by the code that Spark
 * generates for the expressions. Class and constructor are public because Catalyst copies nodes by
 * reflection; they are not for use.
 */
public final class ColumnarProjectExec extends SparkPlan implements UnaryExecNode {
  private static final long serialVersionUID = 1L;

  /** What a generated projection can write into a vector in place. */
  private static final Set<DataType> WRITABLE =
      Set.of(
          DataTypes.BooleanType,
          DataTypes.ByteType,
          DataTypes.ShortType,
          DataTypes.IntegerType,
          DataTypes.LongType,
          DataTypes.FloatType,
          DataTypes.DoubleType,
          DataTypes.DateType,
          DataTypes.TimestampType,
          DataTypes.TimestampNTZType);

  private static final int MAX_NODES = 1000; // of the expressions of one projection

  private final SparkPlan child;

  // Not transient: an operator above may ask for output() on the executor.
  @SuppressWarnings("serial") // every Seq that Spark makes is serializable
  private final Seq<NamedExpression> list;

  /** Called by Catalyst; its parameters are the product elements. */
  public ColumnarProjectExec(SparkPlan child, Seq<NamedExpression> list) {
    this.child = child;
    this.list = list;
  }

  /**
   * Takes the detour by rows out of a plan: columns to rows, projections, rows to columns; or a
   * scan that could yield columns, projections, rows to columns.
   *
   * @return the same plan where it has no such detour, or one that this operator cannot do
   */
  static SparkPlan instead(SparkPlan plan) {
    if (!(plan instanceof RowToColumnarExec)) {
      return plan;
    }
    List<ProjectExec> projections = new ArrayList<>();
    SparkPlan below = ((RowToColumnarExec) plan).child();
    while (below instanceof ProjectExec p && canDo(p.projectList())) {
      projections.add(0, p);
      below = p.child();
    }
    SparkPlan columns = below instanceof ColumnarToRowExec c ? c.child() : WideScan.instead(below);
    if (columns == null) {
      return plan;
    }
    for (Seq<NamedExpression> list : merged(projections)) {
      columns = new ColumnarProjectExec(columns, list);
    }
    return columns;
  }

  /**
   * Projections of projections as one, so that what derives from one column through several is seen
   * to. The generated code computes what then occurs twice once; where expressions would outgrow
   * reason, as {@code x + x} does when repeated, they stay apart.
   */
  private static List<Seq<NamedExpression>> merged(List<ProjectExec> bottomUp) {
    List<Seq<NamedExpression>> lists = new ArrayList<>();
    for (ProjectExec p : bottomUp) {
      Seq<NamedExpression> list = p.projectList();
      if (!lists.isEmpty()) {
        Seq<NamedExpression> both = substituted(list, lists.get(lists.size() - 1));
        if (ScalaLists.list(both).stream().mapToInt(e -> nodes((Expression) e)).sum()
            <= MAX_NODES) {
          lists.remove(lists.size() - 1);
          list = both;
        }
      }
      lists.add(list);
    }
    return lists;
  }

  /** The upper list in terms of what the lower one reads, as Spark's optimizer merges them. */
  private static Seq<NamedExpression> substituted(
      Seq<NamedExpression> upper, Seq<NamedExpression> lower) {
    // Not buildCleanedProjectList, which does the same: its signature is not that of Spark 4.0.
    CollapseProject$ rule = CollapseProject$.MODULE$;
    var aliases = rule.getAliasMap(new Project(lower, new OneRowRelation()));
    return ScalaLists.seq(
        ScalaLists.list(upper).stream()
            .map(e -> (Expression) rule.replaceAliasButKeepName(e, aliases))
            .map(e -> (NamedExpression) rule.trimNonTopLevelAliases(e))
            .toList());
  }

  private static int nodes(Expression e) {
    return 1 + ScalaLists.list(e.children()).stream().mapToInt(ColumnarProjectExec::nodes).sum();
  }

  /** Whether this operator can do a projection. */
  static boolean canDo(Seq<NamedExpression> list) {
    return ScalaLists.list(list).stream().allMatch(ColumnarProjectExec::canDo);
  }

  private static boolean canDo(NamedExpression named) {
    Expression e = computed(named);
    return source(e) != null
        || WRITABLE.contains(e.dataType()) && e.deterministic() && !asksAnotherPlan(e);
  }

  private static boolean asksAnotherPlan(Expression e) {
    return e instanceof PlanExpression<?>
        || ScalaLists.list(e.children()).stream().anyMatch(ColumnarProjectExec::asksAnotherPlan);
  }

  /** The column that an expression is, or is a field of, to any depth; null for any other. */
  private static Attribute source(Expression e) {
    Expression inner = e;
    while (inner instanceof GetStructField f) {
      inner = f.child();
    }
    return inner instanceof Attribute a ? a : null;
  }

  /** From the column to the field, by ordinals. */
  private static int[] path(Expression e) {
    List<Integer> path = new ArrayList<>();
    for (Expression f = e; f instanceof GetStructField g; f = g.child()) {
      path.add(0, g.ordinal());
    }
    return path.stream().mapToInt(i -> i).toArray();
  }

  private static Expression computed(NamedExpression named) {
    return named instanceof Alias alias ? alias.child() : (Expression) named;
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
    return new ColumnarProjectExec(newChild, list);
  }

  @Override
  public SparkPlan withNewChildrenInternal(IndexedSeq<SparkPlan> newChildren) {
    return withNewChildInternal(newChildren.apply(0));
  }

  @Override
  public Seq<Attribute> output() {
    return ScalaLists.seq(
        ScalaLists.list(list).stream().map(NamedExpression::toAttribute).toList());
  }

  /** Unknown, which is always true: exchanges were planned before this node came in. */
  @Override
  public Partitioning outputPartitioning() {
    return new UnknownPartitioning(child.outputPartitioning().numPartitions());
  }

  @Override
  public boolean supportsColumnar() {
    return true;
  }

  @Override
  public RDD<InternalRow> doExecute() {
    throw new UnsupportedOperationException(
        "ColumnarProject: yields columns only; ask for executeColumnar");
  }

  @Override
  public RDD<ColumnarBatch> doExecuteColumnar() {
    Map<ExprId, Integer> input = ScalaLists.positions(child.output());
    List<NamedExpression> named = ScalaLists.list(list);
    // Expressions by the one column they use; those of several or of none together.
    Map<Integer, List<Integer>> groups = new TreeMap<>();
    int[] from = new int[list.size()];
    int[][] fields = new int[list.size()][];
    for (int i = 0; i < from.length; i++) {
      Expression e = computed(named.get(i));
      if (source(e) != null) {
        from[i] = position(input, source(e));
        fields[i] = path(e);
      } else {
        List<Attribute> used = ScalaLists.list(e.references().toSeq());
        int column = used.size() == 1 ? position(input, used.get(0)) : -1;
        groups.computeIfAbsent(column, c -> new ArrayList<>()).add(i);
      }
    }
    List<DerivedColumns.Spec> derived = new ArrayList<>();
    int at = 0;
    for (Map.Entry<Integer, List<Integer>> group : groups.entrySet()) {
      List<Expression> expressions = new ArrayList<>();
      StructType written = new StructType();
      for (int i : group.getValue()) {
        Expression e = computed(named.get(i));
        from[i] = ~at++;
        expressions.add(e);
        written = written.add(new StructField("c" + i, e.dataType(), true, Metadata.empty()));
      }
      derived.add(new DerivedColumns.Spec(group.getKey(), ScalaLists.seq(expressions), written));
    }
    var project = new ProjectPartition(List.copyOf(derived), child.output(), from, fields);
    return child.executeColumnar().toJavaRDD().mapPartitions(project, true).rdd();
  }

  private static int position(Map<ExprId, Integer> input, Attribute a) {
    Integer at = input.get(a.exprId());
    if (at == null) {
      throw new IllegalStateException(
          "ColumnarProject: the child must have every column: "
              + a
              + " is not among its "
              + input.size()
              + "; a rule of the session has pruned it");
    }
    return at;
  }

  @Override
  public String nodeName() {
    return "ColumnarProject";
  }

  @Override
  public int productArity() {
    return 2;
  }

  @Override
  public Object productElement(int i) {
    return switch (i) {
      case 0 -> child;
      case 1 -> list;
      default -> throw new IndexOutOfBoundsException(i);
    };
  }

  @Override
  public boolean canEqual(Object o) {
    return o instanceof ColumnarProjectExec;
  }

  @Override
  public boolean equals(Object o) {
    return this == o
        || o instanceof ColumnarProjectExec p && list.equals(p.list) && child.equals(p.child);
  }

  @Override
  public int hashCode() {
    return super.hashCode();
  }
}
