package io.fragua.arrow;

import org.apache.spark.sql.SparkSessionExtensions;
import scala.Function1;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/**
 * Registers {@link ColumnarMap} at the start of every session, for those who prefer a setting to
 * registration on first use: {@code spark.sql.extensions=io.fragua.arrow.FraguaExtensions}. Its
 * rules then run among Spark's early ones, so that a filter on an input column is also pushed into
 * sources of the V2 kind.
 */
public final class FraguaExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit>
    implements Function1<SparkSessionExtensions, BoxedUnit> {
  /** Made by Spark. */
  public FraguaExtensions() {}

  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    extensions.injectPlannerStrategy(
        new AbstractFunction1<>() {
          @Override
          public org.apache.spark.sql.execution.SparkStrategy apply(
              org.apache.spark.sql.SparkSession s) {
            return new ColumnarMapRules.Strategy();
          }
        });
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
}
