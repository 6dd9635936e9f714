package io.fragua.examples.flightdelays;

import io.fragua.spark.estimator.NeuralClassifier;
import io.fragua.spark.train.TrainListener;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.feature.SQLTransformer;
import picocli.CommandLine.Option;

/** What is learnt from, and how: options that example and benchmark share. */
public final class FlightOptions {
  @Option(
      names = "--data",
      paramLabel = "PATH",
      description = "Parquet files of flights, any path Spark reads (default: the sample).")
  private String data;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes over the flights (default: ${DEFAULT-VALUE}).")
  private int epochs = 5;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      description = "Flights of one training step (default: ${DEFAULT-VALUE}).")
  private int batchSize = 1024;

  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "Tasks that train together (default: as many as run at once).")
  private int workers;

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      description =
          "Step size of Adam at the start; it falls to 0 along half a cosine (default:"
              + " ${DEFAULT-VALUE}).")
  private double learningRate = 4e-3;

  @Option(
      names = "--precision",
      paramLabel = "P",
      description =
          "BF16_MATH multiplies numbers rounded to 16 bits where the CPU can, STRICT 32-bit ones"
              + " (default: ${DEFAULT-VALUE}).")
  private String precision = "BF16_MATH";

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Decides split, first weights and order (default: ${DEFAULT-VALUE}).")
  private long seed = 42;

  /** Made by picocli. */
  public FlightOptions() {}

  /** Where the flights are. */
  public String data() {
    return data == null ? Flights.sample() : data;
  }

  /** Passes over the flights. */
  public int epochs() {
    return epochs;
  }

  /** Flights of one step. */
  public int batchSize() {
    return batchSize;
  }

  /** How products are computed. */
  public String precision() {
    return precision;
  }

  /** Of the split, and of the training. */
  public long seed() {
    return seed;
  }

  /** Step size at the start. */
  public double learningRate() {
    return learningRate;
  }

  /**
   * SQL that derives the columns, then the network: five embeddings 16 wide and five numbers into
   * layers of 256 and 128.
   */
  public Pipeline pipeline(TrainListener listener) {
    NeuralClassifier classifier =
        new NeuralClassifier()
            .setNumericCols(Flights.NUMERIC)
            .setCategoricalCols(Flights.CATEGORICAL)
            .setHandleInvalid("keep") // flights to score may name airports that no one has learnt
            .setLabelCol(Flights.LATE)
            .setHiddenLayers(256, 128)
            .setEmbeddingDim(16)
            .setEpochs(epochs)
            .setBatchSize(batchSize)
            .setLearningRate(learningRate)
            .setLearningRateSchedule("cosine")
            .setNumWorkers(workers)
            .setPrecision(precision)
            .setSeed(seed)
            .setRawPredictionCol("")
            .setListener(listener);
    return new Pipeline()
        .setStages(
            new PipelineStage[] {new SQLTransformer().setStatement(Flights.DERIVE), classifier});
  }
}
