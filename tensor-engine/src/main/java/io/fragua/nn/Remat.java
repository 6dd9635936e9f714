package io.fragua.nn;

import io.fragua.tensor.Tensor;

/**
 * The layer, of which nothing is kept for the gradient but its operands: the way back computes it
 * again. Saves memory at the price of a second forward pass of this layer. State that the layer
 * updates, such as the averages of {@link BatchNorm}, is updated once, and numbers that it draws
 * are the same both times.
 *
 * <p>Shapes, parameters and state: the layer's, under its own names.
 *
 * @param layer what is computed twice
 * @source Chen et al., "Training deep nets with sublinear memory cost", 2016; Flax {@code nn.remat}
 */
public record Remat(Layer layer) implements Layer {
  /** Checks the settings. */
  public Remat {
    Settings.given("remat", "a layer", layer);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    return s.again(layer, x);
  }

  @Override
  public String toString() {
    return "Remat(" + layer + ")";
  }
}
