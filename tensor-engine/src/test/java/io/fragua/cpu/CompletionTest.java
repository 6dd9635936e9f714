package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.RandomProgram;
import io.fragua.transform.Grad;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A run that tells of its results: each once, when nothing needs its memory any more, and no later.
 */
class CompletionTest {
  private static final int LAYERS = 6;
  private static final TensorType MATRIX = TensorType.of(DType.F32, 48, 48);

  /** Results in the order in which they were told of, each as it was then. */
  private record Told(List<Integer> order, Map<Integer, byte[]> bytes) {}

  private static byte[] bytes(Execution x, int output) {
    byte[] b = new byte[x.output(output).size()];
    x.output(output).bytes().get(0, b);
    return b;
  }

  /**
   * Runs, takes each result when it is told of, and writes over it; compared with a plain run.
   * Twice, since steps that run once are left out the second time.
   */
  private static Told told(Program p, Consumer<Execution> prepare) {
    int n = p.graph().outputs().size();
    try (Allocator memory = new Allocator("test");
        Execution plain = p.newExecution(memory);
        Execution x = p.newExecution(memory)) {
      prepare.accept(plain);
      plain.run();
      Told t = null;
      for (int run = 0; run < 2; run++) {
        Told now = new Told(new ArrayList<>(), new HashMap<>());
        prepare.accept(x);
        x.run(
            o -> {
              assertNull(now.bytes().put(o, bytes(x, o)), "result " + o + " once");
              now.order().add(o);
              writeOver(x.output(o));
            });
        assertEquals(n, now.order().size(), p::explain);
        for (int o : now.order()) {
          assertArrayEquals(bytes(plain, o), now.bytes().get(o), "result " + o + p.explain());
        }
        t = now;
      }
      return t;
    }
  }

  private static void writeOver(Buffer b) {
    for (int i = 0; i < b.size(); i++) {
      b.bytes().put(i, (byte) 0x11);
    }
  }

  private static void fill(Execution x, Graph g) {
    for (int i = 0; i < g.inputs().size(); i++) {
      TensorType t = g.inputs().get(i).type();
      for (int k = 0; k < t.shape().size(); k++) {
        x.input(i).putDouble(t.dtype(), k, (k * 7 % 11 - 5) / 50.0);
      }
    }
  }

  /** Layers, their gradients, and what is no step's own result. */
  private static Graph chain() {
    List<Graph.Input> in = new ArrayList<>();
    for (int i = 0; i < LAYERS; i++) {
      in.add(new Graph.Input("w" + i, MATRIX));
    }
    in.add(new Graph.Input("x", MATRIX));
    List<String> out = new ArrayList<>();
    IntStream.range(0, LAYERS).forEach(i -> out.add("grad" + i));
    out.addAll(List.of("view", "operand", "constant", "again", "part", "empty"));
    return Tracer.trace(
        in,
        out,
        args -> {
          int[] all = IntStream.range(0, LAYERS).toArray();
          List<Tensor> r = new ArrayList<>(Grad.grad(OrderTest.loss(LAYERS), all).apply(args));
          r.add(r.get(2).transpose());
          r.add(args.get(1));
          r.add(Tensor.of(new float[] {1, 2, 3}, 3));
          r.add(r.get(0));
          r.add(r.get(1).slice(0, 0, 5));
          r.add(r.get(1).slice(0, 0, 0));
          return r;
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void gradientsAreToldOfLayerByLayer(int threads) {
    Graph g = chain();
    try (Program p = new CpuBackend().compile(g, CompileOptions.DEFAULT.withThreads(threads));
        Allocator memory = new Allocator("test");
        Execution x = p.newExecution(memory)) {
      Told t = told(p, e -> fill(e, g));
      fill(x, g);
      List<Integer> gradients = t.order().stream().filter(o -> o < LAYERS).toList();
      assertEquals(List.of(5, 4, 3, 2, 1, 0), gradients, p::explain);
      x.output(0).bytes().putInt(0, -1); // no number that is computed
      x.run(
          o -> {
            if (o == LAYERS - 1) {
              assertEquals(-1, x.output(0).bytes().getInt(0), "not yet computed");
            }
          });
    }
  }

  /** What cannot be written where it goes until somebody has read what lies there. */
  @Test
  void resultsThatAreCopiedInTheEndAreToldOfThen() {
    Graph g =
        Tracer.trace(
            List.of(new Graph.Input("a", MATRIX), new Graph.Input("b", MATRIX)),
            List.of("new a", "new b", "sum"),
            v -> {
              Tensor a = v.get(0).matmul(v.get(1));
              Tensor b = v.get(1).matmul(v.get(0));
              return List.of(a, b, a.add(b).sum());
            });
    for (Map<Integer, Integer> donated : List.of(Map.of(0, 0, 1, 1), Map.of(0, 1, 1, 0))) {
      try (CpuProgram p = new CpuProgram(g, CompileOptions.DEFAULT.withDonated(donated))) {
        assertTrue(p.plan().copies().size() > 0, p::explain);
        told(
            p,
            x -> {
              fill(x, g);
              donated.forEach((o, i) -> x.bindOutput(o, x.input(i)));
            });
      }
    }
  }

  @Test
  void whatDependsOnFixedOperandsAloneIsToldOfInEveryRun() {
    Graph g =
        Tracer.trace(
            List.of(new Graph.Input("w", MATRIX), new Graph.Input("x", MATRIX)),
            List.of("fixed", "also", "y"),
            v -> {
              Tensor w = v.get(0).matmul(v.get(0)).tanh();
              return List.of(w, w.add(1), v.get(1).matmul(w.mul(2)));
            });
    try (CpuProgram p = new CpuProgram(g, CompileOptions.DEFAULT.withFixed(Set.of(0)))) {
      assertTrue(p.once() > 0, p::explain);
      told(p, x -> fill(x, g));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "reference"})
  void randomProgramsTellOfTheirResults(String kind) {
    Backend backend = kind.equals("cpu") ? Backends.cpu() : Backends.reference();
    for (int seed = 0; seed < 300; seed++) {
      RandomProgram r = new RandomProgram(seed);
      try (Program p = backend.compile(r.graph(), CompileOptions.DEFAULT)) {
        told(
            p,
            x -> {
              for (int i = 0; i < r.inputs().size(); i++) {
                x.input(i).copyFrom(r.inputs().get(i).buffer());
              }
            });
      }
    }
  }
}
