package io.fragua.spark.estimator;

import io.fragua.arrow.ColumnPath;
import io.fragua.spark.param.ClassifierParams;
import io.fragua.spark.param.Setters;
import io.fragua.tensor.Check;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;

/** How much the rows of each class count. */
final class ClassBalance {
  private ClassBalance() {}

  /** Refuses two answers to one question. */
  static void check(String stage, Setters<?> params) {
    if (params instanceof ClassifierParams c) {
      Check.that(
          !c.getBalanceClasses() || !c.isSet(c.classWeights()),
          "%s balanceClasses: gives the classes' weights itself: balanceClasses is true and"
              + " classWeights %s; set one of them",
          stage,
          Arrays.toString(c.isSet(c.classWeights()) ? c.getClassWeights() : new double[0]));
    }
  }

  /**
   * One weight a class, or null if all rows count alike. With {@code balanceClasses} it takes a job
   * of its own, over the label column and those of weights and validation.
   */
  static double[] weights(String stage, Setters<?> params, Dataset<?> rows, int classes) {
    if (!(params instanceof ClassifierParams c)) {
      return null;
    }
    if (!c.getBalanceClasses()) {
      return c.isSet(c.classWeights()) ? c.getClassWeights() : null;
    }
    Column label =
        ColumnPath.column(rows.schema(), params.getLabelCol()).cast(DataTypes.IntegerType);
    Column weight =
        params.getWeightCol().isEmpty()
            ? functions.lit(1.0)
            : ColumnPath.column(rows.schema(), params.getWeightCol()).cast(DataTypes.DoubleType);
    Dataset<?> learnt =
        params.getValidationIndicatorCol().isEmpty()
            ? rows
            : rows.filter(
                functions.not(
                    functions.coalesce(
                        ColumnPath.column(rows.schema(), params.getValidationIndicatorCol()),
                        functions.lit(false))));
    List<Row> sums =
        Jobs.run(stage, () -> learnt.groupBy(label).agg(functions.sum(weight)).collectAsList());
    double total = sums.stream().mapToDouble(r -> r.getDouble(1)).sum();
    double[] weights = new double[classes];
    for (Row r : sums) {
      double n = r.getDouble(1);
      weights[r.getInt(0)] = n > 0 ? total / (classes * n) : 0;
    }
    return weights;
  }
}
