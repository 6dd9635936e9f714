package io.fragua.nn;

import io.fragua.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * An elementwise function as a layer; made by {@link Activations#get}, or with a setting by a
 * function of {@link Activations}, for instance {@link Activations#leakyRelu(double)}.
 *
 * @param name as in {@link Activations}, with the setting behind it if it has one
 * @param function what it computes
 */
public record Activation(String name, UnaryOperator<Tensor> function) implements Layer {
  /** Checks the settings. */
  public Activation {
    Settings.given("activation", "a name", name);
    Settings.given("activation", "a function", function);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    return function.apply(x);
  }

  /** The name. */
  @Override
  public String toString() {
    return name;
  }
}
