package io.fragua.arrow;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.optimizer.ColumnPruning$;
import org.apache.spark.sql.catalyst.optimizer.PushDownPredicates$;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.UnaryNode;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.SparkStrategy;
import org.apache.spark.sql.execution.datasources.WriteFiles;
import org.apache.spark.sql.execution.datasources.WriteFilesExec;
import scala.PartialFunction;
import scala.collection.immutable.Seq;
import scala.runtime.AbstractPartialFunction;

/** How {@link ColumnarMapPlan} is optimised and planned. */
final class ColumnarMapRules {
  private ColumnarMapRules() {}

  /**
   * Adds strategy and rule to a session, once. Sessions cloned from it (streaming) have them too,
   * and those that {@code newSession()} makes of it, which share its extensions and may read its
   * global views, have the strategy.
   */
  static void register(SparkSession session) {
    var methods = session.experimental();
    var extensions = session.extensions();
    synchronized (extensions) {
      if (ScalaLists.list(methods.extraStrategies()).stream()
          .noneMatch(Strategy.class::isInstance)) {
        methods.extraStrategies_$eq(
            ScalaLists.concat(methods.extraStrategies(), ScalaLists.seq(List.of(new Strategy()))));
        if (ScalaLists.list(extensions.buildPlannerStrategies(session)).stream()
            .noneMatch(Strategy.class::isInstance)) {
          FraguaExtensions.plan(extensions);
        }
      }
      if (ScalaLists.list(methods.extraOptimizations()).stream()
          .noneMatch(PushDown.class::isInstance)) {
        methods.extraOptimizations_$eq(
            ScalaLists.concat(
                methods.extraOptimizations(), ScalaLists.seq(List.of(new PushDown()))));
      }
    }
  }

  /**
   * Plans the logical node as the physical one; below a writer of files also what stands between
   * them: a projection stays columns, and rows are not copied.
   */
  static final class Strategy extends SparkStrategy {
    @Override
    public Seq<SparkPlan> apply(LogicalPlan plan) {
      if (plan instanceof ColumnarMapPlan p) {
        return ScalaLists.seq(
            List.of(
                new ColumnarMapExec(
                    planLater(p.child()),
                    ScalaLists.seq(p.inputs()),
                    ScalaLists.seq(p.outputs()),
                    p.keepsInput(),
                    p.function(),
                    p.label())));
      }
      // A writer into partitions or buckets sorts, which takes rows of Spark's own kind.
      if (plan instanceof WriteFiles w
          && w.partitionColumns().isEmpty()
          && w.bucketSpec().isEmpty()
          && BatchRowsExec.canDo(w.child().output())) {
        return write(w);
      }
      return ScalaLists.seq(List.of());
    }

    private Seq<SparkPlan> write(WriteFiles w) {
      SparkPlan columns;
      if (w.child() instanceof ColumnarMapPlan map) {
        columns = planLater(map);
      } else if (w.child() instanceof Project p
          && p.child() instanceof ColumnarMapPlan map
          && ColumnarProjectExec.canDo(p.projectList())) {
        columns = new ColumnarProjectExec(planLater(map), p.projectList());
      } else {
        return ScalaLists.seq(List.of());
      }
      SparkPlan rows = new BatchRowsExec(columns);
      // Adaptive execution plans what is below the writer anew from its logical plan.
      rows.setLogicalLink(w.child());
      return ScalaLists.seq(
          List.of(
              new WriteFilesExec(
                  rows,
                  w.fileFormat(),
                  w.partitionColumns(),
                  w.bucketSpec(),
                  w.options(),
                  w.staticPartitions())));
    }
  }

  /**
   * A filter that uses no produced column passes below an appending node; an appending node whose
   * columns nobody uses goes away, and one of whose columns some are unused computes the others.
   * Small limits pass below as well ({@link LimitsBelow}). Input columns that nobody uses are
   * pruned by Spark's own rule.
   */
  static final class PushDown extends Rule<LogicalPlan> {
    @Override
    public LogicalPlan apply(LogicalPlan plan) {
      if (!contains(plan)) {
        return plan;
      }
      LogicalPlan changed = LimitsBelow.apply(plan.transformDown(rewrite()), conf());
      if (changed.fastEquals(plan)) {
        return plan;
      }
      // Registered on first use, this rule runs after Spark's own pushing and pruning, so these get
      // another turn.
      return ColumnPruning$.MODULE$.apply(PushDownPredicates$.MODULE$.apply(changed));
    }

    private static boolean contains(LogicalPlan plan) {
      return plan instanceof ColumnarMapPlan
          || ScalaLists.list(plan.children()).stream().anyMatch(PushDown::contains);
    }

    private static PartialFunction<LogicalPlan, LogicalPlan> rewrite() {
      return new AbstractPartialFunction<>() {
        @Override
        public boolean isDefinedAt(LogicalPlan p) {
          return p instanceof UnaryNode u
              && (below(u) != null || !denseVectors(u.child()).isEmpty());
        }

        @Override
        public LogicalPlan apply(LogicalPlan p) {
          Set<ExprId> vectors = denseVectors(((UnaryNode) p).child());
          LogicalPlan read =
              vectors.isEmpty() ? p : p.transformExpressionsDown(new VectorAccess(vectors));
          if (read instanceof Filter f && f.child() instanceof ColumnarMapPlan map) {
            return push(f, map);
          }
          ColumnarMapPlan map = below((UnaryNode) read);
          return read instanceof Project q && map != null ? drop(q, map) : read;
        }
      };
    }

    /** The operator below a node, under nothing but filters; null if there is none. */
    private static ColumnarMapPlan below(UnaryNode node) {
      LogicalPlan p = node.child();
      while (p instanceof Filter f) {
        p = f.child();
      }
      return p instanceof ColumnarMapPlan map ? map : null;
    }

    /**
     * Columns of a plan that hold dense vectors only: those of the operator, also under filters and
     * under other names.
     */
    private static Set<ExprId> denseVectors(LogicalPlan plan) {
      if (plan instanceof ColumnarMapPlan map) {
        return map.outputs().stream()
            .filter(a -> map.function().yieldsDenseVectors() && MlVectors.isVector(a.dataType()))
            .map(Attribute::exprId)
            .collect(Collectors.toSet());
      }
      if (plan instanceof Filter f) {
        return denseVectors(f.child());
      }
      if (!(plan instanceof Project project)) {
        return Set.of();
      }
      Set<ExprId> all = new HashSet<>(denseVectors(project.child()));
      for (NamedExpression e : ScalaLists.list(project.projectList())) {
        if (e instanceof Alias alias
            && alias.child() instanceof Attribute a
            && all.contains(a.exprId())) {
          all.add(alias.exprId());
        }
      }
      return all;
    }

    private static LogicalPlan push(Filter filter, ColumnarMapPlan map) {
      if (!map.keepsInput()) {
        return filter;
      }
      List<Expression> below = new ArrayList<>();
      List<Expression> above = new ArrayList<>();
      for (Expression e : conjuncts(filter.condition(), new ArrayList<>())) {
        // After a condition that is not deterministic the order of evaluation matters.
        boolean passes =
            above.stream().allMatch(Expression::deterministic)
                && e.deterministic()
                && e.references().subsetOf(map.child().outputSet());
        (passes ? below : above).add(e);
      }
      if (below.isEmpty()) {
        return filter;
      }
      LogicalPlan pushed = map.withNewChildInternal(new Filter(conjunction(below), map.child()));
      return above.isEmpty() ? pushed : new Filter(conjunction(above), pushed);
    }

    private static List<Expression> conjuncts(Expression e, List<Expression> into) {
      if (e instanceof And and) {
        conjuncts(and.left(), into);
        conjuncts(and.right(), into);
      } else {
        into.add(e);
      }
      return into;
    }

    private static Expression conjunction(List<Expression> all) {
      return all.stream().reduce(And::new).orElseThrow();
    }

    private static LogicalPlan drop(Project project, ColumnarMapPlan map) {
      Set<ExprId> references = new HashSet<>();
      List<Filter> filters = new ArrayList<>();
      addReferences(project, references);
      for (LogicalPlan p = project.child(); p instanceof Filter f; p = f.child()) {
        addReferences(f, references);
        filters.add(0, f);
      }
      List<Attribute> all = map.outputs();
      int[] used =
          IntStream.range(0, all.size())
              .filter(i -> references.contains(all.get(i).exprId()))
              .toArray();
      LogicalPlan pruned;
      if (used.length == 0) {
        pruned = map.keepsInput() ? map.child() : null;
      } else {
        pruned = used.length < all.size() ? only(map, used) : null;
      }
      if (pruned == null) {
        return project;
      }
      for (Filter f : filters) {
        pruned = new Filter(f.condition(), pruned);
      }
      return new Project(project.projectList(), pruned);
    }

    private static void addReferences(LogicalPlan p, Set<ExprId> into) {
      ScalaLists.list(p.references().toSeq()).forEach(a -> into.add(a.exprId()));
    }

    private static LogicalPlan only(ColumnarMapPlan map, int[] used) {
      BatchFunction fewer = map.function().only(used);
      List<Attribute> outputs = IntStream.of(used).mapToObj(map.outputs()::get).toList();
      return fewer == null
          ? null
          : ColumnarMapPlan.of(
              map.child(), map.inputs(), outputs, map.keepsInput(), fewer, map.label());
    }
  }
}
