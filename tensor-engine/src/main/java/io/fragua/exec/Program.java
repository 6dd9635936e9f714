package io.fragua.exec;

import io.fragua.graph.Graph;
import java.util.Map;

/**
 * A compiled graph: immutable, thread-safe, shared by all threads of a process. Each thread runs it
 * through an {@link Execution} of its own.
 */
public interface Program extends AutoCloseable {
  /** The graph it was compiled from. */
  Graph graph();

  /**
   * A workspace for one thread, from the allocator. Memory of operands and results that are not
   * bound is taken when first asked for, at the latest by the first {@link Execution#run}; later
   * runs allocate nothing.
   */
  Execution newExecution(Allocator allocator);

  /**
   * Planned bytes of memory beside operands and results: the workspace of one execution, a place
   * being used again after its value was last read, and the program's constants. 0 for a backend
   * that plans none.
   */
  default long workspaceBytes() {
    return 0;
  }

  /** What was compiled, for people: kernels, fusions, the planned peak of memory in bytes. */
  String explain();

  /**
   * The program after each pass of the compiler, for people: names of the passes in their order,
   * and what each left. Compiles again to tell; by default the graph alone.
   */
  default Map<String, String> passes() {
    return Map.of("graph", graph().toString());
  }

  /** Frees what the program owns; its executions must be closed before. */
  @Override
  void close();
}
