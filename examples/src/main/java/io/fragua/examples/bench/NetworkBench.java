package io.fragua.examples.bench;

import io.fragua.examples.bench.BenchRow.Better;
import io.fragua.examples.flightdelays.FlightDelays;
import io.fragua.spark.train.NetworkProbe;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code bin/fragua bench network}: how fast workers add up vectors, beside what plain sockets
 * between the same workers carry.
 */
@Command(
    name = "network",
    description = {
      "Time the sums of training workers beside plain sockets between them.",
      "On a cluster this says what its network can do. With --master local[N] all",
      "workers are threads of one process; local-cluster[2,1,1024] has two processes."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
public final class NetworkBench implements Callable<Integer> {
  /** What a sum should reach of what plain sockets carry. */
  private static final double SHARE = 0.7;

  @Option(names = "--workers", paramLabel = "N", description = "Workers (default: 2).")
  private int workers = 2;

  @Option(names = "--megabytes", paramLabel = "M", description = "Vector (default: 100).")
  private int megabytes = 100;

  @Option(names = "--runs", paramLabel = "N", description = "Runs of each row (default: 9).")
  private int runs = 9;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (megabytes < 1 || megabytes > 2000) {
      throw new IllegalArgumentException(
          "bench network: --megabytes must be from 1 to 2000: " + megabytes + "; correct it");
    }
    try (SparkSession spark = FlightDelays.session("fragua bench network")) {
      NetworkProbe.Result r =
          NetworkProbe.run(spark.sparkContext(), workers, megabytes * 250_000, runs);
      BenchRow.print(out, rows(r));
    }
    return 0;
  }

  private static List<BenchRow> rows(NetworkProbe.Result r) {
    double bytes = 4.0 * r.floats();
    String sum = String.format("sum of %.0f MB", bytes / 1e6) + (r.encrypted() ? ", AES" : "");
    double sockets = bytes / r.sockets() / 1e6;
    return List.of(
        row(sum, bytes / r.sum() / 1e6, sockets, r.encrypted() ? null : SHARE * sockets),
        row(sum + ", as in training", bytes / r.near() / 1e6, sockets, null),
        row(sum + ", bfloat16", bytes / r.rounded() / 1e6, sockets, null),
        new BenchRow("sum of 1000 floats", r.small() * 1e6, "us", Better.LOWER, null, null, null));
  }

  private static BenchRow row(String name, double ours, double sockets, Double reach) {
    return new BenchRow(name, ours, "MB/s", Better.HIGHER, "plain sockets", sockets, reach);
  }
}
