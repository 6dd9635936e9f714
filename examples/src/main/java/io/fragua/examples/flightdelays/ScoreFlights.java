package io.fragua.examples.flightdelays;

import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * What {@link FlightDelays} runs in a JVM of its own: load the model, score, say how long it took.
 */
@Command(
    name = "score-flights",
    hidden = true,
    description = "Load a saved pipeline of flight-delays and score flights with it.",
    mixinStandardHelpOptions = true)
public final class ScoreFlights implements Callable<Integer> {
  static final String MARKER = "SCORED ";

  @Option(names = "--model", required = true, description = "Folder of the saved pipeline.")
  private String model;

  @Option(names = "--data", required = true, description = "Parquet files with flights.")
  private String data;

  @Option(names = "--output", required = true, description = "Where the scored flights go.")
  private String output;

  @Spec private CommandSpec spec;

  /** Made by picocli. */
  public ScoreFlights() {}

  @Override
  public Integer call() throws IOException {
    long began = System.nanoTime();
    try (SparkSession spark = FlightDelays.session("fragua score-flights")) {
      double started = (System.nanoTime() - began) / 1e9;
      PipelineModel loaded = PipelineModel.load(model);
      double seconds = Scoring.toParquet(loaded, spark, data, output);
      spec.commandLine()
          .getOut()
          .println(MARKER + String.format(Locale.ROOT, "%.6f %.6f", seconds, started));
      spec.commandLine().getOut().flush();
    }
    return 0;
  }
}
