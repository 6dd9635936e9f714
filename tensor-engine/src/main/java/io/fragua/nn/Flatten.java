package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * All axes but the first as one, in order.
 *
 * <p>Shapes: x [N, ...], result [N, product of the others].
 *
 * @source PyTorch and Keras {@code Flatten}
 */
public record Flatten() implements Layer {
  @Override
  public Tensor apply(Scope s, Tensor x) {
    Shape shape = x.shape();
    Check.shape(
        shape.rank() >= 1, "flatten: input must have an axis [N, ...]: %s; reshape it", x.type());
    return x.reshape(shape.dim(0), Check.size("flatten", shape.slice(1, shape.rank()).size()));
  }

  @Override
  public String toString() {
    return "Flatten()";
  }
}
