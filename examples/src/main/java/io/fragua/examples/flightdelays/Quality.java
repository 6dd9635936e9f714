package io.fragua.examples.flightdelays;

import java.util.List;
import org.apache.spark.ml.functions;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * How good predictions are.
 *
 * @param auc area under the ROC curve
 * @param logLoss mean negative log likelihood
 */
public record Quality(double auc, double logLoss) {
  /** How many steps of score the curve tells apart. */
  private static final int STEPS = 10_000;

  /**
   * Measures scored flights that have the label, in one job.
   *
   * <p>Spark's {@code BinaryClassificationEvaluator} takes any model's output, and for curves of
   * hundreds of thousands of points takes several times as long as the model itself: it sorts and
   * shuffles each score as an object. Here Spark SQL counts the flights of each ten-thousandth, and
   * the few counts are added up on the driver; the area then differs in the seventh digit.
   */
  public static Quality of(Dataset<Row> scored) {
    List<Row> counts =
        scored
            .select(
                scored.col(Flights.LATE),
                functions.vector_to_array(scored.col("probability"), "float64").as("p"))
            .selectExpr(
                Flights.LATE + " > 0 AS late",
                "floor(p[1] * " + STEPS + ") AS step",
                // The logarithm of 0 has no end.
                "-ln(greatest(p[int(" + Flights.LATE + ")], 1e-15D)) AS loss")
            .groupBy("step")
            .agg(
                org.apache.spark.sql.functions.expr("count_if(late)").as("late"),
                org.apache.spark.sql.functions.expr("count_if(NOT late)").as("punctual"),
                org.apache.spark.sql.functions.sum("loss").as("loss"))
            .sort("step")
            .collectAsList();
    long punctual = 0; // so far: with a lower score
    long late = 0;
    double right = 0; // pairs of a late and a punctual flight with the late one scored higher
    double loss = 0;
    for (Row r : counts) {
      right += r.getLong(1) * (punctual + r.getLong(2) / 2.0); // a tie is half right
      late += r.getLong(1);
      punctual += r.getLong(2);
      loss += r.getDouble(3);
    }
    if (late == 0 || punctual == 0) {
      throw new IllegalArgumentException(
          String.format(
              "flights: testing needs late and punctual flights: %d of %d are late; choose a file"
                  + " with more flights",
              late, late + punctual));
    }
    return new Quality(right / ((double) late * punctual), loss / (late + punctual));
  }
}
