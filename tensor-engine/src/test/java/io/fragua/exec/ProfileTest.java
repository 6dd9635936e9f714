package io.fragua.exec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What a profile and the passes say of a small network. */
class ProfileTest {
  private static final Graph GRAPH =
      Tracer.trace(
          List.of(
              new Graph.Input("x", TensorType.of(DType.F32, 4, 8)),
              new Graph.Input("w", TensorType.of(DType.F32, 8, 16)),
              new Graph.Input("b", TensorType.of(DType.F32, 16))),
          List.of("y"),
          a -> List.of(a.get(0).matmul(a.get(1)).add(a.get(2)).logistic().softmax(1)));

  private static void fill(Execution x) {
    for (int i = 0; i < 3; i++) {
      for (int k = 0; k < x.input(i).size() / 4; k++) {
        x.input(i).putDouble(DType.F32, k, (k * 7 % 11 - 5) / 5.0);
      }
    }
  }

  private static float[] result(Execution x) {
    return Tensor.of(TensorType.of(DType.F32, 4, 16), x.output(0)).toFloats();
  }

  @Test
  void aProfiledRunComputesTheSameAndCountsEveryStep() throws IOException {
    try (Allocator memory = new Allocator("test");
        Program p = Backends.cpu().compile(GRAPH, CompileOptions.DEFAULT);
        Execution plain = p.newExecution(memory);
        Execution profiled = p.newExecution(memory)) {
      fill(plain);
      fill(profiled);
      plain.run();
      Profile profile = profiled.profile(3);
      assertArrayEquals(result(plain), result(profiled));
      assertEquals(3, profile.runs());
      assertTrue(profile.steps().get(0).name().startsWith("matmul"), profile.table());
      assertEquals(2 * 4 * 8 * 16, profile.steps().get(0).flops());
      assertEquals(4 * (4 * 8 + 8 * 16 + 16 + 4 * 16), profile.steps().get(0).bytes());
      for (int i = 0; i < profile.steps().size() - 1; i++) {
        assertEquals(3, profile.calls(i), profile.table());
        assertTrue(p.explain().contains(profile.steps().get(i).name()), p.explain());
      }
      String table = profile.table();
      assertTrue(table.startsWith("profile: 3 runs of "), table);
      assertEquals(
          2 + profile.events().stream().map(Profile.Event::step).distinct().count(),
          table.lines().count());

      ByteArrayOutputStream out = new ByteArrayOutputStream();
      profile.writeTrace(out);
      JsonNode events = new ObjectMapper().readTree(out.toByteArray()).get("traceEvents");
      assertEquals(profile.events().size(), events.size());
      double before = 0;
      for (int i = 0; i < events.size(); i++) {
        JsonNode e = events.get(i);
        assertEquals("X", e.get("ph").asText());
        assertTrue(e.get("ts").asDouble() >= before, "in order, none inside another");
        before = e.get("ts").asDouble() + e.get("dur").asDouble();
        assertEquals(
            profile.steps().get(e.get("args").get("step").asInt()).name(), e.get("name").asText());
      }
      assertEquals(
          "profile: needs at least one run: 0; correct it",
          assertThrows(IllegalArgumentException.class, () -> profiled.profile(0)).getMessage());
    }
  }

  @Test
  void theReferenceIsOneStep() {
    try (Allocator memory = new Allocator("test");
        Program p = Backends.reference().compile(GRAPH, CompileOptions.DEFAULT);
        Execution x = p.newExecution(memory)) {
      fill(x);
      Profile profile = x.profile(2);
      assertEquals(List.of(new Profile.Step("program", 0, 0)), profile.steps());
      assertEquals(2, profile.calls(0));
    }
  }

  /** Each step with what it reads, writes and computes, and the sum of the last. */
  @Test
  void explainCountsBytesAndFlops() {
    try (Program p = Backends.cpu().compile(GRAPH, CompileOptions.DEFAULT)) {
      List<String> lines = p.explain().lines().toList();
      assertTrue(lines.get(0).startsWith("cpu program: "), p.explain());
      String product = lines.get(1);
      assertTrue(product.strip().startsWith("0  matmul 4x8 * 8x16"), product);
      assertTrue(product.endsWith("; reads 704, writes 256 bytes; 1,024 flops"), product);
      List<String> rest = lines.subList(2, lines.size() - 1);
      assertTrue(rest.stream().anyMatch(l -> l.contains("exp+reduce_sum")), p.explain());
      for (String l : rest) {
        assertTrue(l.matches(".*; reads [\\d,]+, writes [\\d,]+ bytes"), l);
      }
      String last = lines.get(lines.size() - 1);
      assertTrue(last.endsWith("; 1,024 flops in contractions"), last);
    }
  }

  @Test
  void theWorkspaceIsWhatExplainSays() {
    try (Program p = Backends.cpu().compile(GRAPH, CompileOptions.DEFAULT);
        Program r = Backends.reference().compile(GRAPH, CompileOptions.DEFAULT)) {
      Matcher m =
          Pattern.compile("peak: ([\\d,]+) bytes of workspace an execution, ([\\d,]+) bytes of")
              .matcher(p.explain());
      assertTrue(m.find(), p.explain());
      long all = 0;
      for (int g = 1; g <= 2; g++) {
        all += Long.parseLong(m.group(g).replace(",", ""));
      }
      assertTrue(all >= 4 * 16 * 4, "the product's result: " + all);
      assertEquals(all, p.workspaceBytes());
      assertEquals(0, r.workspaceBytes());
    }
  }

  @Test
  void passesAreToldOneByOne() {
    try (Program p = Backends.cpu().compile(GRAPH, CompileOptions.DEFAULT)) {
      assertEquals(
          List.of("graph", "simplify", "absorb", "share", "fuse", "plan"),
          new ArrayList<>(p.passes().keySet()));
      assertEquals(GRAPH.toString(), p.passes().get("graph"));
      String simple = p.passes().get("simplify");
      assertTrue(simple.contains("= matmul(%0, %1)\n"), simple);
      assertTrue(simple.contains("= logistic("), simple);
      assertTrue(simple.contains(" as [4, 16] by [0, 1])\n"), "the bias is repeated: " + simple);
      String absorbed = p.passes().get("absorb");
      assertTrue(absorbed.contains("{activation=logistic}"), absorbed);
      assertTrue(!absorbed.contains("= logistic("), absorbed);
      String fused = p.passes().get("fuse");
      assertTrue(fused.contains("kernel ") && fused.contains("  %"), fused);
      String plan = p.passes().get("plan");
      assertTrue(plan.contains("  reads ") && plan.contains(" at input x\n"), plan);
      assertTrue(plan.contains(" at output y\n") && plan.contains("workspace + "), plan);
      assertEquals(p.passes(), p.passes());
    }
  }

  @Test
  void thePassesShowReductionsThatThreadsShare() {
    Graph g =
        Tracer.trace(
            List.of(new Graph.Input("x", TensorType.of(DType.F32, 64, 64, 32))),
            List.of("y"),
            a -> List.of(a.get(0).sum(0, 1)));
    CompileOptions options = CompileOptions.DEFAULT.withThreads(2);
    try (Program p = Backends.cpu().compile(g, options)) {
      Map<String, Integer> sums = new LinkedHashMap<>();
      p.passes()
          .forEach((name, text) -> sums.put(name, text.split("= reduce_sum\\(", -1).length - 1));
      assertEquals(1, sums.get("absorb"));
      assertEquals(2, sums.get("share"));
      assertEquals(2, sums.get("fuse"));
    }
  }
}
