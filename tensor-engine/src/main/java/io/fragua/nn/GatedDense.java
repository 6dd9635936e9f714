package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * y = activation(x gate) * (x value): two products, one opening the other. With {@code silu} it is
 * SwiGLU, with {@code gelu} GEGLU, with {@code logistic} a gated linear unit.
 *
 * <p>Shapes: x [..., in] with at least two axes, result [..., units]. Parameters: {@code gate} and
 * {@code value}, each a {@link Dense}.
 *
 * @param units size of the last axis of the result
 * @param activation of the gate
 * @param bias true if both products have one
 * @source Shazeer, "GLU Variants Improve Transformer", 2020
 */
public record GatedDense(int units, Activation activation, boolean bias) implements Layer {
  /** Checks the settings. */
  public GatedDense {
    Check.that(units >= 1, "gated_dense: needs at least one unit: %d; correct it", units);
    Check.that(
        activation != null, "gated_dense: needs an activation: null; pass one of Activations");
  }

  /** SwiGLU without biases. */
  public GatedDense(int units) {
    this(units, Activations.get("silu"), false);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Tensor gate = activation.function().apply(s.apply("gate", new Dense(units, bias), x));
    return gate.mul(s.apply("value", new Dense(units, bias), x));
  }

  @Override
  public String toString() {
    return "GatedDense(" + units + ", " + activation + ", " + bias + ")";
  }
}
