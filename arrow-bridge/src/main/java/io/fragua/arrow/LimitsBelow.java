package io.fragua.arrow;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.internal.SQLConf;
import scala.runtime.AbstractPartialFunction;

/**
 * Moves limits of up to a batch of rows ({@code spark.sql.inMemoryColumnarStorage.batchSize}) below
 * an appending {@link ColumnarMapPlan}, through projections and with a sort by columns that the
 * operator does not produce: no row is then computed that the query does not return.
 *
 * <p>A larger limit stays above: behind it is one partition only, and the operator would lose its
 * other tasks. Each of these ends within a batch of the limit, unless a sort wants all their rows.
 * So does one without a sort at the top of a query: Spark answers that partition by partition until
 * it has enough, where a limit further below would read all.
 */
final class LimitsBelow extends AbstractPartialFunction<LogicalPlan, LogicalPlan> {
  private final int most;

  private LimitsBelow(int most) {
    this.most = most;
  }

  /** The plan of a whole query with its limits moved. */
  static LogicalPlan apply(LogicalPlan query, SQLConf conf) {
    var rule = new LimitsBelow(conf.columnBatchSize());
    return query.isStreaming() ? query : rule.fromTop(query);
  }

  private LogicalPlan fromTop(LogicalPlan plan) {
    if (plan instanceof Project p) {
      return on(p, fromTop(p.child()));
    }
    if (plan instanceof GlobalLimit g && g.child() instanceof LocalLimit l && !sorts(l.child())) {
      return on(g, on(l, l.child().transformDown(this)));
    }
    return plan.transformDown(this);
  }

  private static boolean sorts(LogicalPlan plan) {
    return plan instanceof Sort || plan instanceof Project p && sorts(p.child());
  }

  private static LogicalPlan on(LogicalPlan parent, LogicalPlan child) {
    return parent.withNewChildren(ScalaLists.seq(List.of(child)));
  }

  @Override
  public boolean isDefinedAt(LogicalPlan plan) {
    return moved(plan) != null;
  }

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    return moved(plan);
  }

  /** The plan with the limit at its top moved; null if that may not be. */
  private LogicalPlan moved(LogicalPlan plan) {
    LocalLimit local =
        plan instanceof LocalLimit l
            ? l
            : plan instanceof GlobalLimit g && g.child() instanceof LocalLimit l ? l : null;
    if (local == null || !isSmall(local.limitExpr())) {
      return null;
    }
    List<Project> projections = new ArrayList<>();
    Sort sort = null;
    LogicalPlan below = local.child();
    while (!(below instanceof ColumnarMapPlan)) {
      if (below instanceof Project p && p.deterministic()) {
        projections.add(0, p);
        below = p.child();
      } else if (below instanceof Sort s && s.global() && sort == null && plan != local) {
        sort = s;
        below = s.child();
      } else {
        return null;
      }
    }
    ColumnarMapPlan map = (ColumnarMapPlan) below;
    if (!map.keepsInput() || sort != null && !sort.references().subsetOf(map.child().outputSet())) {
      return null;
    }
    LogicalPlan fewer = on(local, sort == null ? map.child() : on(sort, map.child()));
    LogicalPlan result = on(map, plan == local ? fewer : on(plan, fewer));
    for (Project p : projections) {
      result = on(p, result);
    }
    return result;
  }

  private boolean isSmall(Expression limit) {
    return limit instanceof Literal l && l.value() instanceof Integer n && n <= most;
  }
}
