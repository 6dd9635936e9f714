package io.fragua.nn;

import io.fragua.tensor.Tensor;

/**
 * A function of one tensor with named parameters. A layer holds settings and no values: it asks the
 * scope for what it needs, so one object serves initialisation, training and scoring, eager or
 * traced. To add one, write a class (a record, if settings are plain) and a row in the test {@code
 * LayerCases}.
 */
@FunctionalInterface
public interface Layer {
  /**
   * Applies it.
   *
   * @param s where its parameters live
   * @param x concrete or traced
   * @throws io.fragua.tensor.ShapeException if {@code x} does not fit
   */
  Tensor apply(Scope s, Tensor x);
}
