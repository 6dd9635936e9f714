package io.fragua.spark.train;

import io.fragua.exec.Allocator;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Runs programs on zeros while the workers still load their rows. Generated kernels are bytecode,
 * which is many times slower until the JVM has compiled it; without this, that time would be part
 * of the first epoch.
 */
final class WarmUp {
  /** By then everything has been compiled: HotSpot's C2 waits for 600 calls of a method. */
  private static final int RUNS = 1000;

  /** Longer loops are compiled after fewer calls, and the workers need the processor too. */
  private static final long MAX_NANOS = 3_000_000_000L;

  /** Memory of operands and results that is taken for so short a time. */
  private static final long MAX_BYTES = 512 << 20;

  private WarmUp() {}

  /**
   * Runs both in turn until it has been often enough. Operands of one name are in one memory, and
   * what the update gives is written over its operands, as in a training: so of a large table whose
   * rows are looked up only those are touched.
   *
   * @param stop true as soon as somebody wants the processor for something real
   */
  static void run(BooleanSupplier stop, Program gradient, Program update) {
    Map<String, Long> sizes = new HashMap<>();
    for (Program p : List.of(gradient, update)) {
      Graph g = p.graph();
      g.inputs().forEach(i -> sizes.put(i.name(), i.type().byteSize()));
      g.outputs().forEach(o -> sizes.put(name(o, p == gradient), g.type(o.value()).byteSize()));
    }
    if (sizes.values().stream().mapToLong(n -> n).sum() > MAX_BYTES) {
      return;
    }
    List<Execution> executions = new ArrayList<>();
    try (Allocator memory = new Allocator("warm-up")) {
      Map<String, Buffer> named = new HashMap<>();
      try {
        sizes.forEach((name, size) -> named.put(name, zeros(memory, size)));
        for (Program p : List.of(gradient, update)) {
          Execution e = p.newExecution(memory);
          executions.add(e);
          bind(e, p.graph(), named, p == gradient);
        }
        long began = System.nanoTime();
        for (int r = 0; r < RUNS && System.nanoTime() - began < MAX_NANOS; r++) {
          for (Execution e : executions) {
            if (stop.getAsBoolean()) {
              return;
            }
            e.run();
          }
        }
      } finally {
        executions.forEach(Execution::close);
        named.values().forEach(memory::free);
      }
    }
  }

  /** Sums of statistics have the names of those that the gradient reads, and other memory. */
  private static String name(Graph.Output o, boolean sum) {
    return sum && o.name().startsWith("state:") ? "sum of " + o.name() : o.name();
  }

  private static void bind(Execution e, Graph g, Map<String, Buffer> named, boolean sums) {
    for (int i = 0; i < g.inputs().size(); i++) {
      e.bindInput(i, named.get(g.inputs().get(i).name()));
    }
    for (int o = 0; o < g.outputs().size(); o++) {
      e.bindOutput(o, named.get(name(g.outputs().get(o), sums)));
    }
  }

  private static Buffer zeros(Allocator memory, long size) {
    Buffer b = memory.allocate(size);
    ByteBuffer bytes = b.bytes();
    for (int i = 0; i + 8 <= bytes.capacity(); i += 8) {
      bytes.putLong(i, 0);
    }
    for (int i = bytes.capacity() & -8; i < bytes.capacity(); i++) {
      bytes.put(i, (byte) 0);
    }
    return b;
  }
}
