package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/** How a training's graphs are compiled, and by whom. */
class ProgramsTest {
  /** The CPU, which notes how each graph was asked for, by the name of its first result. */
  private static final class Noting implements Backend {
    private final Map<String, CompileOptions> asked = new ConcurrentHashMap<>();

    @Override
    public String name() {
      return "noting";
    }

    @Override
    public Program compile(Graph graph, CompileOptions options) {
      asked.put(graph.outputs().get(0).name() + graph.outputs().size(), options);
      return Backends.cpu().compile(graph, options);
    }
  }

  private static TrainPlan plan(String id) {
    Task t = new Task(TestSpark.rows(10, 1));
    t.held = "held";
    return TrainPlan.of(id, t.request());
  }

  /** The worker that updates for others may have their cores; nothing else does. */
  @Test
  void anUpdateHasThreadsOfItsOwn() throws Exception {
    Noting cpu = new Noting();
    Programs programs = Programs.acquire(plan("threads"), cpu, 1, 3);
    try {
      Programs.Compiled c = programs.get();
      Map<String, Integer> threads = new ConcurrentHashMap<>();
      cpu.asked.forEach((graph, o) -> threads.put(graph, o.threads()));
      assertEquals(Map.of("loss6", 1, "param:w6", 3, "loss2", 1), threads);
      Graph update = c.update().graph();
      Map<Integer, Integer> donated = cpu.asked.get("param:w6").donated();
      assertEquals(update.outputs().size(), donated.size());
      donated.forEach(
          (o, i) -> assertEquals(update.outputs().get(o).name(), update.inputs().get(i).name()));
    } finally {
      programs.release();
    }
  }

  /** The first worker of a process decides; the last one frees. */
  @Test
  void workersOfAJobShareThem() throws Exception {
    Noting cpu = new Noting();
    List<Programs> all =
        List.of(
            Programs.acquire(plan("shared"), cpu, 1, 2),
            Programs.acquire(plan("shared"), cpu, 1, 2));
    assertSame(all.get(0).get(), all.get(1).get());
    assertEquals(3, cpu.asked.size());
    all.get(0).release();
    cpu.asked.clear();
    Programs late = Programs.acquire(plan("shared"), cpu, 1, 2);
    assertSame(all.get(1).get(), late.get(), "one uses them");
    assertEquals(0, cpu.asked.size());
    all.get(1).release();
    late.release();
    Programs again = Programs.acquire(plan("shared"), cpu, 1, 2);
    again.get();
    assertEquals(3, cpu.asked.size(), "nobody used them any more");
    again.release();
  }
}
