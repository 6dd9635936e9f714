package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Runs on zeros: where they read and write, when they end, and what they leave. */
class WarmUpTest {
  /** Everything that was done, in order. */
  private final List<String> done = new ArrayList<>();

  private final Set<Allocator> memory = new HashSet<>();
  private final Map<String, Buffer> bound = new HashMap<>();
  private Runnable run = () -> {};

  /** A program of which only is known what it was asked for. */
  private final class Asked implements Program {
    private final String name;
    private final Graph graph;

    Asked(String name, Graph graph) {
      this.name = name;
      this.graph = graph;
    }

    @Override
    public Graph graph() {
      return graph;
    }

    @Override
    public Program bindFixed(Map<Integer, Buffer> operands, Allocator allocator) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Execution newExecution(Allocator allocator) {
      memory.add(allocator);
      done.add("open " + name);
      return new Execution() {
        @Override
        public Buffer input(int i) {
          throw new UnsupportedOperationException();
        }

        @Override
        public Buffer output(int i) {
          throw new UnsupportedOperationException();
        }

        @Override
        public void bindInput(int i, Buffer b) {
          bound.put(name + " reads " + graph.inputs().get(i).name(), b);
          for (int k = 0; k < b.size(); k++) {
            assertEquals(0, b.bytes().get(k), "zeros");
          }
        }

        @Override
        public void bindOutput(int i, Buffer b) {
          bound.put(name + " writes " + graph.outputs().get(i).name(), b);
        }

        @Override
        public void run() {
          done.add("run " + name);
          run.run();
        }

        @Override
        public void run(IntConsumer complete) {
          throw new UnsupportedOperationException();
        }

        @Override
        public void close() {
          done.add("close " + name);
        }
      };
    }

    @Override
    public String explain() {
      return name;
    }

    @Override
    public void close() {}
  }

  private static Graph.Input input(String name, int n) {
    return new Graph.Input(name, TensorType.of(DType.F32, n));
  }

  private Program gradient(int n) {
    return new Asked(
        "gradient",
        Tracer.trace(
            List.of(input("param:w", n), input("state:mean", 1), input("x", 3)),
            List.of("loss", "state:mean", "grad:w"),
            t -> List.of(t.get(2).sum(), t.get(1).mul(2), t.get(0).mul(3))));
  }

  private Program update(int n) {
    return new Asked(
        "update",
        Tracer.trace(
            List.of(input("param:w", n), input("grad:w", n)),
            List.of("param:w"),
            t -> List.of(t.get(0).sub(t.get(1)))));
  }

  private long runs(String name) {
    return done.stream().filter(d -> d.equals("run " + name)).count();
  }

  @AfterEach
  void nothingIsLeft() {
    for (Allocator a : memory) {
      assertEquals(0, a.bytes(), "bytes");
      assertThrows(IllegalStateException.class, () -> a.allocate(1), "it is closed");
    }
    assertEquals(
        done.stream().filter(d -> d.startsWith("open ")).map(d -> d.substring(5)).toList(),
        done.stream().filter(d -> d.startsWith("close ")).map(d -> d.substring(6)).toList());
  }

  @Test
  void bothRunInTurnSoManyTimes() {
    WarmUp.run(() -> false, gradient(5), update(5));
    assertEquals(List.of("run gradient", "run update", "run gradient"), done.subList(2, 5));
    assertEquals(1000, runs("gradient"));
    assertEquals(1000, runs("update"));
  }

  /** But for what is read afterwards: the sums of statistics are none of them. */
  @Test
  void ofOneNameIsOneMemory() {
    WarmUp.run(() -> false, gradient(5), update(5));
    for (String same :
        List.of(
            "gradient reads param:w=update reads param:w",
            "update reads param:w=update writes param:w",
            "gradient writes grad:w=update reads grad:w")) {
      String[] two = same.split("=");
      assertTrue(bound.get(two[0]) == bound.get(two[1]), same);
    }
    assertTrue(bound.get("gradient reads state:mean") != bound.get("gradient writes state:mean"));
    assertEquals(6, Set.copyOf(bound.values()).size(), "memories");
  }

  @Test
  void itEndsAtOnceWhenItIsToStop() {
    WarmUp.run(() -> done.size() == 2 + 7, gradient(5), update(5));
    assertEquals(4, runs("gradient"));
    assertEquals(3, runs("update"));
  }

  /** However slow the programs are. */
  @Test
  void itEndsAfterThreeSeconds() {
    run =
        () -> {
          try {
            Thread.sleep(800);
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
    WarmUp.run(() -> false, gradient(5), update(5));
    assertTrue(runs("gradient") >= 1 && runs("gradient") <= 2, done::toString);
    assertEquals(runs("gradient"), runs("update"));
  }

  @Test
  void nothingIsTakenForWhatIsTooLarge() {
    int n = 70 << 20; // 280 MB each: parameter and gradient
    WarmUp.run(() -> false, gradient(n), update(n));
    assertEquals(List.of(), done);
  }

  @Test
  void aProgramThatFailsLeavesNothing() {
    run =
        () -> {
          throw new IllegalStateException("run");
        };
    assertEquals(
        "run",
        assertThrows(
                IllegalStateException.class, () -> WarmUp.run(() -> false, gradient(5), update(5)))
            .getMessage());
    assertEquals(1, memory.size());
  }
}
