package io.fragua.cpu;

import io.fragua.exec.Backend;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;

/**
 * The backend for CPUs: contractions by oneDNN, everything else by generated kernels on the Vector
 * API. See the package description for how a graph is lowered. Thread-safe.
 */
public final class CpuBackend implements Backend {
  /** For {@link java.util.ServiceLoader}. */
  public CpuBackend() {}

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Program compile(Graph graph, CompileOptions options) {
    return new CpuProgram(graph, options);
  }
}
