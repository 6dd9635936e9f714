package io.fragua.exec;

import io.fragua.graph.Graph;

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

  /** What was compiled, for people: kernels, fusions, the planned peak of memory in bytes. */
  String explain();

  /** Frees what the program owns; its executions must be closed before. */
  @Override
  void close();
}
