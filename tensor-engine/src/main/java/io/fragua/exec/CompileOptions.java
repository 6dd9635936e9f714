package io.fragua.exec;

import java.util.Map;
import java.util.Set;

/**
 * How to compile a graph.
 *
 * @param precision of contractions
 * @param threads intra-op threads of one execution, at least 1
 * @param donated result position to operand position: the result may be written over the operand
 *     (same type), which the caller binds to one buffer and does not need any more; for instance
 *     the new parameters of an update step over the old
 * @param fixed positions of operands whose elements stay the same from run to run of an execution,
 *     as the weights of a model that scores: what depends on them alone may be computed once, at
 *     the first run after one of them was bound
 */
public record CompileOptions(
    Precision precision, int threads, Map<Integer, Integer> donated, Set<Integer> fixed) {
  /** f32, one thread, nothing donated, nothing fixed. */
  public static final CompileOptions DEFAULT =
      new CompileOptions(Precision.STRICT, 1, Map.of(), Set.of());

  /** Checks and copies. */
  public CompileOptions {
    if (threads < 1) {
      throw new IllegalArgumentException(
          "compile: threads must be at least 1: " + threads + "; correct it");
    }
    donated = Map.copyOf(donated);
    fixed = Set.copyOf(fixed);
  }

  /** These options with another precision. */
  public CompileOptions withPrecision(Precision p) {
    return new CompileOptions(p, threads, donated, fixed);
  }

  /** These options with another number of threads. */
  public CompileOptions withThreads(int n) {
    return new CompileOptions(precision, n, donated, fixed);
  }

  /** These options with donated operands. */
  public CompileOptions withDonated(Map<Integer, Integer> d) {
    return new CompileOptions(precision, threads, d, fixed);
  }

  /** These options with fixed operands. */
  public CompileOptions withFixed(Set<Integer> inputs) {
    return new CompileOptions(precision, threads, donated, inputs);
  }
}
