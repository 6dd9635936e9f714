package io.fragua.arrow;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.optimizer.ColumnPruning$;
import org.apache.spark.sql.catalyst.optimizer.PushDownPredicates$;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.SparkStrategy;
import scala.PartialFunction;
import scala.collection.immutable.Seq;
import scala.runtime.AbstractPartialFunction;

/** How {@link ColumnarMapPlan} is optimised and planned. */
final class ColumnarMapRules {
  private ColumnarMapRules() {}

  /**
   * Adds strategy and rule to a session, once. Sessions cloned from it (streaming) have them too.
   */
  static void register(SparkSession session) {
    var methods = session.experimental();
    synchronized (methods) {
      if (ScalaLists.list(methods.extraStrategies()).stream()
          .noneMatch(Strategy.class::isInstance)) {
        methods.extraStrategies_$eq(
            ScalaLists.concat(methods.extraStrategies(), ScalaLists.seq(List.of(new Strategy()))));
      }
      if (ScalaLists.list(methods.extraOptimizations()).stream()
          .noneMatch(PushDown.class::isInstance)) {
        methods.extraOptimizations_$eq(
            ScalaLists.concat(
                methods.extraOptimizations(), ScalaLists.seq(List.of(new PushDown()))));
      }
    }
  }

  /** Plans the logical node as the physical one. */
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
      return ScalaLists.seq(List.of());
    }
  }

  /**
   * A filter that uses no produced column passes below an appending node; an appending node whose
   * columns nobody uses goes away. Columns that nobody uses are pruned by Spark's own rule.
   */
  static final class PushDown extends Rule<LogicalPlan> {
    @Override
    public LogicalPlan apply(LogicalPlan plan) {
      if (!contains(plan)) {
        return plan;
      }
      LogicalPlan changed = plan.transformDown(rewrite());
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
          return p instanceof Filter f && f.child() instanceof ColumnarMapPlan
              || p instanceof Project q && q.child() instanceof ColumnarMapPlan;
        }

        @Override
        public LogicalPlan apply(LogicalPlan p) {
          return p instanceof Filter f
              ? push(f, (ColumnarMapPlan) f.child())
              : drop((Project) p, (ColumnarMapPlan) ((Project) p).child());
        }
      };
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
      return map.keepsInput() && project.references().subsetOf(map.child().outputSet())
          ? new Project(project.projectList(), map.child())
          : project;
    }
  }
}
