package io.fragua.op;

/**
 * What an elementwise row means and how it is written in generated code. The two functions are the
 * definition (the reference backend calls them); the two texts are what the compiler emits. In the
 * texts {@code $0}, {@code $1}, ... stand for the operands and {@code $T} for the Java primitive
 * type; in the vector text {@code $V} and {@code $S} stand for the vector class and its species.
 * Raw types lose the class of a result along a chain of calls, so a link after the first is cast.
 *
 * @param real the meaning on floating types, computed in f64; null if they are not accepted
 * @param integer the meaning on integers and bool (0 or 1); null if they are not accepted
 * @param scalar a Java expression on primitives; bool operands are Java booleans
 * @param vector a Java expression on {@code jdk.incubator.vector} values ({@code VectorMask} for
 *     bool), raw types, of operations whose results IEEE 754 fixes; null if there is none, then the
 *     kernel is emitted as a scalar loop
 */
public record Scalar(Real real, Int integer, String scalar, String vector) {
  /** A function of reals; comparisons and predicates answer 0 or 1. */
  @FunctionalInterface
  public interface Real {
    /** Applies it. */
    double apply(double[] x);
  }

  /** A function of 64-bit integers; the result is wrapped to the element type. */
  @FunctionalInterface
  public interface Int {
    /** Applies it. */
    long apply(long[] x);
  }
}
