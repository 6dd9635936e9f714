package io.fragua.examples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fragua.examples.flightdelays.SmallFlights;
import io.fragua.spark.train.EpochMetrics;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The benchmark as a program: what it prints, never how fast it is. */
class SparkBenchTest {
  private static final SparkBench.Ours OURS =
      new SparkBench.Ours(3_000_000, 600_652, 0.7757, 0.4089, 1e6, 2e6, 20, 5, 1.15);

  private static JsonNode theirs(double auc, double logLoss, long testRows) throws Exception {
    return new ObjectMapper()
        .readTree(
            String.format(
                java.util.Locale.ROOT,
                "{\"peer\":\"Peer 1\",\"auc\":%f,\"logLoss\":%f,\"testRows\":%d}",
                auc,
                logLoss,
                testRows));
  }

  @Test
  void resultsMustAgreeBeforeTimesAreShown() throws Exception {
    SparkBench.compare(OURS, theirs(0.773, 0.411, 600_652));
    assertEquals(
        "bench spark: both must learn the same: AUC 0.7757 and log loss 0.4089 on 600652 test rows"
            + " here, 0.7000 and 0.4100 on 600652 with Peer 1; find out why before comparing times",
        assertThrows(
                IllegalStateException.class,
                () -> SparkBench.compare(OURS, theirs(0.7, 0.41, 600_652)))
            .getMessage());
    for (JsonNode other :
        List.of(
            theirs(0.773, 0.5, 600_652),
            theirs(0.773, 0.411, 600_653),
            new ObjectMapper().readTree("{\"auc\":0.773,\"testRows\":600652}"))) {
      assertThrows(IllegalStateException.class, () -> SparkBench.compare(OURS, other));
    }
  }

  @Test
  void wrongOptionsAreRefusedBeforeSparkStarts() {
    StringWriter err = new StringWriter();
    CommandLine line =
        new CommandLine(new SparkBench(Map.of()))
            .setExecutionExceptionHandler(
                (failure, command, parsed) -> {
                  err.write(failure.getMessage());
                  return 1;
                });
    assertEquals(1, line.execute("--runs=0"));
    assertEquals("bench spark: --runs must be at least 1: 0; correct it", err.toString());
    err.getBuffer().setLength(0);
    assertEquals(1, line.execute("--data=none", "--rows=2 workers"));
    assertEquals(
        "bench spark: --rows must name some of [flights, scoring, MLlib, DLRM, store, workers main,"
            + " workers deterministic, workers dense]: [2 workers]; correct it",
        err.toString());
  }

  @Test
  void printsARowForEachFigureAndNamesThePeerThatIsMissing(@TempDir Path folder) throws Exception {
    String data = SmallFlights.write(SmallFlights.spark(), folder, 200);
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status =
        new CommandLine(new SparkBench(Map.of()))
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true))
            .execute(
                "--data=" + data, "--epochs=1", "--batch-size=256", "--runs=1", "--rows=flights");
    assertEquals(0, status, err + "\n" + out);
    List<String> lines = out.toString().lines().toList();
    assertEquals(
        "peer PyTorch is missing: FRAGUA_BENCH_PYTHON is not set; set it to a Python that has what"
            + " flights_torch.py imports",
        lines.get(0));
    List<JsonNode> rows =
        lines.stream()
            .filter(l -> l.startsWith(BenchRow.MARKER))
            .map(l -> read(l.substring(BenchRow.MARKER.length())))
            .toList();
    assertEquals(
        List.of(
            "AUC after 1 epoch",
            "log loss after 1 epoch",
            "training, BF16_MATH",
            "fit, reading included",
            "scoring Parquet to Parquet, BF16_MATH",
            "fit to first step beyond reading",
            "store memory / raw columns"),
        rows.stream().map(r -> r.get("row").asText()).toList());
    for (JsonNode row : rows) {
      assertEquals(List.of("row", "ours", "unit", "peer", "theirs", "ratio", "reach"), names(row));
      assertTrue(row.get("theirs").isNull() && row.get("ratio").isNull(), row.toString());
    }
    // A sample cannot teach what the full file can.
    assertTrue(rows.get(0).get("reach").isNull(), rows.get(0).toString());
    assertEquals(700_000, rows.get(2).get("reach").asInt());
    double auc = rows.get(0).get("ours").asDouble();
    assertTrue(auc > 0.4 && auc < 0.9, rows.get(0).toString());
    double fit = rows.get(3).get("ours").asDouble();
    assertTrue(fit > rows.get(5).get("ours").asDouble(), rows.toString());
    double store = rows.get(6).get("ours").asDouble();
    assertTrue(store > 0 && store < 10, rows.get(6).toString());
    // What was scored to measure is gone.
    assertFalse(Files.exists(folder.resolve("scored0")));
  }

  @Test
  void measuresTheGroupsThatAreAskedFor(@TempDir Path folder) throws Exception {
    String data = SmallFlights.write(SmallFlights.spark(), folder, 300);
    StringWriter out = new StringWriter();
    int status =
        new CommandLine(new SparkBench(Map.of()))
            .setOut(new PrintWriter(out, true))
            .execute(
                "--data=" + data,
                "--epochs=1",
                "--batch-size=256",
                "--runs=1",
                "--clicks=1500",
                "--rows=scoring,DLRM,store,workers main,deterministic");
    assertEquals(0, status, out::toString);
    List<JsonNode> rows =
        out.toString()
            .lines()
            .filter(l -> l.startsWith(BenchRow.MARKER))
            .map(l -> read(l.substring(BenchRow.MARKER.length())))
            .toList();
    assertEquals(
        List.of(
            "scoring, Parquet scan alone",
            "scoring, model alone",
            "scoring, operator alone",
            "scoring, both",
            "DLRM, AUC after 1 epoch",
            "DLRM, training, sparse updates",
            "a tenth of the rows in memory, flights, BF16_MATH",
            "2 workers, flights, BF16_MATH, B=256",
            "2 workers, deterministic, flights, BF16_MATH, B=256"),
        rows.stream().map(r -> r.get("row").asText()).toList());
    double lower = Math.min(rows.get(0).get("ours").asDouble(), rows.get(1).get("ours").asDouble());
    assertEquals(lower, rows.get(3).get("theirs").asDouble());
    assertEquals("all in memory", rows.get(6).get("peer").asText());
    assertEquals("deterministic = false", rows.get(8).get("peer").asText());
  }

  @Test
  void twoWorkersStandBesideOne() {
    List<BenchRow> rows =
        WorkersBench.dense(
            SmallFlights.spark(), new int[] {8, 8}, 32, 100, 1, new PrintWriter(System.out));
    assertEquals(1, rows.size());
    BenchRow row = rows.get(0);
    assertEquals("2 workers, 0.0 M parameters, STRICT, B=32", row.row());
    assertEquals("1 worker", row.peer());
    assertEquals(1.7 * row.theirs(), row.reach());
    List<EpochMetrics> epochs = new java.util.ArrayList<>();
    for (int seconds : new int[] {100, 50, 4, 2, 1}) {
      epochs.add(new EpochMetrics(epochs.size(), 0, null, Map.of(), 100, seconds));
    }
    assertEquals(50, WorkersBench.rowsPerSecond(epochs), "the median of 25, 50 and 100 rows/s");
  }

  @Test
  void aPeerThatLearntMoreIsSaidBeforeTimes() throws Exception {
    ClickBench.compare(0.70, theirs(0.71, 0.4, 1));
    assertEquals(
        "bench spark: both must learn the same of the clicks: AUC 0.7000 here, 0.7300 with Peer 1;"
            + " find out why before comparing times",
        assertThrows(
                IllegalStateException.class, () -> ClickBench.compare(0.70, theirs(0.73, 0.4, 1)))
            .getMessage());
    MllibBench.compare(0.75, 0.70);
    assertEquals(
        "bench spark: Fragua must learn what MLlib learns: AUC 0.6500 here, 0.7000 there; find out"
            + " why before comparing times",
        assertThrows(IllegalStateException.class, () -> MllibBench.compare(0.65, 0.70))
            .getMessage());
    WorkersBench.compare("ours", 0.425, "theirs", 0.43);
    assertEquals(
        "bench spark: both must learn the same: ours has a loss of 0.4500, theirs of 0.4300; find"
            + " out why before comparing times",
        assertThrows(
                IllegalStateException.class,
                () -> WorkersBench.compare("ours", 0.45, "theirs", 0.43))
            .getMessage());
  }

  private static List<String> names(JsonNode row) {
    List<String> names = new java.util.ArrayList<>();
    row.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static JsonNode read(String json) {
    try {
      return new ObjectMapper().readTree(json);
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new AssertionError(json, e);
    }
  }
}
