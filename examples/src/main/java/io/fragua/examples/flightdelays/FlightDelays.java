package io.fragua.examples.flightdelays;

import io.fragua.pipelines.progress.ConsoleProgress;
import io.fragua.pipelines.progress.JobProgress;
import io.fragua.spark.estimator.NeuralClassificationModel;
import io.fragua.spark.train.EpochMetrics;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
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
 * {@code bin/fragua example flight-delays}: learns from Parquet which flights will be late, tests,
 * saves, loads in a new JVM and scores every flight to Parquet.
 */
@Command(
    name = "flight-delays",
    description = {
      "Learn which flights will be late, save, reload and score.",
      "Half a year of flights, of which those more than 15 minutes late are to be foretold;",
      "the saved model is loaded in a new JVM and scores every flight to Parquet."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
public final class FlightDelays implements Callable<Integer> {
  @Mixin private FlightOptions options;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      description = "New folder for model and scored flights (default: a temporary one).")
  private String output;

  @Spec private CommandSpec spec;

  /** Made by picocli. */
  public FlightDelays() {}

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    ConsoleProgress progress = ConsoleProgress.onStandardOutput();
    progress.phase("starting");
    try (SparkSession spark = session("fragua flight-delays")) {
      progress.watch(new JobProgress(spark.sparkContext()));
      Report report = run(spark, options.data(), folder(spark, output), progress);
      progress.close();
      report.print(out);
      out.flush();
      return report.result().reloadIdentical() ? 0 : 1;
    } finally {
      progress.abandon();
    }
  }

  /** Spark as configured from outside. */
  public static SparkSession session(String name) {
    SparkSession spark = SparkSession.builder().appName(name).getOrCreate();
    // Parquet of a few megabytes is one file of few row groups. Spark counts 4 MB for opening a
    // file
    // and would give it to one task; at this price it is shared among all cores.
    String openCost = "spark.sql.files.openCostInBytes";
    if (!spark.sparkContext().getConf().contains(openCost)) {
      spark.conf().set(openCost, 64 << 10);
    }
    return spark;
  }

  /** The whole job. */
  private Report run(SparkSession spark, String input, String folder, ConsoleProgress progress) {
    progress.phase("opening");
    Dataset<Row> flights = Flights.read(spark, input);
    Flights.Split parts = Flights.split(flights, options.seed());
    long rows = flights.count();
    progress.note(String.format(Locale.ROOT, "%,d flights in %s", rows, new Path(input).getName()));

    long began = System.nanoTime();
    PipelineModel model = options.pipeline(progress).fit(parts.train());
    double fitSeconds = (System.nanoTime() - began) / 1e9;

    progress.phase("testing");
    Quality quality = Quality.of(model.transform(parts.test()));
    progress.note(
        String.format(Locale.ROOT, "AUC %.4f, log loss %.4f", quality.auc(), quality.logLoss()));

    progress.phase("saving");
    String saved = folder + "/model";
    try {
      model.save(saved);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "flight-delays: --output must be writable: the model could not be saved to "
              + saved
              + "; choose another folder",
          e);
    }

    progress.phase("scoring");
    String fromMemory = folder + "/scored-in-memory";
    double scoreSeconds = Scoring.toParquet(model, spark, input, fromMemory);
    progress.note("with the model in memory");

    progress.phase("reloading");
    progress.note("a new JVM loads the model and scores");
    String fromDisk = folder + "/scored";
    String[] times =
        NewJvm.run(
                spark.sparkContext(),
                ScoreFlights.MARKER,
                List.of(
                    "example",
                    "score-flights",
                    "--model",
                    saved,
                    "--data",
                    input,
                    "--output",
                    fromDisk))
            .split(" ");

    progress.phase("comparing");
    boolean identical =
        Scoring.Fingerprint.of(spark.read().parquet(fromMemory))
            .equals(Scoring.Fingerprint.of(spark.read().parquet(fromDisk)));
    List<EpochMetrics> history = ((NeuralClassificationModel) model.stages()[1]).summary().epochs();
    double inEpochs = history.stream().mapToDouble(EpochMetrics::seconds).sum();
    long trained = history.stream().mapToLong(EpochMetrics::rows).sum();
    return new Report(
        new Result(
            quality.auc(),
            quality.logLoss(),
            fitSeconds,
            trained / inEpochs,
            rows / scoreSeconds,
            identical),
        rows,
        folder,
        rows / Double.parseDouble(times[0]),
        Double.parseDouble(times[1]));
  }

  /** Where results go: a folder that has none yet. */
  private static String folder(SparkSession spark, String output) {
    try {
      if (output == null) {
        if (!spark.sparkContext().isLocal()) {
          throw new IllegalArgumentException(
              "flight-delays: on a cluster the results need a folder that all machines reach: no"
                  + " --output was given; name one, as hdfs:///tmp/flights");
        }
        return Files.createTempDirectory("fragua-flight-delays-").toString();
      }
      Path folder = new Path(output);
      FileSystem files = folder.getFileSystem(spark.sparkContext().hadoopConfiguration());
      if (files.exists(folder)
          && (files.getFileStatus(folder).isFile() || files.listStatus(folder).length > 0)) {
        throw new IllegalArgumentException(
            "flight-delays: --output must be a new or empty folder: "
                + output
                + " is there already; name another or remove it");
      }
      // Made now: that it cannot be should not be learnt after the training.
      if (!files.mkdirs(folder)) {
        throw new IOException("mkdirs " + folder + " gave false");
      }
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "flight-delays: --output must be a folder that can be made: "
              + (output == null ? "no temporary one could" : output + " cannot")
              + "; choose another",
          e);
    }
  }
}
