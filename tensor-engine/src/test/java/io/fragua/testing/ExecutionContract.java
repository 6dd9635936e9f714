package io.fragua.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backend;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.MemoryBudget;
import io.fragua.exec.MemoryLimitException;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.op.Family;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The promises of programs and executions: binding, donation, reuse, threads, memory. */
public abstract class ExecutionContract {
  static {
    Runs.spoilMemory();
  }

  private static final TensorType ROW = TensorType.of(DType.F32, 33);

  /** The backend under test. */
  protected abstract Backend backend();

  private static Graph graph(Fn f, TensorType... types) {
    return Jit.graph(f, List.of(types));
  }

  private static void fill(Buffer b, float first) {
    for (int i = 0; i < b.size() / 4; i++) {
      b.putDouble(DType.F32, i, first + i);
    }
  }

  private static float[] floats(Buffer b) {
    float[] f = new float[b.size() / 4];
    b.bytes().asFloatBuffer().get(f);
    return f;
  }

  private static float[] line(float first, float factor) {
    float[] f = new float[33];
    for (int i = 0; i < f.length; i++) {
      f[i] = (first + i) * factor;
    }
    return f;
  }

  @Test
  void ownsUnboundBuffersAndCanRunAgain() {
    try (Program p = backend().compile(graph(Fn.of(x -> x.mul(2)), ROW), CompileOptions.DEFAULT);
        Allocator a = new Allocator("contract");
        Execution e = p.newExecution(a)) {
      for (int run = 0; run < 3; run++) {
        fill(e.input(0), run);
        e.run();
        assertArrayEquals(line(run, 2), floats(e.output(0)));
      }
      assertTrue(a.bytes() >= 2 * ROW.byteSize(), "operand and result are the allocator's");
    }
  }

  @Test
  void givesAllMemoryBack() {
    Allocator a = new Allocator("contract");
    try (Program p =
        backend()
            .compile(
                graph(x -> List.of(x.get(0).sum().add(x.get(0))), ROW), CompileOptions.DEFAULT)) {
      p.newExecution(a).close();
    }
    assertEquals(0, a.bytes());
    a.close();
  }

  @Test
  void whereMemoryDoesNotSufficeNothingIsHeld() {
    MemoryBudget none =
        new MemoryBudget() {
          @Override
          public boolean take(long bytes) {
            return bytes == 0;
          }

          @Override
          public void give(long bytes) {}

          @Override
          public String describe() {
            return "nothing";
          }
        };
    try (Program p =
            backend()
                .compile(
                    graph(x -> List.of(x.get(0).sum().add(x.get(0))), ROW),
                    CompileOptions.DEFAULT);
        Allocator a = new Allocator("contract", none)) {
      assertThrows(
          MemoryLimitException.class,
          () -> {
            try (Execution e = p.newExecution(a)) {
              e.input(0);
            }
          });
      assertEquals(0, a.bytes());
    } // which the program refuses while an execution is open
  }

  @Test
  void refusesBuffersOfTheWrongSize() {
    try (Program p = backend().compile(graph(Fn.of(Tensor::neg), ROW), CompileOptions.DEFAULT);
        Allocator a = new Allocator("contract");
        Execution e = p.newExecution(a)) {
      for (int size : new int[] {0, 131, 133, 256}) {
        Buffer b = Buffer.collected(size);
        String in =
            assertThrows(IllegalArgumentException.class, () -> e.bindInput(0, b)).getMessage();
        String out =
            assertThrows(IllegalArgumentException.class, () -> e.bindOutput(0, b)).getMessage();
        for (String m : List.of(in, out)) {
          assertTrue(m.contains("132") && m.contains(String.valueOf(size)), m);
        }
      }
      Buffer ok = Buffer.collected(132);
      for (int i : new int[] {-1, 1}) {
        assertThrows(RuntimeException.class, () -> e.bindInput(i, ok));
        assertThrows(RuntimeException.class, () -> e.bindOutput(i, ok));
      }
    }
  }

  @Test
  void readsAndWritesBoundBuffersEvenUnaligned() {
    Buffer memory = Buffer.collected(600);
    Buffer in = memory.slice(4, 132);
    Buffer out = memory.slice(300, 132);
    try (Program p = backend().compile(graph(Fn.of(x -> x.mul(2)), ROW), CompileOptions.DEFAULT);
        Allocator a = new Allocator("contract");
        Execution e = p.newExecution(a)) {
      e.bindInput(0, in);
      e.bindOutput(0, out);
      fill(in, 5);
      e.run();
      assertArrayEquals(line(5, 2), floats(out));
      assertArrayEquals(line(5, 1), floats(in), "the operand is left alone");
      assertEquals(0, memory.bytes().get(299));
      assertEquals(0, memory.bytes().get(432));
    }
  }

  @Test
  void donatedOperandsHoldTheResults() {
    Fn f =
        x -> {
          Tensor moment = x.get(1).mul(0.5).add(x.get(2));
          return List.of(x.get(0).sub(moment), moment);
        };
    CompileOptions options = CompileOptions.DEFAULT.withDonated(Map.of(0, 0, 1, 1));
    try (Program p = backend().compile(graph(f, ROW, ROW, ROW), options);
        Allocator a = new Allocator("contract");
        Execution e = p.newExecution(a)) {
      Buffer parameter = Buffer.collected(132);
      Buffer moment = Buffer.collected(132);
      e.bindInput(0, parameter);
      e.bindOutput(0, parameter);
      e.bindInput(1, moment);
      e.bindOutput(1, moment);
      fill(parameter, 0);
      double p0 = 7;
      double m0 = 0;
      for (int step = 0; step < 5; step++) {
        fill(e.input(2), 1);
        e.run();
        m0 = m0 * 0.5 + 8;
        p0 -= m0;
        assertEquals(m0, moment.getDouble(DType.F32, 7));
        assertEquals(p0, parameter.getDouble(DType.F32, 7));
      }
    }
  }

  @Test
  void donatedOperandsReadElsewhereAreReadBeforeTheyAreOverwritten() {
    Fn f = x -> List.of(x.get(0).add(1), x.get(0).reverse(0), x.get(0).sum().add(x.get(1)));
    CompileOptions options = CompileOptions.DEFAULT.withDonated(Map.of(0, 0));
    try (Program p = backend().compile(graph(f, ROW, ROW), options);
        Allocator a = new Allocator("contract");
        Execution e = p.newExecution(a)) {
      Buffer b = Buffer.collected(132);
      e.bindInput(0, b);
      e.bindOutput(0, b);
      fill(b, 0);
      fill(e.input(1), 0);
      e.run();
      assertArrayEquals(line(1, 1), floats(b));
      assertEquals(32, e.output(1).getDouble(DType.F32, 0));
      assertEquals(0, e.output(1).getDouble(DType.F32, 32));
      assertEquals(531, e.output(2).getDouble(DType.F32, 3));
    }
  }

  @Test
  void whatDependsOnFixedOperandsFollowsTheirBinding() {
    Fn f = x -> List.of(x.get(0).mul(2).reverse(0).add(x.get(1)), x.get(0).add(1));
    CompileOptions options = CompileOptions.DEFAULT.withFixed(Set.of(0));
    try (Program p = backend().compile(graph(f, ROW, ROW), options);
        Allocator a = new Allocator("contract");
        Execution e = p.newExecution(a)) {
      for (int weights = 0; weights < 3; weights++) {
        Buffer w = Buffer.collected(132);
        fill(w, weights);
        e.bindInput(0, w);
        for (int run = 0; run < 3; run++) {
          fill(e.input(1), 100 * run);
          e.run();
          for (int i = 0; i < 33; i++) {
            assertEquals(2 * (weights + 32 - i) + 100 * run + i, floats(e.output(0))[i]);
            assertEquals(weights + i + 1, floats(e.output(1))[i]);
          }
        }
      }
    }
  }

  @Test
  void fixedOperandsAreBoundForAllExecutions() {
    Fn f = x -> List.of(x.get(0).mul(2).reverse(0).add(x.get(1)), x.get(0).add(1));
    CompileOptions options = CompileOptions.DEFAULT.withFixed(Set.of(0));
    Buffer w = Buffer.collected(132);
    fill(w, 7);
    try (Allocator a = new Allocator("contract");
        Program p = backend().compile(graph(f, ROW, ROW), options);
        Program bound = p.bindFixed(Map.of(0, w), a);
        Execution one = bound.newExecution(a);
        Execution two = bound.newExecution(a)) {
      for (int run = 0; run < 3; run++) {
        int x = 0;
        for (Execution e : List.of(one, two)) {
          fill(e.input(1), 100 * run + 1000 * x++);
        }
        one.run();
        two.run();
        x = 0;
        for (Execution e : List.of(one, two)) {
          for (int i = 0; i < 33; i++) {
            assertEquals(2 * (7 + 32 - i) + 100 * run + 1000 * x + i, floats(e.output(0))[i]);
            assertEquals(7 + i + 1, floats(e.output(1))[i]);
          }
          x++;
        }
      }
      String stays =
          "bind: a fixed operand stays as it was bound for all executions: \"%s\"; make another"
              + " program with Program.bindFixed";
      String name = p.graph().inputs().get(0).name();
      assertMessage(String.format(stays, name), () -> one.bindInput(0, w));
      assertMessage(String.format(stays, name), () -> one.input(0));
    }
  }

  @Test
  void exactlyTheFixedOperandsAreBound() {
    Fn f = x -> List.of(x.get(0).add(x.get(1)));
    Buffer w = Buffer.collected(132);
    CompileOptions options = CompileOptions.DEFAULT.withFixed(Set.of(0));
    try (Allocator a = new Allocator("contract");
        Program p = backend().compile(graph(f, ROW, ROW), options);
        Program both = backend().compile(graph(f, ROW, ROW), options.withDonated(Map.of(0, 0)))) {
      String rule =
          "bind: exactly the operands that were compiled as fixed must be given: positions [0], got"
              + " %s; correct the map";
      assertMessage(String.format(rule, "[]"), () -> p.bindFixed(Map.of(), a));
      assertMessage(String.format(rule, "[0, 1]"), () -> p.bindFixed(Map.of(0, w, 1, w), a));
      String name = p.graph().inputs().get(0).name();
      assertMessage(
          "bind: the buffer must have the size of \""
              + name
              + "\": f32[33] needs 132 bytes, got 4; bind a buffer of the right type",
          () -> p.bindFixed(Map.of(0, Buffer.collected(4)), a));
      assertMessage(
          "bind: a fixed operand must not be donated: \""
              + name
              + "\" is both; compile without one",
          () -> both.bindFixed(Map.of(0, w), a));
    }
  }

  private static void assertMessage(String message, Executable bad) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, bad).getMessage());
  }

  @Test
  void donatedOperandsMayBeExchanged() {
    Fn f = x -> List.of(x.get(1), x.get(0));
    CompileOptions options = CompileOptions.DEFAULT.withDonated(Map.of(0, 0, 1, 1));
    try (Program p = backend().compile(graph(f, ROW, ROW), options);
        Allocator a = new Allocator("contract");
        Execution e = p.newExecution(a)) {
      Buffer[] b = {Buffer.collected(132), Buffer.collected(132)};
      for (int i = 0; i < 2; i++) {
        e.bindInput(i, b[i]);
        e.bindOutput(i, b[i]);
        fill(b[i], 100 * i);
      }
      e.run();
      assertArrayEquals(line(100, 1), floats(b[0]));
      assertArrayEquals(line(0, 1), floats(b[1]));
    }
  }

  @Test
  void runsInManyThreadsAtOnce() throws Exception {
    Fn f = x -> List.of(x.get(0).mul(3).sub(x.get(0).max()).softmax(0));
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (Program p = backend().compile(graph(f, ROW), CompileOptions.DEFAULT);
        Allocator a = new Allocator("contract")) {
      List<Future<Boolean>> all = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        float first = t;
        all.add(
            threads.submit(
                () -> {
                  boolean same = true;
                  try (Execution e = p.newExecution(a)) {
                    fill(e.input(0), first);
                    e.run();
                    float[] once = floats(e.output(0));
                    for (int i = 0; i < 200; i++) {
                      e.run();
                      same &= java.util.Arrays.equals(once, floats(e.output(0)));
                    }
                  }
                  return same;
                }));
      }
      for (Future<Boolean> r : all) {
        assertTrue(r.get());
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void indicesOutsideThrowAndTheExecutionGoesOn() {
    TensorType table = TensorType.of(DType.F32, 5, 2);
    TensorType ids = TensorType.of(DType.I32, 3);
    List<Graph> graphs =
        List.of(
            graph(x -> List.of(x.get(0).gather(x.get(1)).mul(2)), table, ids),
            graph(
                x -> List.of(x.get(0).scatterAdd(5, x.get(1)).mul(2)),
                TensorType.of(DType.F32, 3, 2),
                ids));
    for (Graph g : graphs) {
      try (Program p = backend().compile(g, CompileOptions.DEFAULT);
          Allocator a = new Allocator("contract");
          Execution e = p.newExecution(a)) {
        e.input(1).putLong(DType.I32, 0, 0);
        e.input(1).putLong(DType.I32, 2, 0);
        for (int bad : new int[] {5, -1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
          e.input(1).putLong(DType.I32, 1, bad);
          String m = assertThrows(IndexOutOfBoundsException.class, e::run).getMessage();
          String op =
              g.equations().stream()
                  .map(q -> q.op())
                  .filter(o -> o.family() == Family.INDEX)
                  .findFirst()
                  .orElseThrow()
                  .name();
          for (String part : List.of(op, "[0, 5)", String.valueOf(bad))) {
            assertTrue(m.contains(part), m);
          }
          e.input(1).putLong(DType.I32, 1, 4);
          e.run();
        }
      }
    }
  }

  @Test
  void refusesDonationThatCannotBe() {
    Graph g = graph(x -> List.of(x.get(0).sum()), ROW);
    for (Map<Integer, Integer> d :
        List.of(Map.of(0, 0), Map.of(1, 0), Map.of(0, 1), Map.of(0, -1))) {
      CompileOptions options = CompileOptions.DEFAULT.withDonated(d);
      assertThrows(
          IllegalArgumentException.class, () -> backend().compile(g, options), d::toString);
    }
  }

  @Test
  void explainsItself() {
    try (Program p = backend().compile(graph(Fn.of(Tensor::exp), ROW), CompileOptions.DEFAULT)) {
      assertFalse(p.explain().isBlank());
      assertEquals(1, p.graph().outputs().size());
    }
  }

  @Test
  void isFoundByName() {
    assertEquals(backend(), io.fragua.exec.Backends.get(backend().name()));
  }
}
