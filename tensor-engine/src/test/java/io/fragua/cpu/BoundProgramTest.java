package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Runs;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What executions of a program with bound operands share, and when it is freed. */
class BoundProgramTest {
  private static final int K = 64;
  private static final int N = 128;
  private static final int MATRIX = K * N * 4;

  /** Weights that are squared and packed; a bias that each run reads. */
  private static final Graph GRAPH =
      Jit.graph(
          x -> List.of(x.get(0).matmul(x.get(1).mul(x.get(1)).exp()).add(x.get(2).reshape(1, N))),
          List.of(
              TensorType.of(DType.F32, 64, K),
              TensorType.of(DType.F32, K, N),
              TensorType.of(DType.F32, N)));

  private static final CompileOptions FIXED = CompileOptions.DEFAULT.withFixed(Set.of(1, 2));

  static {
    Runs.spoilMemory();
  }

  private static Tensor numbers(int seed, int... dims) {
    return Values.range(-1, 1).make(TensorType.of(DType.F32, dims), seed);
  }

  private static Map<Integer, Buffer> weights() {
    return Map.of(1, numbers(1, K, N).buffer(), 2, numbers(2, N).buffer());
  }

  @Test
  void executionsShareWhatFixedOperandsGive() {
    Tensor x = numbers(0, 64, K);
    try (CpuProgram p = new CpuProgram(GRAPH, FIXED);
        Allocator model = new Allocator("model");
        Program bound = p.bindFixed(weights(), model)) {
      assertTrue(p.once() >= 2, p.explain());
      long kept = model.bytes();
      assertEquals(p.plan().keptBytes(), kept);
      assertTrue(kept >= MATRIX && kept < 2 * MATRIX, "not the square too\n" + p.explain());
      long[] own = {executionBytes(p), executionBytes(bound)};
      long weights = MATRIX + N * 4;
      assertEquals(own[0] - kept - weights, own[1], "each execution has that much less");
      assertTrue(p.explain().contains(String.format("%,d of them of fixed", kept)), p.explain());
      assertTrue(p.passes().get("plan").contains("at kept 2 + 0"), p.passes().get("plan"));
      float[] want = run(p, x, weights());
      assertArrayEquals(want, run(bound, x, Map.of()), 0);
      assertEquals(kept, model.bytes(), "executions change nothing");
    }
  }

  /** Memory of an execution that has run, operands and results included. */
  private static long executionBytes(Program p) {
    try (Allocator memory = new Allocator("execution");
        Execution e = p.newExecution(memory)) {
      e.run();
      return memory.bytes();
    }
  }

  private static float[] run(Program p, Tensor x, Map<Integer, Buffer> operands) {
    try (Allocator memory = new Allocator("execution");
        Execution e = p.newExecution(memory)) {
      operands.forEach(e::bindInput);
      e.bindInput(0, x.buffer());
      e.run();
      float[] first = Tensor.of(GRAPH.outputTypes().get(0), e.output(0)).toFloats();
      e.run();
      assertArrayEquals(
          first, Tensor.of(GRAPH.outputTypes().get(0), e.output(0)).toFloats(), 0, "again");
      return first;
    }
  }

  @Test
  void operandsThatNobodyReadsAnyMoreAreNotHeld() {
    try (CpuProgram p = new CpuProgram(GRAPH, FIXED);
        Allocator model = new Allocator("model");
        BoundProgram bound = (BoundProgram) p.bindFixed(weights(), model)) {
      assertTrue(bound.shared().containsKey(1 + 2), "the bias");
      assertFalse(bound.shared().containsKey(1 + 1), "the weights");
    }
  }

  @Test
  void executionsAreClosedFirstThenWhatTheyShareThenTheProgram() {
    try (Allocator model = new Allocator("model")) {
      CpuProgram p = new CpuProgram(GRAPH, FIXED);
      Program bound = p.bindFixed(weights(), model);
      Execution e = bound.newExecution(model);
      String rule =
          "program: its executions must be closed before it: 1 are open; close them first";
      assertEquals(rule, assertThrows(IllegalStateException.class, bound::close).getMessage());
      assertEquals(rule, assertThrows(IllegalStateException.class, p::close).getMessage());
      e.close();
      assertEquals(rule, assertThrows(IllegalStateException.class, p::close).getMessage());
      bound.close();
      bound.close();
      assertEquals(0, model.bytes());
      assertThrows(IllegalStateException.class, () -> bound.newExecution(model));
      p.close();
    }
  }

  @Test
  void whatFailsWhileItIsMadeHoldsNothing() {
    Fn f = x -> List.of(x.get(0).gather(x.get(1)).exp().add(x.get(2)));
    Graph g =
        Jit.graph(
            f,
            List.of(
                TensorType.of(DType.F32, 4),
                TensorType.of(DType.I32, 3),
                TensorType.of(DType.F32, 3)));
    Map<Integer, Buffer> outside =
        Map.of(0, numbers(1, 4).buffer(), 1, Tensor.of(new int[] {0, 9, 1}, 3).buffer());
    try (CpuProgram p = new CpuProgram(g, CompileOptions.DEFAULT.withFixed(Set.of(0, 1)));
        Allocator model = new Allocator("model")) {
      assertTrue(p.once() > 0, p.explain());
      assertThrows(IndexOutOfBoundsException.class, () -> p.bindFixed(outside, model));
      assertEquals(0, model.bytes());
    }
  }
}
