package io.fragua.examples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fragua.io.Safetensors;
import io.fragua.tensor.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The benchmark as a program, a shell playing the peers: what it prints, never how fast it is. */
class EngineBenchTest {
  private static final Map<String, String> SHELL = Map.of(PythonPeer.VARIABLE, "/bin/sh");
  private static final List<Workload.Against> PEERS =
      List.of(new Workload.Against("fast", 1), new Workload.Against("slow", 1.5));

  @TempDir private Path folder;

  /** Doubles one number. */
  private static Workload twice(List<Workload.Against> against) {
    Tensor x = Tensor.of(new float[] {3}, 1);
    return new Workload(
        "twice 1",
        "twice",
        Map.of("by", 2),
        1,
        1e-6,
        "ms",
        1e3,
        against,
        threads ->
            new Workload.Ours() {
              @Override
              public Map<String, Tensor> inputs() {
                return Map.of("x", x);
              }

              @Override
              public Map<String, Tensor> outputs() {
                return Map.of("y", Tensor.of(new float[] {6}, 1));
              }

              @Override
              public void run() {
                Thread.onSpinWait();
              }

              @Override
              public void close() {}
            });
  }

  private record Run(int status, List<String> lines, String error) {
    List<JsonNode> rows() throws IOException {
      List<JsonNode> rows = new java.util.ArrayList<>();
      for (String line : lines) {
        if (line.startsWith(BenchRow.MARKER)) {
          rows.add(new ObjectMapper().readTree(line.substring(BenchRow.MARKER.length())));
        }
      }
      return rows;
    }
  }

  private Run run(Map<String, String> environment, Workload w, String script, String... options)
      throws IOException {
    Path file = Files.writeString(folder.resolve("engine.py"), script);
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status =
        new CommandLine(new EngineBench(environment, List.of(w), file))
            .setOut(new PrintWriter(out, true))
            .setExecutionExceptionHandler(
                (failure, command, parsed) -> {
                  err.write(failure.getMessage());
                  return 1;
                })
            .execute(options);
    return new Run(status, out.toString().lines().toList(), err.toString());
  }

  /** A script that answers with this result, and with this to be timed. */
  private String peers(float result, String timed) throws IOException {
    Path file = folder.resolve("result");
    try (OutputStream to = Files.newOutputStream(file)) {
      Safetensors.write(to, Map.of("y", Tensor.of(new float[] {result}, 1)), Map.of());
    }
    return """
    while read -r q; do
      case $q in
        *'"ask":"prepare"'*'"peer":"absent"'*) echo '{"missing":"no module absent"}' ;;
        *'"ask":"prepare"'*'"function":"twice"'*'"settings":{"by":2}'*)
          cp RESULT "$(echo "$q" | sed 's/.*"outputs":"\\([^"]*\\)".*/\\1/')"
          echo '{"name":"Peer 1"}' ;;
        *'"ask":"time"'*) TIMED ;;
        *'"ask":"figure"'*) echo '{"figure":4000}' ;;
        *'"ask":"drop"'*) echo '{}' ;;
        *) exit 9 ;;
      esac
    done
    """
        .replace("RESULT", file.toString())
        .replace("TIMED", timed);
  }

  @Test
  void everyPeerIsARowOfItsOwn() throws IOException {
    Run r =
        run(SHELL, twice(PEERS), peers(6, "echo '{\"seconds\":[3.0,1.0,2.0]}'"), "--seconds=0.05");
    assertEquals(0, r.status(), r.toString());
    List<JsonNode> rows = r.rows();
    assertEquals(
        List.of("twice 1 / fast", "twice 1 / slow"),
        rows.stream().map(x -> x.get("row").asText()).toList());
    assertEquals(2000, rows.get(0).get("theirs").asDouble(), "the median, in ms");
    assertEquals(2000, rows.get(0).get("reach").asDouble());
    assertEquals(1333, rows.get(1).get("reach").asDouble(), "1.5 times faster");
    assertEquals("Peer 1", rows.get(0).get("peer").asText());
    double ours = rows.get(0).get("ours").asDouble();
    assertTrue(ours > 0 && ours < 1, rows.toString());
  }

  /** Its runs are not timed: the shell would end at being asked to. */
  @Test
  void aRowMayMeasureItself() throws IOException {
    Workload w = twice(PEERS);
    class Heavy implements Workload.Measured {
      private final Workload.Ours of = w.ours().start(1);

      @Override
      public Map<String, Tensor> inputs() {
        return of.inputs();
      }

      @Override
      public Map<String, Tensor> outputs() {
        return of.outputs();
      }

      @Override
      public void run() {
        throw new AssertionError("timed");
      }

      @Override
      public double figure() {
        return 3000;
      }

      @Override
      public void close() {}
    }

    Workload heavy =
        new Workload(
            w.row(), w.function(), w.settings(), 1, 1e-6, "MB", 1e-3, PEERS, n -> new Heavy());
    Run r = run(SHELL, heavy, peers(6, "exit 9"), "--seconds=0.05");
    assertEquals(0, r.status(), r.toString());
    JsonNode slow = r.rows().get(1);
    assertEquals(3, slow.get("ours").asDouble());
    assertEquals(4, slow.get("theirs").asDouble());
    assertEquals(2.667, slow.get("reach").asDouble());
  }

  @Test
  void aProfileFollowsTheTimes() throws IOException {
    Run r = run(Map.of(), twice(PEERS), "", "--seconds=0.05", "--profile");
    assertEquals(0, r.status(), r.toString());
    assertTrue(r.lines().get(0).startsWith("twice 1"), r.toString());
    assertTrue(r.lines().get(1).matches("profile: \\d+ runs of .* us"), r.toString());
    assertTrue(r.lines().get(3).endsWith(" 0  run"), r.toString());
    Run plain = run(Map.of(), twice(PEERS), "", "--seconds=0.05");
    assertTrue(plain.lines().stream().noneMatch(l -> l.startsWith("profile")), plain.toString());
  }

  @Test
  void anotherResultIsAFailureAndNoTime() throws IOException {
    Run r = run(SHELL, twice(PEERS), peers(6.1f, "exit 9"), "--seconds=0.05");
    assertEquals(1, r.status());
    assertEquals(List.of(), r.rows());
    assertTrue(
        r.lines()
            .contains(
                "FAILED twice 1: both must compute the same before times are compared: y is 0.0164"
                    + " apart, at most 1.00e-06 is agreed with Peer 1; find out which is wrong"),
        r.toString());
  }

  @Test
  void missingPeersAreNamedAndNeverGuessed() throws IOException {
    Workload w = twice(List.of(new Workload.Against("fast", 1), new Workload.Against("absent", 1)));
    Run r = run(SHELL, w, peers(6, "echo '{\"seconds\":[2.0]}'"), "--seconds=0.05");
    assertTrue(r.lines().contains("peer absent is missing: no module absent"), r.toString());
    assertEquals(1, r.rows().size());

    Run alone = run(Map.of(), w, "", "--seconds=0.05");
    assertEquals(0, alone.status());
    assertTrue(
        alone
            .lines()
            .contains(
                "peer (all) is missing: FRAGUA_BENCH_PYTHON is not set; set it to a Python with"
                    + " torch, jax or onnxruntime"),
        alone.toString());
    assertEquals(1, alone.rows().size());
    assertTrue(alone.rows().get(0).get("theirs").isNull());

    Run wrong =
        run(Map.of(PythonPeer.VARIABLE, folder.resolve("no").toString()), w, "", "--seconds=0.05");
    assertTrue(wrong.toString().contains("which does not start: "), wrong.toString());
  }

  @Test
  void aPeerThatEndsIsAnError() throws IOException {
    Run r = run(SHELL, twice(PEERS), peers(6, "exit 9"), "--seconds=0.05");
    assertEquals(1, r.status());
    assertEquals(
        "bench engine: the peers' script must answer every question: it ended; what it wrote is"
            + " above; unsetting FRAGUA_BENCH_PYTHON measures Fragua alone",
        r.error());
  }

  @Test
  void wrongOptionsAreRefused() throws IOException {
    assertEquals(
        "bench engine: --rows must name some of [twice 1]: [thrice]; correct it",
        run(SHELL, twice(PEERS), "", "--rows=thrice").error());
    assertEquals(
        "bench engine: --seconds lies between 0 and 600: 0.0; correct it",
        run(SHELL, twice(PEERS), "", "--seconds=0").error());
    assertEquals(
        "bench engine: --threads must be at least 1: 0; correct it",
        run(SHELL, twice(PEERS), "", "--threads=0").error());
  }

  @Test
  void agreementIsOfTypesAndOfEveryElement() {
    Map<String, Tensor> one = Map.of("y", Tensor.of(new float[] {3, 4}, 2));
    assertNull(Agreement.difference(one, one, 0));
    assertEquals(
        "y is 0.200 apart, at most 0.100 is agreed",
        Agreement.difference(Map.of("y", Tensor.of(new float[] {3, 3}, 2)), one, 0.1));
    assertEquals(
        "y is f32[1, 2] here, f32[2]",
        Agreement.difference(Map.of("y", Tensor.of(new float[] {3, 4}, 1, 2)), one, 0.1));
    assertEquals(
        "results [z] here, [y]",
        Agreement.difference(Map.of("z", Tensor.of(new float[] {3, 4}, 2)), one, 0.1));
    Map<String, Tensor> nan = Map.of("y", Tensor.of(new float[] {Float.NaN, 4}, 2));
    assertTrue(Agreement.difference(nan, nan, 0.1).startsWith("y is NaN apart"));
  }

  /** The peers' scripts cannot run here, but they must know every function. */
  @Test
  void peersKnowEveryFunction() throws IOException {
    Path peers = Path.of("bench", "peers");
    String protocol = Files.readString(peers.resolve("engine.py"));
    Set<String> names = new HashSet<>();
    for (Workload w : Workloads.all()) {
      assertTrue(names.add(w.row()), w.row() + " twice");
      assertFalse(w.against().isEmpty(), w.row());
      for (Workload.Against a : w.against()) {
        assertTrue(protocol.contains("\"" + a.peer() + "\": "), a.peer());
        String module = "engine_" + a.peer().replaceAll("_.*", "").replace("runtime", "") + ".py";
        assertTrue(
            Files.readString(peers.resolve(module)).contains("def " + w.function() + "(peer"),
            module + " has no " + w.function());
      }
    }
  }

  @Test
  void smallRowsComputeHere() {
    for (Workload w : Workloads.all()) {
      if (w.row().endsWith(" 1k") || w.row().endsWith("B=128") || w.row().startsWith("eager")) {
        try (Workload.Ours ours = w.ours().start(1)) {
          ours.outputs()
              .forEach(
                  (name, t) -> {
                    for (double v : t.toDoubles()) {
                      assertTrue(Double.isFinite(v), w.row() + " " + name);
                    }
                  });
          ours.run();
        }
      }
    }
  }
}
