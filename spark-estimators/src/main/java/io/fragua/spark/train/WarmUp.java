package io.fragua.spark.train;

import io.fragua.exec.Allocator;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import java.util.function.BooleanSupplier;

/**
 * Runs programs on zeros while the workers still load their rows. Generated kernels are bytecode,
 * which is many times slower until the JVM has compiled it; without this, that time would be part
 * of the first epoch.
 */
final class WarmUp {
  /** By then everything has been compiled: HotSpot's C2 waits for 600 calls of a method. */
  private static final int RUNS = 1000;

  /** Larger programs take so long that what the JVM needs to compile them does not show. */
  private static final long MAX_BYTES = 64 << 20;

  private WarmUp() {}

  /**
   * Runs them in turn until it has been often enough.
   *
   * @param stop true as soon as somebody wants the processor for something real
   */
  static void run(BooleanSupplier stop, Program... programs) {
    for (Program p : programs) {
      if (bytes(p.graph()) > MAX_BYTES) {
        return;
      }
    }
    try (Allocator memory = new Allocator("warm-up")) {
      Execution[] executions = new Execution[programs.length];
      try {
        for (int i = 0; i < programs.length; i++) {
          executions[i] = programs[i].newExecution(memory);
        }
        for (int r = 0; r < RUNS && !stop.getAsBoolean(); r++) {
          for (Execution e : executions) {
            e.run();
          }
        }
      } finally {
        for (Execution e : executions) {
          if (e != null) {
            e.close();
          }
        }
      }
    }
  }

  private static long bytes(Graph g) {
    long inputs = g.inputs().stream().mapToLong(i -> i.type().byteSize()).sum();
    return inputs + g.outputTypes().stream().mapToLong(t -> t.byteSize()).sum();
  }
}
