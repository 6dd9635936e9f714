package io.fragua.cpu;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backend;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import java.util.Map;

/**
 * The definition: a slow, obvious interpreter of graphs, one equation after another, one element
 * after another. Every fast path is tested against it. Floating types are computed in f64 and
 * rounded to the element type on store, integers in 64 bits and wrapped on store; sums are taken in
 * row-major order in f64. Threads and precision change nothing here.
 *
 * <p>What the rows leave open is decided here:
 *
 * <ul>
 *   <li>{@code maximum}, {@code minimum}, {@code reduce_max}, {@code reduce_min}: NaN if any
 *       operand is; over nothing the type's least (greatest) value, for floating types an infinity.
 *   <li>{@code argmax}: the first maximum; NaN counts as the largest.
 *   <li>Integers wrap; a zero divisor gives 0; shifts outside [0, 31] give 0.
 *   <li>{@code cast}: floating to integer truncates toward zero and saturates at the ends of the
 *       target type, NaN gives 0; integer to integer wraps; anything to bool is {@code != 0}.
 *   <li>{@code bitcast} and movements carry bits, NaN payloads included.
 *   <li>{@code gather}, {@code scatter}: an index outside throws; it does not wrap or clamp. A
 *       result without elements reads nothing, so nothing throws.
 * </ul>
 */
public final class ReferenceBackend implements Backend {
  /** For {@link java.util.ServiceLoader}. */
  public ReferenceBackend() {}

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public Program compile(Graph graph, CompileOptions options) {
    for (Graph.Equation e : graph.equations()) {
      ReferenceKernels.require(e);
    }
    ReferenceDonation.check(graph, options.donated());
    return new Interpreted(graph, options, Map.of());
  }

  private record Interpreted(Graph graph, CompileOptions options, Map<Integer, Buffer> bound)
      implements Program {
    @Override
    public Execution newExecution(Allocator allocator) {
      return new ReferenceExecution(graph, bound, allocator);
    }

    /** Nothing is computed before it is asked for. */
    @Override
    public Program bindFixed(Map<Integer, Buffer> operands, Allocator allocator) {
      Binding.checkFixed(graph, options, operands);
      return new Interpreted(graph, options, Map.copyOf(operands));
    }

    @Override
    public String explain() {
      return "reference: interpreted, nothing fused or reused\n" + graph;
    }

    @Override
    public void close() {
      // owns nothing: constants belong to the graph
    }
  }
}
