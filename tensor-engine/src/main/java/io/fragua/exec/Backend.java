package io.fragua.exec;

import io.fragua.graph.Graph;

/** An interpreter of graphs on one kind of device. Thread-safe; found by {@link Backends}. */
public interface Backend {
  /** Short lower-case name: {@code reference}, {@code cpu}. */
  String name();

  /**
   * Compiles a graph.
   *
   * @throws UnsupportedOperationException naming op and dtype if this backend cannot compute one
   */
  Program compile(Graph graph, CompileOptions options);
}
