package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * Adds {@link Positions#sinusoidal} of base 10000 to a sequence: positions without parameters, for
 * any length.
 *
 * <p>Shapes: x [..., T, D], D even, result the same.
 *
 * @source Vaswani et al., NeurIPS 2017
 */
public record SinusoidalPositions() implements Layer {
  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 2 && x.dtype().isFloating() && x.shape().dim(-1) % 2 == 0,
        "sinusoidal_positions: input must be floating [..., T, D], D even: %s; reshape or cast it",
        x.type());
    Tensor waves = Positions.sinusoidal(Positions.of(x), x.shape().dim(-1), 10000);
    return x.add(waves.cast(x.dtype()));
  }

  @Override
  public String toString() {
    return "SinusoidalPositions()";
  }
}
