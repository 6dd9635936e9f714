package io.fragua.examples.bench;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.examples.bench.BenchRow.Better;
import io.fragua.examples.flightdelays.FlightDelays;
import io.fragua.examples.flightdelays.FlightOptions;
import io.fragua.examples.flightdelays.Flights;
import io.fragua.examples.flightdelays.Quality;
import io.fragua.examples.flightdelays.Scoring;
import io.fragua.pipelines.progress.ConsoleProgress;
import io.fragua.pipelines.progress.JobProgress;
import io.fragua.spark.estimator.NeuralClassificationModel;
import io.fragua.spark.train.EpochMetrics;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code bin/fragua bench spark}: the main job on flights beside the same network in PyTorch. The
 * peer runs after Fragua on the same rows with as many threads, and its results must agree before
 * its times are shown.
 */
@Command(
    name = "spark",
    description = {
      "Train and score inside Spark, beside the same network in PyTorch.",
      "The peer runs if FRAGUA_BENCH_PYTHON names a Python with torch, pandas, pyarrow",
      "and scikit-learn. The figures to reach are for the full file on 2 cores."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
public final class SparkBench implements Callable<Integer> {
  /** Two good trainings of one network on one split differ by less. */
  static final double SAME_QUALITY = 0.02;

  /** Flights of the full file, for which the qualities to reach are. */
  private static final long FULL = 3_000_000;

  @Mixin private FlightOptions options;

  @Option(
      names = "--runs",
      paramLabel = "N",
      description = "Scoring jobs after the first, of which the median counts (default: 3).")
  private int runs = 3;

  @Option(
      names = "--rows",
      split = ",",
      paramLabel = "TEXT",
      description =
          "Only groups of rows whose name has one of these texts in it: flights, scoring, MLlib,"
              + " DLRM, store, workers (default: all).")
  private List<String> chosen = List.of();

  @Option(
      names = "--clicks",
      paramLabel = "N",
      description = "Rows made for DLRM (default: ${DEFAULT-VALUE}).")
  private long clicks = 5_000_000;

  @Option(
      names = "--dense",
      paramLabel = "N",
      description = "Rows made for the large network of workers (default: ${DEFAULT-VALUE}).")
  private long denseRows = 8_192;

  @Spec private CommandSpec spec;

  private final Map<String, String> environment;

  /** Made by picocli. */
  public SparkBench() {
    this(System.getenv());
  }

  /** With other environment variables than this program's. */
  SparkBench(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (runs < 1) {
      throw new IllegalArgumentException(
          "bench spark: --runs must be at least 1: " + runs + "; correct it");
    }
    ConsoleProgress progress = ConsoleProgress.onStandardOutput();
    List<Map.Entry<String, Group>> todo =
        BenchRow.chosen("bench spark", groups(progress, out).entrySet(), Map.Entry::getKey, chosen);
    progress.phase("starting");
    try (SparkSession spark = FlightDelays.session("fragua bench spark")) {
      progress.watch(new JobProgress(spark.sparkContext()));
      List<BenchRow> rows = new ArrayList<>();
      for (Map.Entry<String, Group> g : todo) {
        rows.addAll(g.getValue().measure(spark));
      }
      progress.close();
      BenchRow.print(out, rows);
      return 0;
    } finally {
      progress.abandon();
    }
  }

  /** Rows that are measured together. */
  private interface Group {
    List<BenchRow> measure(SparkSession spark);
  }

  private Map<String, Group> groups(ConsoleProgress progress, PrintWriter out) {
    String input = options.data();
    Map<String, Group> groups = new LinkedHashMap<>();
    groups.put("flights", spark -> flights(spark, input, progress, out));
    groups.put(
        "scoring",
        spark -> ScoringBench.measure(Flights.read(spark, input), options, runs, progress));
    groups.put(
        "MLlib",
        spark -> MllibBench.measure(Flights.read(spark, input), options.seed(), runs, progress));
    groups.put(
        "DLRM",
        spark ->
            inFolder(
                folder ->
                    new ClickBench(environment, clicks, options.batchSize(), options.seed())
                        .measure(spark, folder, progress, out)));
    groups.put("store", spark -> StoreBench.flights(Flights.read(spark, input), options, out));
    groups.put(
        "workers main", spark -> WorkersBench.flights(Flights.read(spark, input), options, out));
    groups.put(
        "workers deterministic",
        spark -> WorkersBench.deterministic(Flights.read(spark, input), options, out));
    groups.put(
        "workers dense",
        spark ->
            WorkersBench.dense(
                spark, WorkersBench.LAYERS, WorkersBench.BATCH, denseRows, options.seed(), out));
    return groups;
  }

  private List<BenchRow> flights(
      SparkSession spark, String input, ConsoleProgress progress, PrintWriter out) {
    Ours ours = measure(spark, input, progress);
    progress.phase("peer");
    PythonPeer.Answer peer = peer(spark, input);
    if (peer.missing() != null) {
      out.println("peer PyTorch is missing: " + peer.missing());
    }
    JsonNode theirs = peer.figures();
    if (theirs != null) {
      compare(ours, theirs);
    }
    return rows(ours, theirs);
  }

  /** Fragua's figures. {@code storeRatio} is null where the workers are in other JVMs. */
  record Ours(
      long rows,
      long testRows,
      double auc,
      double logLoss,
      double trainRowsPerSecond,
      double scoreRowsPerSecond,
      double fitSeconds,
      double startSeconds,
      Double storeRatio) {}

  private Ours measure(SparkSession spark, String input, ConsoleProgress progress) {
    progress.phase("opening");
    Dataset<Row> flights = Flights.read(spark, input);
    Flights.Split parts = Flights.split(flights, options.seed());
    long rows = flights.count();
    progress.note(String.format(Locale.ROOT, "%,d flights", rows));

    boolean local = spark.sparkContext().isLocal();
    FirstStep first = new FirstStep(progress, local);
    long began = System.nanoTime();
    PipelineModel model = options.pipeline(first).fit(parts.train());
    double fitSeconds = (System.nanoTime() - began) / 1e9;
    List<EpochMetrics> history = ((NeuralClassificationModel) model.stages()[1]).summary().epochs();
    double inEpochs = history.stream().mapToDouble(EpochMetrics::seconds).sum();
    long trained = history.stream().mapToLong(EpochMetrics::rows).sum();

    progress.phase("one pass");
    double pass = onePass(model, parts.train());

    progress.phase("testing");
    Quality quality = Quality.of(model.transform(parts.test()));
    progress.note(
        String.format(Locale.ROOT, "AUC %.4f, log loss %.4f", quality.auc(), quality.logLoss()));

    progress.phase("scoring");
    double median = score(model, spark, input);
    Double store =
        local ? first.storeBytes() / (history.get(0).rows() * Flights.TRAINING_CELLS * 4.0) : null;
    return new Ours(
        rows,
        parts.test().count(),
        quality.auc(),
        quality.logLoss(),
        trained / inEpochs,
        rows / median,
        fitSeconds,
        first.seconds() - pass,
        store);
  }

  /** Seconds that Spark alone takes to read the training flights and derive all columns. */
  private static double onePass(PipelineModel model, Dataset<Row> train) {
    long began = System.nanoTime();
    model.stages()[0].transform(train).write().format("noop").mode("overwrite").save();
    return (System.nanoTime() - began) / 1e9;
  }

  private double score(PipelineModel model, SparkSession spark, String input) {
    return inFolder(
        folder -> {
          List<Double> times = new ArrayList<>();
          for (int i = 0; i <= runs; i++) {
            String target = folder.resolve("scored" + i).toUri().toString();
            double seconds = Scoring.toParquet(model, spark, input, target);
            if (i > 0) { // the first compiles
              times.add(seconds);
            }
          }
          times.sort(Comparator.naturalOrder());
          return times.get(times.size() / 2);
        });
  }

  /** Does something in a temporary folder, which is gone afterwards. */
  private static <T> T inFolder(Function<Path, T> action) {
    Path folder = null;
    try {
      folder = Files.createTempDirectory("fragua-bench-");
      return action.apply(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "bench spark: what is measured goes to a temporary folder: it could not be made; set"
              + " java.io.tmpdir to one that can",
          e);
    } finally {
      delete(folder);
    }
  }

  private static void delete(Path folder) {
    if (folder == null) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path p : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("bench spark: " + folder + " could not be removed", e);
    }
  }

  private PythonPeer.Answer peer(SparkSession spark, String input) {
    String home = System.getProperty("fragua.home", "");
    Path script = Path.of(home, "examples", "bench", "peers", "flights_torch.py");
    org.apache.hadoop.fs.Path data = new org.apache.hadoop.fs.Path(input);
    String scheme = data.toUri().getScheme();
    if (scheme != null && !scheme.equals("file")) {
      return new PythonPeer.Answer(null, "it reads local files only, and the data is " + input);
    }
    return PythonPeer.run(
        environment,
        script,
        List.of(
            "--data=" + data.toUri().getPath(),
            "--epochs=" + options.epochs(),
            "--batch-size=" + options.batchSize(),
            "--learning-rate=" + options.learningRate(),
            "--seed=" + options.seed(),
            "--threads=" + spark.sparkContext().defaultParallelism(),
            "--runs=" + runs));
  }

  /** Times of different results say nothing, so this comes before them. */
  static void compare(Ours ours, JsonNode theirs) {
    double auc = theirs.path("auc").asDouble(Double.NaN);
    double logLoss = theirs.path("logLoss").asDouble(Double.NaN);
    long rows = theirs.path("testRows").asLong();
    if (rows != ours.testRows()
        || !(Math.abs(auc - ours.auc()) <= SAME_QUALITY)
        || !(Math.abs(logLoss - ours.logLoss()) <= SAME_QUALITY)) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "bench spark: both must learn the same: AUC %.4f and log loss %.4f on %d test rows"
                  + " here, %.4f and %.4f on %d with %s; find out why before comparing times",
              ours.auc(),
              ours.logLoss(),
              ours.testRows(),
              auc,
              logLoss,
              rows,
              theirs.path("peer").asText()));
    }
  }

  /** The table: what was learnt first, because times of anything else are worth nothing. */
  List<BenchRow> rows(Ours ours, JsonNode theirs) {
    boolean full = ours.rows() >= FULL; // fewer flights teach less
    List<BenchRow> rows = new ArrayList<>();
    String after = " after " + options.epochs() + (options.epochs() == 1 ? " epoch" : " epochs");
    rows.add(row("AUC" + after, ours.auc(), "", Better.HIGHER, theirs, "auc", full ? 0.780 : null));
    rows.add(
        row(
            "log loss" + after,
            ours.logLoss(),
            "",
            Better.LOWER,
            theirs,
            "logLoss",
            full ? 0.413 : null));
    rows.add(
        row(
            "training, " + options.precision(),
            ours.trainRowsPerSecond(),
            "rows/s",
            Better.HIGHER,
            theirs,
            "trainRowsPerSecond",
            700_000.0));
    rows.add(
        row(
            "fit, reading included",
            ours.fitSeconds(),
            "s",
            Better.LOWER,
            null,
            null,
            full ? 60.0 : null));
    rows.add(
        row(
            "scoring Parquet to Parquet, " + options.precision(),
            ours.scoreRowsPerSecond(),
            "rows/s",
            Better.HIGHER,
            theirs,
            "scoreRowsPerSecond",
            1_000_000.0));
    rows.add(
        row(
            "fit to first step beyond reading",
            ours.startSeconds(),
            "s",
            Better.LOWER,
            null,
            null,
            10.0));
    if (ours.storeRatio() != null) {
      rows.add(
          row("store memory / raw columns", ours.storeRatio(), "", Better.LOWER, null, null, 1.3));
    }
    return rows;
  }

  private static BenchRow row(
      String name,
      double ours,
      String unit,
      Better better,
      JsonNode theirs,
      String field,
      Double reach) {
    boolean there = theirs != null && theirs.path(field).isNumber();
    return new BenchRow(
        name,
        ours,
        unit,
        better,
        there ? theirs.path("peer").asText() : null,
        there ? theirs.path(field).asDouble() : null,
        reach);
  }
}
