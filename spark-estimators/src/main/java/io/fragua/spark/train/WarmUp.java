package io.fragua.spark.train;

import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
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
      g.outputs()
          .forEach(o -> sizes.put(name(o.name(), p == gradient), g.type(o.value()).byteSize()));
    }
    if (sizes.values().stream().mapToLong(n -> n).sum() > MAX_BYTES) {
      return;
    }
    try (Operands operands = new Operands("warm-up")) {
      sizes.forEach(operands::zeros);
      List<Execution> executions = new ArrayList<>();
      for (Program p : List.of(gradient, update)) {
        Execution e = operands.execution(p);
        operands.bindOutputs(e, p.graph(), name -> name(name, p == gradient));
        executions.add(e);
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
    }
  }

  /** Sums of statistics have the names of those that the gradient reads, and other memory. */
  private static String name(String result, boolean sum) {
    return sum && result.startsWith("state:") ? "sum of " + result : result;
  }
}
