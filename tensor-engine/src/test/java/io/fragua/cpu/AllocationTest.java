package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.fail;

import io.fragua.exec.Allocator;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.nn.Activations;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A run makes no objects, whatever steps it has and however many threads share them.
 *
 * <p>Whether a vector is an object is the just-in-time compiler's choice, and it makes another
 * where vectors of other widths ran before: hence a JVM of its own.
 */
@Tag("own-jvm")
class AllocationTest {
  private static final int RUNS = 20;
  private static final int ATTEMPTS = 4;

  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Steps that threads share, each in its own way, on [16, 32, 64] numbers. */
  private enum Steps {
    KERNEL(x -> x.reshape(8192, 4).mul(Tensor.of(new float[] {1, 2, 3, 4}, 4))),
    GELU(Activations::gelu),
    SOFTMAX(x -> x.softmax(2)),
    MATMUL(x -> x.reshape(256, 128).matmul(x.reshape(128, 256))),
    SORT(x -> x.sort(2)),
    RUNNING_SUM(x -> x.cumsum(2)),
    FULL_SUM(Tensor::sum),
    ODD_SUM(x -> x.reshape(32_768).slice(0, 0, 32_765).sum()); // no whole number of vectors

    private final UnaryOperator<Tensor> function;

    Steps(UnaryOperator<Tensor> function) {
      this.function = function;
    }
  }

  @ParameterizedTest
  @EnumSource
  void aSharedStepMakesNone(Steps steps) {
    none(steps, 2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"KERNEL", "SORT"})
  void anUnsharedStepMakesNone(Steps steps) {
    none(steps, 1);
  }

  /**
   * Of a few programs that differ by a number one makes none: whether C2 sees that the duplicates
   * of a loop's operands stay within the loop depends on what had been profiled when it came to it,
   * which is a matter of chance on a busy machine.
   */
  private static void none(Steps steps, int threads) {
    List<String> made = new ArrayList<>();
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      double other = attempt;
      UnaryOperator<Tensor> f = x -> steps.function.apply(other == 0 ? x : x.add(other));
      Graph g = Jit.graph(Fn.of(f), List.of(TensorType.of(DType.F32, 16, 32, 64)));
      try (Allocator memory = new Allocator("test");
          Program p = new CpuBackend().compile(g, CompileOptions.DEFAULT.withThreads(threads));
          Execution e = p.newExecution(memory)) {
        // What the first runs make once does not count.
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        long bytes = allocated(e);
        while (bytes >= 8 * RUNS && System.nanoTime() < end) {
          bytes = allocated(e);
        }
        if (bytes < 8 * RUNS) {
          return;
        }
        made.add(bytes + " bytes in " + 2 * RUNS + " runs: " + p.explain());
      }
    }
    fail(String.join("\n", made));
  }

  /** Bytes of the objects that this thread makes in so many runs. */
  private static long allocated(Execution e) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < RUNS; i++) {
      e.run();
      e.run(o -> {});
    }
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }
}
