package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * y = x + layer(x). Its parameters have the names of the layer's.
 *
 * <p>Shapes: any that the layer keeps.
 *
 * @param layer whose result has the type of its input
 * @source He et al., CVPR 2016
 */
public record Residual(Layer layer) implements Layer {
  /** Checks the settings. */
  public Residual {
    Settings.given("residual", "a layer", layer);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Tensor y = layer.apply(s, x);
    Check.shape(
        y.type().equals(x.type()),
        "residual: the layer must keep its input's type: %s to %s; give it as many units",
        x.type(),
        y.type());
    return x.add(y);
  }

  @Override
  public String toString() {
    return "Residual(" + layer + ")";
  }
}
