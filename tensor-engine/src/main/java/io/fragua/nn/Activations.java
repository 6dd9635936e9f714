package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Elementwise functions between layers, composed of primitives, so that they fuse. Values and
 * derivatives are finite for every finite f32 operand up to 1e4 in size, and where a derivative
 * does not exist JAX's choice is taken.
 */
public final class Activations {
  private static final Map<String, UnaryOperator<Tensor>> ALL = table();

  private Activations() {}

  private static Map<String, UnaryOperator<Tensor>> table() {
    Map<String, UnaryOperator<Tensor>> m = new LinkedHashMap<>();
    m.put("identity", x -> x);
    m.put("relu", Tensor::relu);
    m.put("leaky_relu", Activations::leakyRelu);
    m.put("elu", Activations::elu);
    m.put("gelu", Activations::gelu);
    m.put("silu", Activations::silu);
    m.put("softplus", Activations::softplus);
    m.put("logistic", Tensor::logistic);
    m.put("tanh", Tensor::tanh);
    return m;
  }

  /** The names that {@link #get} takes. */
  public static Set<String> names() {
    return Collections.unmodifiableSet(ALL.keySet());
  }

  /**
   * The function of this name, as a layer.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Activation get(String name) {
    UnaryOperator<Tensor> f = ALL.get(name);
    Check.that(
        f != null, "activation: must be one of %s: \"%s\"; correct the name", ALL.keySet(), name);
    return new Activation(name, f);
  }

  /**
   * x times the normal distribution function, in the tanh approximation that JAX and Flax use by
   * default (PyTorch's default is the exact one; they differ by at most 5e-4).
   *
   * @source Hendrycks and Gimpel, 2016; {@code jax.nn.gelu(approximate=True)}
   */
  public static Tensor gelu(Tensor x) {
    // (1 + tanh(u)) / 2 = logistic(2u), and 2u = 2 sqrt(2/pi) (x + 0.044715 x^3)
    Tensor u2 = x.mul(x.square().mul(0.044715).add(1)).mul(2 * Math.sqrt(2 / Math.PI));
    return x.mul(u2.logistic());
  }

  /**
   * x logistic(x), also called swish.
   *
   * @source {@code jax.nn.silu}
   */
  public static Tensor silu(Tensor x) {
    return x.mul(x.logistic());
  }

  /**
   * log(1 + e^x), without overflow.
   *
   * @source {@code jax.nn.softplus}
   */
  public static Tensor softplus(Tensor x) {
    return x.maximum(0).add(x.abs().neg().exp().log1p());
  }

  /**
   * x above 0, e^x - 1 below.
   *
   * @source Clevert et al., ICLR 2016; {@code jax.nn.elu}
   */
  public static Tensor elu(Tensor x) {
    // The branch not taken must stay finite for its derivative: 0 * infinity is NaN.
    Tensor above = x.greater(0);
    return above.select(x, above.select(Tensor.scalar(x.dtype(), 0), x).expm1());
  }

  /**
   * x above 0, 0.01 x below.
   *
   * @source Maas et al., 2013; {@code jax.nn.leaky_relu}
   */
  public static Tensor leakyRelu(Tensor x) {
    return x.less(0).select(x.mul(0.01), x);
  }
}
