package io.fragua.examples;

import io.fragua.examples.bench.EngineBench;
import io.fragua.examples.bench.NetworkBench;
import io.fragua.examples.bench.SparkBench;
import io.fragua.examples.engine.CharTransformer;
import io.fragua.examples.engine.CustomGradient;
import io.fragua.examples.engine.DigitsCnn;
import io.fragua.examples.engine.EagerLoop;
import io.fragua.examples.engine.FirstGradient;
import io.fragua.examples.engine.JitAndExplain;
import io.fragua.examples.engine.PerExampleGradients;
import io.fragua.examples.flightdelays.FlightDelays;
import io.fragua.examples.flightdelays.ScoreFlights;
import io.fragua.pipelines.cli.CommandProvider;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Adds {@code example} and {@code bench} to the command line. */
public final class ExampleCommands implements CommandProvider {
  /** Made by ServiceLoader. */
  public ExampleCommands() {}

  @Override
  public List<Object> commands() {
    return List.of(new Example(), new Bench());
  }

  /** A command that is a group of others: alone it lists them. */
  private abstract static class Group implements Runnable {
    @Spec private CommandSpec spec;

    @Override
    public void run() {
      spec.commandLine().usage(spec.commandLine().getOut());
    }
  }

  @Command(
      name = "example",
      description = "Run an example: the main job on real data, and the tensor engine by subject.",
      mixinStandardHelpOptions = true,
      synopsisSubcommandLabel = "EXAMPLE",
      commandListHeading = "%nExamples:%n",
      subcommands = {
        FlightDelays.class,
        ScoreFlights.class,
        FirstGradient.class,
        EagerLoop.class,
        JitAndExplain.class,
        PerExampleGradients.class,
        CustomGradient.class,
        DigitsCnn.class,
        CharTransformer.class
      })
  private static final class Example extends Group {}

  @Command(
      name = "bench",
      description = "Measure, side by side with other systems where they are installed.",
      mixinStandardHelpOptions = true,
      synopsisSubcommandLabel = "BENCHMARK",
      commandListHeading = "%nBenchmarks:%n",
      subcommands = {SparkBench.class, EngineBench.class, NetworkBench.class})
  private static final class Bench extends Group {}
}
