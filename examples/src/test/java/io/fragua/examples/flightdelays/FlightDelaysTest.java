package io.fragua.examples.flightdelays;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The main job from end to end on a few flights, with the model loaded in a JVM of its own. */
class FlightDelaysTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  /** Runs the command; what it prints while it works is returned. */
  private String run(int status, String... args) {
    PrintStream before = System.out;
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    System.setOut(new PrintStream(shown, true, StandardCharsets.UTF_8));
    try {
      CommandLine line =
          new CommandLine(new FlightDelays())
              .setOut(new PrintWriter(out, true))
              .setErr(new PrintWriter(err, true))
              .setExecutionExceptionHandler(
                  (failure, command, parsed) -> {
                    command.getErr().println(failure.getMessage());
                    return 1;
                  });
      assertEquals(status, line.execute(args), () -> err + "\n" + out);
    } finally {
      System.setOut(before);
    }
    return shown.toString(StandardCharsets.UTF_8);
  }

  @Test
  void learnsTestsSavesReloadsAndScores(@TempDir Path folder) throws Exception {
    String data = SmallFlights.write(SmallFlights.spark(), folder, 50);
    Path results = folder.resolve("results");
    String shown =
        run(
            0,
            "--data=" + data,
            "--epochs=1",
            "--batch-size=128",
            "--learning-rate=0.003",
            "--output=" + results);

    // One plain line for each thing that is finished, in order.
    assertTrue(
        shown.chars().noneMatch(c -> c < ' ' && c != '\n' && c != '\r')
            && !shown.contains("\r\033"),
        shown);
    List<String> phases =
        new ArrayList<>(shown.lines().map(l -> l.split(" ")[0]).distinct().toList());
    assertEquals(
        List.of(
            "starting",
            "opening",
            "statistics",
            "compile",
            "reading",
            "loading",
            "epoch",
            "training",
            "testing",
            "saving",
            "scoring",
            "reloading",
            "comparing"),
        phases);

    List<String> lines = out.toString().lines().toList();
    assertTrue(lines.contains("reloaded model  gives the same bits"), out.toString());
    String last = lines.get(lines.size() - 1);
    assertTrue(
        last.matches(
            "RESULT \\{\"auc\":0\\.\\d+,\"logLoss\":0\\.\\d+,\"fitSeconds\":[0-9.]+,"
                + "\"trainRowsPerSecond\":[0-9.]+,\"scoreRowsPerSecond\":[0-9.]+,"
                + "\"reloadIdentical\":true\\}"),
        last);
    JsonNode result = new ObjectMapper().readTree(last.substring(Result.MARKER.length()));
    assertTrue(result.get("auc").asDouble() > 0.6, last);
    assertTrue(result.get("logLoss").asDouble() < 0.52, last); // 0.50 is always saying 0.2
    assertTrue(result.get("fitSeconds").asDouble() > 0, last);

    SparkSession spark = SmallFlights.spark();
    Dataset<Row> scored = spark.read().parquet(results.resolve("scored").toString());
    assertEquals(
        List.of("date", "origin", "destination", Scoring.SCORE), List.of(scored.columns()));
    assertEquals(spark.read().parquet(data).count(), scored.count());
    assertEquals(0, scored.where("NOT (late_probability BETWEEN 0 AND 1)").count());
    assertTrue(scored.select(Scoring.SCORE).distinct().count() > 100);

    // The folder is taken now, and a second run leaves it alone.
    err.getBuffer().setLength(0);
    run(1, "--data=" + data, "--output=" + results);
    assertEquals(
        "flight-delays: --output must be a new or empty folder: "
            + results
            + " is there already; name another or remove it",
        err.toString().strip());
  }

  @Test
  void anOutputThatCannotBeMadeFailsBeforeAnythingIsLearnt(@TempDir Path folder) throws Exception {
    SmallFlights.spark();
    // A folder below a file cannot be made, not even by root.
    Path below = Files.writeString(folder.resolve("file"), "").resolve("results");
    String shown = run(1, "--output=" + below);
    assertEquals("", shown);
    assertEquals(
        "flight-delays: --output must be a folder that can be made: "
            + below
            + " cannot; choose another",
        err.toString().strip());
  }

  @Test
  void aWrongPathFailsBeforeAnythingIsLearntOrWritten(@TempDir Path folder) {
    SmallFlights.spark();
    String shown =
        run(1, "--data=" + folder.resolve("no.parquet"), "--output=" + folder.resolve("r"));
    assertEquals(List.of("starting"), shown.lines().map(l -> l.split(" ")[0]).toList());
    assertEquals(
        "flights: --data must name Parquet files that Spark can read: there is nothing at "
            + folder.resolve("no.parquet")
            + "; correct the path, or leave --data out to use the sample",
        err.toString().strip());
    assertFalse(Files.exists(folder.resolve("r/model")));
  }
}
