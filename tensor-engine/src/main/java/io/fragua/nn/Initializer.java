package io.fragua.nn;

import io.fragua.random.Key;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/** Draws the initial value of a parameter. Pure: the same key and shape give the same value. */
@FunctionalInterface
public interface Initializer {
  /**
   * Draws it.
   *
   * @param key concrete or traced
   * @return f32 of this shape
   */
  Tensor draw(Key key, Shape shape);
}
