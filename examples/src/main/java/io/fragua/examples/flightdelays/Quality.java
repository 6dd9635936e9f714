package io.fragua.examples.flightdelays;

import org.apache.spark.ml.evaluation.BinaryClassificationEvaluator;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * How good predictions are, by Spark's own evaluators.
 *
 * @param auc area under the ROC curve
 * @param logLoss mean negative log likelihood
 */
public record Quality(double auc, double logLoss) {
  /** Measures scored flights that have the label. */
  public static Quality of(Dataset<Row> scored) {
    // Two evaluators read them, and the model should run once.
    Dataset<Row> few =
        scored
            .select(Flights.LATE, "probability", "prediction")
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      double auc =
          new BinaryClassificationEvaluator()
              .setLabelCol(Flights.LATE)
              .setRawPredictionCol("probability")
              .setMetricName("areaUnderROC")
              .setNumBins(0) // every distinct score is a point of the curve
              .evaluate(few);
      double logLoss =
          new MulticlassClassificationEvaluator()
              .setLabelCol(Flights.LATE)
              .setProbabilityCol("probability")
              .setMetricName("logLoss")
              .evaluate(few);
      return new Quality(auc, logLoss);
    } finally {
      few.unpersist();
    }
  }
}
