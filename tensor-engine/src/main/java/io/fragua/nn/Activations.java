package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.OneSide;
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
    m.put("gelu_exact", Activations::geluExact);
    m.put("relu6", Activations::relu6);
    m.put("selu", Activations::selu);
    m.put("mish", Activations::mish);
    m.put("log_sigmoid", Activations::logSigmoid);
    m.put("soft_sign", Activations::softSign);
    m.put("squareplus", Activations::squareplus);
    m.put("hard_tanh", Activations::hardTanh);
    m.put("hard_sigmoid", Activations::hardSigmoid);
    m.put("hard_silu", Activations::hardSilu);
    m.put("celu", x -> celu(x, 1));
    m.put("hard_shrink", x -> hardShrink(x, 0.5));
    m.put("soft_shrink", x -> softShrink(x, 0.5));
    m.put("tanh_shrink", Activations::tanhShrink);
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
   * x times the normal distribution function, x (1 + erf(x / sqrt(2))) / 2.
   *
   * @source Hendrycks and Gimpel, 2016; {@code jax.nn.gelu(approximate=False)}; PyTorch's default
   */
  public static Tensor geluExact(Tensor x) {
    return x.mul(x.mul(-Math.sqrt(0.5)).erfc()).mul(0.5);
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
    return above(x).add(rest(x));
  }

  /**
   * log(1 + e^(beta x)) / beta, as a layer: {@link #softplus(Tensor)} with a sharper or a softer
   * bend.
   *
   * @param beta finite and above 0; 1 is usual
   * @source PyTorch {@code Softplus}, which is x itself where beta x is above 20
   */
  public static Activation softplus(double beta) {
    positive("softplus", "beta", beta);
    return with("softplus", beta, x -> softplus(x.mul(beta)).div(beta));
  }

  /** Of softplus the part max(x, 0); at 0 it counts as above, for which {@link #rest} makes up. */
  static Tensor above(Tensor x) {
    return OneSide.larger(x, Tensor.scalar(x.dtype(), 0));
  }

  /** Of softplus the part log(1 + e^-|x|). Together they are smooth: both are on one side at 0. */
  static Tensor rest(Tensor x) {
    return OneSide.smaller(x, x.neg()).exp().log1p();
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
   * x above 0, alpha (e^x - 1) below, as a layer.
   *
   * @param alpha finite; 1 is {@link #elu(Tensor)}
   * @source {@code jax.nn.elu}; PyTorch {@code ELU}
   */
  public static Activation elu(double alpha) {
    finite("elu", "alpha", alpha);
    return with("elu", alpha, x -> x.greater(0).select(x, elu(x).mul(alpha)));
  }

  /**
   * x above 0, alpha (e^(x / alpha) - 1) below, as a layer: unlike {@link #elu(double)} with a
   * slope of 1 on both sides of 0.
   *
   * @param alpha finite and above 0; {@code get("celu")} has 1
   * @source Barron, 2017; {@code jax.nn.celu}; PyTorch {@code CELU}
   */
  public static Activation celu(double alpha) {
    positive("celu", "alpha", alpha);
    return with("celu", alpha, x -> celu(x, alpha));
  }

  private static Tensor celu(Tensor x, double alpha) {
    return x.greater(0).select(x, elu(x.div(alpha)).mul(alpha));
  }

  /**
   * x above 0, 0.01 x below.
   *
   * @source Maas et al., 2013; {@code jax.nn.leaky_relu}
   */
  public static Tensor leakyRelu(Tensor x) {
    return x.less(0).select(x.mul(0.01), x);
  }

  /**
   * x above 0, slope x below, as a layer. A slope that is learnt is {@link PRelu}.
   *
   * @param slope finite; 0.01 is {@link #leakyRelu(Tensor)}
   * @source {@code jax.nn.leaky_relu}; PyTorch {@code LeakyReLU}
   */
  public static Activation leakyRelu(double slope) {
    finite("leaky_relu", "the slope", slope);
    return with("leaky_relu", slope, x -> x.less(0).select(x.mul(slope), x));
  }

  /**
   * x, but 0 from -lambda to lambda, as a layer.
   *
   * @param lambda finite and 0 or more; {@code get("hard_shrink")} has 0.5
   * @source PyTorch {@code Hardshrink}
   */
  public static Activation hardShrink(double lambda) {
    notNegative("hard_shrink", lambda);
    return with("hard_shrink", lambda, x -> hardShrink(x, lambda));
  }

  private static Tensor hardShrink(Tensor x, double lambda) {
    floating("hard_shrink", x);
    Tensor small = x.abs().lessEqual(Tensor.scalar(x.dtype(), lambda)); // false for NaN
    return small.select(Tensor.scalar(x.dtype(), 0), x);
  }

  /**
   * x nearer to 0 by lambda, and 0 from -lambda to lambda, as a layer.
   *
   * @param lambda finite and 0 or more; {@code get("soft_shrink")} has 0.5
   * @source PyTorch {@code Softshrink}
   */
  public static Activation softShrink(double lambda) {
    notNegative("soft_shrink", lambda);
    return with("soft_shrink", lambda, x -> softShrink(x, lambda));
  }

  private static Tensor softShrink(Tensor x, double lambda) {
    floating("soft_shrink", x);
    Tensor nearer = x.less(0).select(x.add(lambda), x.sub(lambda));
    Tensor small = x.abs().lessEqual(Tensor.scalar(x.dtype(), lambda)); // false for NaN
    return small.select(Tensor.scalar(x.dtype(), 0), nearer);
  }

  /**
   * x - tanh(x).
   *
   * @source PyTorch {@code Tanhshrink}
   */
  public static Tensor tanhShrink(Tensor x) {
    return x.sub(x.tanh());
  }

  /**
   * x bounded to [0, 6].
   *
   * @source {@code jax.nn.relu6}
   */
  public static Tensor relu6(Tensor x) {
    Tensor six = Tensor.scalar(x.dtype(), 6);
    return x.greaterEqual(six).select(six, x.relu()); // NaN stays
  }

  /**
   * {@link #elu} scaled so that signals keep mean 0 and variance 1 from layer to layer, after
   * {@link Initializers#lecunNormal}.
   *
   * @source Klambauer et al., NeurIPS 2017; {@code jax.nn.selu}
   */
  public static Tensor selu(Tensor x) {
    Tensor above = x.greater(0);
    Tensor below = above.select(Tensor.scalar(x.dtype(), 0), x).expm1().mul(1.6732632423543772);
    return above.select(x, below).mul(1.0507009873554805);
  }

  /**
   * x tanh(softplus(x)).
   *
   * @source Misra, BMVC 2020; {@code jax.nn.mish}
   */
  public static Tensor mish(Tensor x) {
    return x.mul(softplus(x).tanh());
  }

  /**
   * log(logistic(x)), without overflow.
   *
   * @source {@code jax.nn.log_sigmoid}
   */
  public static Tensor logSigmoid(Tensor x) {
    return softplus(x.neg()).neg();
  }

  /**
   * x / (1 + |x|).
   *
   * @source {@code jax.nn.soft_sign}
   */
  public static Tensor softSign(Tensor x) {
    floating("soft_sign", x);
    return x.div(x.abs().add(1));
  }

  /**
   * (x + sqrt(x^2 + 4)) / 2: like {@link #softplus}, without exponentials.
   *
   * @source {@code jax.nn.squareplus}
   */
  public static Tensor squareplus(Tensor x) {
    // far below 0 the sum cancels; multiplied by its conjugate it does not
    Tensor above = x.greater(0);
    Tensor sum = above.select(x, x.neg()).add(x.square().add(4).sqrt());
    return above.select(sum.mul(0.5), Tensor.scalar(x.dtype(), 2).div(sum));
  }

  /**
   * x bounded to [-1, 1].
   *
   * @source {@code jax.nn.hard_tanh}
   */
  public static Tensor hardTanh(Tensor x) {
    Tensor one = Tensor.scalar(x.dtype(), 1);
    return x.greater(1).select(one, x.less(-1).select(one.neg(), x));
  }

  /**
   * (x + 3) / 6 bounded to [0, 1].
   *
   * @source {@code jax.nn.hard_sigmoid}
   */
  public static Tensor hardSigmoid(Tensor x) {
    floating("hard_sigmoid", x);
    return relu6(x.add(3)).div(6);
  }

  /**
   * x {@link #hardSigmoid}(x).
   *
   * @source Howard et al., ICCV 2019; {@code jax.nn.hard_silu}
   */
  public static Tensor hardSilu(Tensor x) {
    return x.mul(hardSigmoid(x));
  }

  /**
   * a logistic(b), a and b the halves of the last axis, which must have even size.
   *
   * @source Dauphin et al., ICML 2017; {@code jax.nn.glu}
   */
  public static Tensor glu(Tensor x) {
    return gated("glu", x, Tensor::logistic);
  }

  /**
   * a {@link #gelu}(b), a and b the halves of the last axis.
   *
   * @source Shazeer, "GLU Variants Improve Transformer", 2020
   */
  public static Tensor geglu(Tensor x) {
    return gated("geglu", x, Activations::gelu);
  }

  /**
   * a {@link #silu}(b), a and b the halves of the last axis.
   *
   * @source Shazeer, "GLU Variants Improve Transformer", 2020
   */
  public static Tensor swiglu(Tensor x) {
    return gated("swiglu", x, Activations::silu);
  }

  private static Tensor gated(String who, Tensor x, UnaryOperator<Tensor> f) {
    Check.shape(
        x.shape().rank() >= 1 && x.shape().dim(-1) % 2 == 0,
        "%s: the last axis has two halves: %s; give the layer before an even number of units",
        who,
        x.type());
    int half = x.shape().dim(-1) / 2;
    return x.slice(-1, 0, half).mul(f.apply(x.slice(-1, half, 2 * half)));
  }

  private static Activation with(String name, double setting, UnaryOperator<Tensor> f) {
    return new Activation(name + "(" + setting + ")", f);
  }

  private static void finite(String who, String what, double v) {
    Check.that(Double.isFinite(v), "%s: %s is finite: %s; correct it", who, what, v);
  }

  private static void positive(String who, String what, double v) {
    Check.that(
        v > 0 && Double.isFinite(v), "%s: %s is finite and above 0: %s; correct it", who, what, v);
  }

  private static void notNegative(String who, double lambda) {
    Check.that(
        lambda >= 0 && Double.isFinite(lambda),
        "%s: lambda is finite and not negative: %s; correct it",
        who,
        lambda);
  }

  private static void floating(String who, Tensor x) {
    Check.shape(x.dtype().isFloating(), "%s: input must be floating: %s; cast it", who, x.type());
  }
}
