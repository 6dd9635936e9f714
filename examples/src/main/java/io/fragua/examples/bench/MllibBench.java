package io.fragua.examples.bench;

import io.fragua.examples.bench.BenchRow.Better;
import io.fragua.examples.flightdelays.Flights;
import io.fragua.examples.flightdelays.Quality;
import io.fragua.pipelines.progress.ConsoleProgress;
import io.fragua.spark.estimator.NeuralClassifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.classification.MultilayerPerceptronClassificationModel;
import org.apache.spark.ml.classification.MultilayerPerceptronClassifier;
import org.apache.spark.ml.feature.SQLTransformer;
import org.apache.spark.ml.feature.VectorAssembler;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * The same layers over the same column of vectors, kept in memory, in Fragua and in MLlib's {@code
 * MultilayerPerceptronClassifier}. Both are timed from the call of {@code fit} to its return;
 * passes over the rows are epochs here, iterations of L-BFGS there.
 */
final class MllibBench {
  /** MLlib needs a minute for these. */
  private static final int ROWS = 200_000;

  private static final int PASSES = 20;
  private static final int[] LAYERS = {256, 128};

  private MllibBench() {}

  static List<BenchRow> measure(
      Dataset<Row> flights, long seed, int runs, ConsoleProgress progress) {
    Dataset<Row> train = vectors(Flights.split(flights, seed).train()).limit(ROWS).persist();
    Dataset<Row> test = vectors(Flights.split(flights, seed).test()).limit(ROWS).persist();
    try {
      long trained = train.count();
      long tested = test.count();
      int features = Flights.NUMERIC.length + 2;
      progress.phase("Fragua's network");
      NeuralClassifier ours =
          new NeuralClassifier()
              .setFeaturesCol("features")
              .setLabelCol(Flights.LATE)
              .setHiddenLayers(LAYERS)
              .setActivation("logistic")
              .setEpochs(PASSES)
              .setSeed(seed);
      Learnt mine = learn(() -> ours.fit(train), test, runs);
      progress.phase("MLlib's network");
      MultilayerPerceptronClassifier theirs =
          new MultilayerPerceptronClassifier()
              .setFeaturesCol("features")
              .setLabelCol(Flights.LATE)
              .setLayers(new int[] {features, LAYERS[0], LAYERS[1], 2})
              .setMaxIter(PASSES)
              .setSeed(seed);
      Learnt other = learn(() -> theirs.fit(train), test, runs);
      int iterations =
          ((MultilayerPerceptronClassificationModel) other.model()).summary().totalIterations();
      compare(mine.auc(), other.auc());
      return rows(
          mine,
          other,
          (double) trained * PASSES / mine.fitSeconds(),
          (double) trained * iterations / other.fitSeconds(),
          tested);
    } finally {
      train.unpersist();
      test.unpersist();
    }
  }

  private static Dataset<Row> vectors(Dataset<Row> flights) {
    List<String> inputs = new ArrayList<>(Arrays.asList(Flights.NUMERIC));
    inputs.addAll(List.of("weekday", "hour"));
    return new VectorAssembler()
        .setInputCols(inputs.toArray(String[]::new))
        .setOutputCol("features")
        .transform(new SQLTransformer().setStatement(Flights.DERIVE).transform(flights))
        .select("features", Flights.LATE);
  }

  private record Learnt(Model<?> model, double fitSeconds, double auc, double scoreSeconds) {}

  private static Learnt learn(Supplier<Model<?>> fit, Dataset<Row> test, int runs) {
    long began = System.nanoTime();
    Model<?> model = fit.get();
    double seconds = (System.nanoTime() - began) / 1e9;
    double auc = Quality.of(model.transform(test)).auc();
    return new Learnt(
        model, seconds, auc, ScoringBench.median(runs, model.transform(test).select("prediction")));
  }

  /** A quick training that learns less would be no feat. */
  static void compare(double ours, double theirs) {
    if (!(ours >= theirs - ClickBench.SAME_QUALITY)) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "bench spark: Fragua must learn what MLlib learns: AUC %.4f here, %.4f there; find"
                  + " out why before comparing times",
              ours,
              theirs));
    }
  }

  private static List<BenchRow> rows(
      Learnt mine, Learnt other, double training, double theirs, long tested) {
    String peer = "MLlib's MultilayerPerceptronClassifier";
    double scoring = tested / other.scoreSeconds();
    return List.of(
        new BenchRow("MLlib, AUC", mine.auc(), "", Better.HIGHER, peer, other.auc(), other.auc()),
        new BenchRow(
            "MLlib, training", training, "rows/s", Better.HIGHER, peer, theirs, 10 * theirs),
        new BenchRow(
            "MLlib, scoring",
            tested / mine.scoreSeconds(),
            "rows/s",
            Better.HIGHER,
            peer,
            scoring,
            10 * scoring));
  }
}
