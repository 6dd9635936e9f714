package io.fragua.arrow;

import org.apache.spark.sql.SparkSessionExtensions;
import scala.Function1;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/**
 * Registers {@link ColumnarMap} at the start of every session, for those who prefer a setting to
 * registration on first use: {@code spark.sql.extensions=io.fragua.arrow.FraguaExtensions}. Its
 * rules then run among Spark's early ones, so that a filter on an input column is also pushed into
 * sources of the V2 kind. First use registers with the session; those that {@code newSession()}
 * makes of it can then run the operator, too, as in a global temporary view. Others, as one built
 * with extensions of its own, need the setting for that.
 */
public final class FraguaExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit>
    implements Function1<SparkSessionExtensions, BoxedUnit> {
  /** Made by Spark. */
  public FraguaExtensions() {}

  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    plan(extensions);
    extensions.injectOptimizerRule(
        new AbstractFunction1<>() {
          @Override
          public org.apache.spark.sql.catalyst.rules.Rule<
                  org.apache.spark.sql.catalyst.plans.logical.LogicalPlan>
              apply(org.apache.spark.sql.SparkSession s) {
            return new ColumnarMapRules.PushDown();
          }
        });
    return BoxedUnit.UNIT;
  }

  /** Makes sessions with these extensions plan the operator, which they cannot run without. */
  static void plan(SparkSessionExtensions extensions) {
    extensions.injectPlannerStrategy(
        new AbstractFunction1<>() {
          @Override
          public org.apache.spark.sql.execution.SparkStrategy apply(
              org.apache.spark.sql.SparkSession s) {
            return new ColumnarMapRules.Strategy();
          }
        });
  }
}
