package io.fragua.nn;

import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * x from 0 up, slope x below, the slope learned.
 *
 * <p>Shapes: any, result the same. Parameter: {@code negative_slope} [], initially 0.01.
 *
 * @source He et al., ICCV 2015; Flax {@code PReLU} (PyTorch starts at 0.25)
 */
public record PRelu() implements Layer {
  @Override
  public Tensor apply(Scope s, Tensor x) {
    Tensor slope = s.param("negative_slope", Shape.SCALAR, Initializers.constant(0.01));
    Tensor zero = Tensor.scalar(x.dtype(), 0);
    return x.greaterEqual(zero).select(x, x.mul(slope));
  }

  @Override
  public String toString() {
    return "PRelu()";
  }
}
