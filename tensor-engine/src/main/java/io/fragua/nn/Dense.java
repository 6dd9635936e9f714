package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * y = x kernel + bias over the last axis.
 *
 * <p>Shapes: x [..., in] with at least two axes, result [..., units]. Parameters: {@code kernel}
 * [in, units], {@code bias} [units]. By default both are uniform within 1 / sqrt(in), as PyTorch's
 * {@code Linear}.
 *
 * @param units size of the last axis of the result
 * @param bias false for a product alone
 * @param kernelInit initial kernel
 * @param biasInit initial bias; null for uniform within 1 / sqrt(in)
 */
public record Dense(int units, boolean bias, Initializer kernelInit, Initializer biasInit)
    implements Layer {
  /** Checks the settings. */
  public Dense {
    Check.that(units >= 1, "dense: needs at least one unit: %d; correct it", units);
    Check.that(kernelInit != null, "dense: needs an initializer: null; pass one of Initializers");
  }

  /** With bias and the default initial values. */
  public Dense(int units) {
    this(units, true);
  }

  /** With the default initial values. */
  public Dense(int units, boolean bias) {
    this(units, bias, Initializers.fanInUniform(), null);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 2 && x.dtype().isFloating(),
        "dense: input must be floating with at least two axes [..., in]: %s; reshape or cast it",
        x.type());
    int in = x.shape().dim(-1);
    Tensor y = x.matmul(kernel(s, in));
    return bias ? y.add(offset(s, in)) : y;
  }

  /** The kernel, [in, units]; for layers that multiply by parts of it. */
  public Tensor kernel(Scope s, int in) {
    return s.param("kernel", Shape.of(in, units), kernelInit);
  }

  /** The bias, [units]. */
  public Tensor offset(Scope s, int in) {
    Initializer init =
        biasInit != null ? biasInit : Initializers.uniform(1 / Math.sqrt(Math.max(1, in)));
    return s.param("bias", Shape.of(units), init);
  }

  @Override
  public String toString() {
    return "Dense(" + units + (bias ? ")" : ", false)");
  }
}
