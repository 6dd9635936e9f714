package io.fragua.examples.bench;

import io.fragua.examples.bench.BenchRow.Better;
import io.fragua.examples.flightdelays.FlightOptions;
import io.fragua.examples.flightdelays.Flights;
import io.fragua.spark.estimator.NeuralClassificationModel;
import io.fragua.spark.estimator.NeuralClassifier;
import io.fragua.spark.estimator.NeuralRegressor;
import io.fragua.spark.train.EpochMetrics;
import io.fragua.spark.train.TrainListener;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.feature.SQLTransformer;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Training rows per second of two workers beside one, batches being as large in both cases: the
 * main job's network, and one of ten million parameters, of which workers exchange 40 MB a step.
 * With {@code --master local-cluster[2,1,M]} the workers are processes with a core each.
 *
 * <p>And of two workers whose bits do not depend on how many they are ({@code deterministic}),
 * beside two whose bits may.
 */
final class WorkersBench {
  /** The first half is not counted: in it the JVM compiles. */
  private static final int EPOCHS = 6;

  private static final int WORKERS = 2;

  /** How many times as fast two workers should be. */
  private static final double GAIN = 1.7;

  /** Two trainings in other orders of the rows end with losses that differ by less. */
  static final double SAME_LOSS = 0.01;

  private static final int INPUTS = 64;

  /** With 64 inputs, one output and biases 10.2 million parameters. */
  static final int[] LAYERS = {2240, 2240, 2240};

  /** Rows of a step of the large network. */
  static final int BATCH = 2048;

  private WorkersBench() {}

  /** The main job's network. */
  static List<BenchRow> flights(Dataset<Row> flights, FlightOptions options, PrintWriter out) {
    Dataset<Row> train = Flights.split(flights, options.seed()).train();
    String what = "flights, " + options.precision() + ", B=" + options.batchSize();
    return row(flights.sparkSession(), what, n -> flights(train, options, n, false), out);
  }

  /** What {@code deterministic} costs the main job's network. */
  static List<BenchRow> deterministic(
      Dataset<Row> flights, FlightOptions options, PrintWriter out) {
    String what = "deterministic, flights, " + options.precision() + ", B=" + options.batchSize();
    if (tooFew(flights.sparkSession(), what, out)) {
      return List.of();
    }
    Dataset<Row> train = Flights.split(flights, options.seed()).train();
    List<EpochMetrics> free = flights(train, options, WORKERS, false);
    List<EpochMetrics> fixed = flights(train, options, WORKERS, true);
    compare(
        "deterministic",
        fixed.get(EPOCHS - 1).trainLoss(),
        "what is not",
        free.get(EPOCHS - 1).trainLoss());
    return List.of(
        new BenchRow(
            WORKERS + " workers, " + what,
            rowsPerSecond(fixed),
            "rows/s",
            Better.HIGHER,
            "deterministic = false",
            rowsPerSecond(free),
            null));
  }

  /** Times of different results say nothing. */
  static void compare(String ours, double loss, String peer, double theirs) {
    if (!(Math.abs(loss - theirs) <= SAME_LOSS)) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "bench spark: both must learn the same: %s has a loss of %.4f, %s of %.4f; find out"
                  + " why before comparing times",
              ours,
              loss,
              peer,
              theirs));
    }
  }

  /** Whether the workers have no slots, which is said. */
  private static boolean tooFew(SparkSession spark, String what, PrintWriter out) {
    int slots = spark.sparkContext().defaultParallelism();
    if (slots < WORKERS) {
      out.println("2 workers, " + what + ": missing, they need 2 slots and there is " + slots);
    }
    return slots < WORKERS;
  }

  /**
   * A network of these layers.
   *
   * @param rows that are made for it
   */
  static List<BenchRow> dense(
      SparkSession spark, int[] layers, int batch, long rows, long seed, PrintWriter out) {
    Dataset<Row> made = made(spark, rows, seed);
    String what =
        String.format(Locale.ROOT, "%.1f M parameters, STRICT, B=%d", millions(layers), batch);
    return row(spark, what, n -> dense(made, layers, batch, seed, n), out);
  }

  private static double millions(int[] layers) {
    long n = 0;
    int in = INPUTS;
    for (int units : layers) {
      n += (in + 1L) * units;
      in = units;
    }
    return (n + in + 1) / 1e6;
  }

  private static List<BenchRow> row(
      SparkSession spark, String what, IntFunction<List<EpochMetrics>> training, PrintWriter out) {
    if (tooFew(spark, what, out)) {
      return List.of();
    }
    double one = rowsPerSecond(training.apply(1));
    double two = rowsPerSecond(training.apply(WORKERS));
    return List.of(
        new BenchRow(
            "2 workers, " + what, two, "rows/s", Better.HIGHER, "1 worker", one, GAIN * one));
  }

  /** Of the median epoch of the second half. */
  static double rowsPerSecond(List<EpochMetrics> epochs) {
    double[] speeds =
        epochs.stream()
            .skip(epochs.size() / 2)
            .mapToDouble(e -> e.rows() / e.seconds())
            .sorted()
            .toArray();
    return speeds[speeds.length / 2];
  }

  /** Trains the main job's network. */
  static List<EpochMetrics> flights(
      Dataset<Row> train, FlightOptions options, int workers, boolean deterministic) {
    PipelineStage[] stages = options.pipeline(TrainListener.NONE).getStages();
    NeuralClassifier classifier = (NeuralClassifier) stages[1];
    classifier.setNumWorkers(workers).setEpochs(EPOCHS).setDeterministic(deterministic);
    Dataset<Row> derived = ((SQLTransformer) stages[0]).transform(train);
    NeuralClassificationModel model = classifier.fit(derived);
    return model.summary().epochs();
  }

  private static List<EpochMetrics> dense(
      Dataset<Row> rows, int[] layers, int batch, long seed, int workers) {
    return new NeuralRegressor()
        .setFeaturesCol("features")
        .setHiddenLayers(layers)
        .setBatchSize(batch)
        .setEpochs(EPOCHS)
        .setNumWorkers(workers)
        .setSeed(seed)
        .fit(rows)
        .summary()
        .epochs();
  }

  /** Numbers from 0 to 1 in {@code features}, and a label that follows from two of them. */
  private static Dataset<Row> made(SparkSession spark, long rows, long seed) {
    return spark
        .range(rows)
        .selectExpr(
            String.format(
                Locale.ROOT,
                "transform(sequence(1, %d), i -> float((xxhash64(id, i, %dL) & 65535) / 65536.0))"
                    + " AS features",
                INPUTS,
                seed))
        .selectExpr("features", "double(features[0] * features[1]) AS label");
  }
}
