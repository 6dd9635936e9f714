package io.fragua.spark.estimator;

import io.fragua.spark.train.EpochMetrics;
import java.util.List;
import org.apache.spark.ml.util.Summary;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * How a training went; saved with the model.
 *
 * @param epochs one entry per epoch that was run
 */
public record TrainingSummary(List<EpochMetrics> epochs)
    implements Summary, org.apache.spark.ml.classification.TrainingSummary {
  private static final StructType SCHEMA =
      new StructType()
          .add("epoch", DataTypes.IntegerType, false)
          .add("trainLoss", DataTypes.DoubleType, false)
          .add("validationLoss", DataTypes.DoubleType, true)
          .add("rows", DataTypes.LongType, false)
          .add("seconds", DataTypes.DoubleType, false);

  /** Copies the list. */
  public TrainingSummary {
    epochs = List.copyOf(epochs);
  }

  /** The loss on training rows, epoch after epoch. */
  @Override
  public double[] objectiveHistory() {
    return epochs.stream().mapToDouble(EpochMetrics::trainLoss).toArray();
  }

  /** How many epochs were run. */
  @Override
  public int totalIterations() {
    return epochs.size();
  }

  /**
   * The epochs as a table: epoch (from 0), trainLoss, validationLoss (null without validation
   * rows), rows, seconds. A classifier's loss is the mean cross entropy in nats, a regressor's the
   * mean squared error in units of the label's variance.
   */
  public Dataset<Row> history(SparkSession spark) {
    List<Row> rows =
        epochs.stream()
            .map(
                m ->
                    RowFactory.create(
                        m.epoch(), m.trainLoss(), m.validationLoss(), m.rows(), m.seconds()))
            .toList();
    return spark.createDataFrame(rows, SCHEMA);
  }

  /** As {@link #history(SparkSession)}, with the active session. */
  public Dataset<Row> history() {
    return history(SparkSession.active());
  }
}
