package io.fragua.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.graph.Graph;
import io.fragua.graph.GraphJson;
import io.fragua.tensor.Tensor;
import io.fragua.testing.Golden;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What NumPy, JAX and PyTorch answered; the answers were written by {@code golden_*.py} in {@code
 * src/test/python}.
 */
class GoldenOpsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of one format: rows, settings, operands, result. */
  private static final List<String> FILES =
      List.of( //
          "ops.json", //
          "windows.json", //
          "control.json", //
          "linalg.json", //
          "index.json", //
          "elementwise.json");

  private static Map<String, List<JsonNode>> cases() throws IOException {
    Map<String, List<JsonNode>> byRow = new LinkedHashMap<>();
    for (String file : FILES) {
      try (InputStream in = GoldenOpsTest.class.getResourceAsStream("/golden/" + file)) {
        assertNotNull(in, "golden/" + file + " is a test resource");
        for (JsonNode c : JSON.readTree(in).get("cases")) {
          byRow.computeIfAbsent(c.get("op").textValue(), op -> new ArrayList<>()).add(c);
        }
      }
    }
    return byRow;
  }

  @TestFactory
  Stream<DynamicTest> referenceAgrees() throws IOException {
    return agrees(Backends.reference());
  }

  @TestFactory
  Stream<DynamicTest> cpuAgrees() throws IOException {
    return agrees(Backends.cpu());
  }

  @Test
  void everyRowIsThere() throws IOException {
    List<String> rows = OpTable.rows().stream().map(Op::name).sorted().toList();
    assertEquals(rows, cases().keySet().stream().sorted().toList());
    int all = cases().values().stream().mapToInt(List::size).sum();
    assertTrue(all >= 2400, all + " cases");
  }

  private static Stream<DynamicTest> agrees(Backend backend) throws IOException {
    return cases().entrySet().stream()
        .map(
            e ->
                DynamicTest.dynamicTest(
                    e.getKey(),
                    () -> {
                      List<String> wrong = new ArrayList<>();
                      for (JsonNode c : e.getValue()) {
                        String d = difference(backend, c);
                        if (d != null) {
                          wrong.add(c.get("inputs") + " " + c.get("attrs") + ": " + d);
                        }
                      }
                      assertEquals("", String.join("\n", wrong));
                    }));
  }

  private static String difference(Backend backend, JsonNode c) {
    List<Tensor> in = new ArrayList<>();
    c.get("inputs").forEach(n -> in.add(Golden.tensor(n)));
    Tolerance t =
        new Tolerance(c.get("tolerance").get(0).asDouble(), c.get("tolerance").get(1).asDouble());
    List<Tensor> actual = Runs.on(backend, graph(c), in);
    for (int i = 0; i < actual.size(); i++) {
      String d = t.difference(Golden.tensor(results(c).get(i)), actual.get(i));
      if (d != null) {
        return "result " + i + ": " + d;
      }
    }
    return null;
  }

  /** One {@code output}, or several {@code outputs}. */
  private static List<JsonNode> results(JsonNode c) {
    List<JsonNode> all = new ArrayList<>();
    if (c.has("outputs")) {
      c.get("outputs").forEach(all::add);
    } else {
      all.add(c.get("output"));
    }
    return all;
  }

  /** The case written as a saved graph, so that its settings are read as those of a model are. */
  private static Graph graph(JsonNode c) {
    ObjectNode g = JSON.createObjectNode().put("format", GraphJson.FORMAT);
    int n = 0;
    ObjectNode equation = JSON.createObjectNode();
    var numbers = equation.putArray("inputs");
    var inputs = g.putArray("inputs");
    for (JsonNode in : c.get("inputs")) {
      ObjectNode input = inputs.addObject().put("name", "x" + n);
      input.set("dtype", in.get("dtype"));
      input.set("shape", in.get("shape"));
      numbers.add(n++);
    }
    g.putArray("constants");
    equation.set("op", c.get("op"));
    equation.set("attrs", c.get("attrs"));
    var types = equation.putArray("results");
    var outputs = g.putArray("outputs");
    for (JsonNode r : results(c)) {
      ObjectNode type = types.addObject();
      type.set("dtype", r.get("dtype"));
      type.set("shape", r.get("shape"));
      outputs.addObject().put("name", "y" + n).put("value", n++);
    }
    g.putArray("equations").add(equation);
    return GraphJson.read(g.toString());
  }
}
