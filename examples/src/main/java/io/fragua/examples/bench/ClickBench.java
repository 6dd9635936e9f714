package io.fragua.examples.bench;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.examples.bench.BenchRow.Better;
import io.fragua.examples.flightdelays.Quality;
import io.fragua.pipelines.progress.ConsoleProgress;
import io.fragua.spark.estimator.NeuralClassificationModel;
import io.fragua.spark.estimator.NeuralClassifier;
import io.fragua.spark.train.EpochMetrics;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A network over a million categories, whose steps touch only the rows that they read, beside
 * PyTorch's sparse embedding and optimizer on the same file.
 */
final class ClickBench {
  /** A row's peers must have learnt as much before their times are shown. */
  static final double SAME_QUALITY = 0.02;

  private final Map<String, String> environment;
  private final long rows;
  private final int batchSize;
  private final long seed;

  ClickBench(Map<String, String> environment, long rows, int batchSize, long seed) {
    this.environment = environment;
    this.rows = rows;
    this.batchSize = batchSize;
    this.seed = seed;
  }

  /** Makes the rows in this folder, learns from them, and asks the peer to. */
  List<BenchRow> measure(
      SparkSession spark, Path folder, ConsoleProgress progress, PrintWriter out) {
    Path file = folder.resolve("clicks");
    progress.phase("making rows");
    ClickData.rows(spark, rows, seed).write().parquet(file.toUri().toString());
    Dataset<Row> all = spark.read().parquet(file.toUri().toString());
    NeuralClassificationModel model =
        new NeuralClassifier()
            .setNumericCols(ClickData.numbers())
            .setCategoricalCols(ClickData.categories())
            .setHandleInvalid("keep") // most categories are rare, and some come in the test alone
            .setLabelCol(ClickData.LABEL)
            .setHiddenLayers(256, 128)
            .setEmbeddingDim(16)
            .setSparseUpdates(true)
            .setEpochs(1)
            .setBatchSize(batchSize)
            .setSeed(seed)
            .setRawPredictionCol("")
            .setListener(progress)
            .fit(all.where("NOT held"));
    EpochMetrics epoch = model.summary().epochs().get(0);
    progress.phase("testing");
    Quality quality = Quality.of(model.transform(all.where("held")));
    progress.phase("peer");
    PythonPeer.Answer peer =
        PythonPeer.run(
            environment,
            Path.of(System.getProperty("fragua.home", ""), "examples/bench/peers/clicks_torch.py"),
            List.of(
                "--data=" + file,
                "--sizes="
                    + ClickData.SIZES.stream()
                        .map(String::valueOf)
                        .collect(Collectors.joining(",")),
                "--batch-size=" + batchSize,
                "--seed=" + seed,
                "--threads=" + spark.sparkContext().defaultParallelism()));
    if (peer.missing() != null) {
      out.println("peer PyTorch is missing: " + peer.missing());
    } else {
      compare(quality.auc(), peer.figures());
    }
    return rows(quality.auc(), epoch.rows() / epoch.seconds(), peer.figures());
  }

  /** Times of different results say nothing. */
  static void compare(double auc, JsonNode theirs) {
    double other = theirs.path("auc").asDouble(Double.NaN);
    if (!(Math.abs(other - auc) <= SAME_QUALITY)) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "bench spark: both must learn the same of the clicks: AUC %.4f here, %.4f with %s;"
                  + " find out why before comparing times",
              auc,
              other,
              theirs.path("peer").asText()));
    }
  }

  private List<BenchRow> rows(double auc, double rowsPerSecond, JsonNode theirs) {
    String peer = theirs == null ? null : theirs.path("peer").asText();
    Double area = theirs == null ? null : (Double) theirs.path("auc").asDouble();
    Double speed = theirs == null ? null : (Double) theirs.path("trainRowsPerSecond").asDouble();
    List<BenchRow> table = new ArrayList<>();
    table.add(new BenchRow("DLRM, AUC after 1 epoch", auc, "", Better.HIGHER, peer, area, null));
    table.add(
        new BenchRow(
            "DLRM, training, sparse updates",
            rowsPerSecond,
            "rows/s",
            Better.HIGHER,
            peer,
            speed,
            speed == null ? null : (Double) (2 * speed)));
    return table;
  }
}
