package io.fragua.exec;

import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
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
   * This program with its fixed operands ({@link CompileOptions#fixed()}) bound once for all
   * executions. What depends on them alone, as matrices in the layout that products read, is
   * computed here, once, and shared: the tasks of a process hold one copy of it. Operands that
   * nothing else reads are not held any more.
   *
   * @param operands the buffers by position, whose elements stay the same while executions run
   * @param allocator gives memory for what is computed
   * @return closed after its executions, and before this program
   * @throws IllegalArgumentException if these are not all the fixed operands, if one is donated, or
   *     if a buffer has another size than its operand
   */
  Program bindFixed(Map<Integer, Buffer> operands, Allocator allocator);

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

  /** Frees what the program owns; its executions, and programs made of it, are closed before. */
  @Override
  void close();
}
