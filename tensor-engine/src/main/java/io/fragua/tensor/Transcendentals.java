package io.fragua.tensor;

/**
 * Element by element: powers, logarithms, angles, hyperbolas, error and gamma functions. Floating
 * types; another type throws {@link ShapeException}. Binary ones broadcast as NumPy does.
 */
public interface Transcendentals {
  /** This tensor. */
  Tensor self();

  private Tensor unary(String op) {
    return Tensor.apply(op, Attrs.NONE, self());
  }

  /** 2^x; exact where x is a whole number. */
  default Tensor exp2() {
    return unary("exp2");
  }

  /**
   * Logarithm to base 2, as log(x) / log(2): within two units in the last place.
   *
   * @source JAX {@code jnp.log2}
   */
  default Tensor log2() {
    return self().log().div(Math.log(2));
  }

  /**
   * Logarithm to base 10, as log(x) / log(10): within two units in the last place.
   *
   * @source JAX {@code jnp.log10}
   */
  default Tensor log10() {
    return self().log().div(Math.log(10));
  }

  /** Cube root, negative for negative x. */
  default Tensor cbrt() {
    return unary("cbrt");
  }

  /** Tangent, radians. */
  default Tensor tan() {
    return unary("tan");
  }

  /** Inverse of the sine, in [-pi/2, pi/2]; NaN outside [-1, 1]. */
  default Tensor asin() {
    return unary("asin");
  }

  /** Inverse of the cosine, in [0, pi]; NaN outside [-1, 1]. */
  default Tensor acos() {
    return unary("acos");
  }

  /** Inverse of the tangent, in [-pi/2, pi/2]. */
  default Tensor atan() {
    return unary("atan");
  }

  /**
   * The angle of the point (x, y), in [-pi, pi]; this is y.
   *
   * @source NumPy {@code arctan2}
   */
  default Tensor atan2(Tensor x) {
    return Elementwise.binary("atan2", self(), x);
  }

  /** sqrt(x^2 + y^2), without overflow; its derivative at the origin is 0. */
  default Tensor hypot(Tensor y) {
    return Elementwise.binary("hypot", self(), y);
  }

  /** Hyperbolic sine. */
  default Tensor sinh() {
    return unary("sinh");
  }

  /** Hyperbolic cosine. */
  default Tensor cosh() {
    return unary("cosh");
  }

  /** Inverse of the hyperbolic sine. */
  default Tensor asinh() {
    return unary("asinh");
  }

  /** Inverse of the hyperbolic cosine; NaN below 1. */
  default Tensor acosh() {
    return unary("acosh");
  }

  /** Inverse of the hyperbolic tangent; NaN outside [-1, 1]. */
  default Tensor atanh() {
    return unary("atanh");
  }

  /** Error function. */
  default Tensor erf() {
    return unary("erf");
  }

  /** 1 - erf(x), accurate where that is small. */
  default Tensor erfc() {
    return unary("erfc");
  }

  /** Inverse of the error function; NaN outside [-1, 1]. */
  default Tensor erfInv() {
    return unary("erf_inv");
  }

  /** log |Gamma(x)|; infinite at 0 and the negative integers. */
  default Tensor lgamma() {
    return unary("lgamma");
  }

  /** Derivative of {@link #lgamma}; NaN at the negative integers. */
  default Tensor digamma() {
    return unary("digamma");
  }

  /**
   * The n-th derivative of {@link #digamma} at x, this being n: whole numbers from 0; others are
   * rounded and have no derivative.
   *
   * @source SciPy {@code special.polygamma}
   */
  default Tensor polygamma(Tensor x) {
    return Elementwise.binary("polygamma", self(), x);
  }

  /**
   * How the logarithm of a gamma number moves with its shape parameter, this: dlog x/da at constant
   * P(a, x). NaN where a is not above 0. Has no derivative itself.
   *
   * @param logX logarithms of gamma numbers of these shape parameters
   * @source JAX {@code lax.random_gamma_grad(a, x)}, which is x times this
   */
  default Tensor randomLoggammaGrad(Tensor logX) {
    return Elementwise.binary("random_loggamma_grad", self(), logX);
  }

  /** The smaller less the larger; 0 for equal infinities, whose difference is not a number. */
  private Tensor below(Tensor b) {
    Tensor infinite = self().equal(b).and(self().isInf());
    Tensor d = OneSide.smaller(self().sub(b), b.sub(self()));
    return infinite.select(Tensor.scalar(self().dtype(), 0), d);
  }

  /**
   * log(e^a + e^b), without overflow.
   *
   * @source NumPy {@code logaddexp}
   */
  default Tensor logaddexp(Tensor b) {
    return OneSide.larger(self(), b).add(below(b).exp().log1p());
  }

  /**
   * log2(2^a + 2^b), without overflow.
   *
   * @source NumPy {@code logaddexp2}
   */
  default Tensor logaddexp2(Tensor b) {
    return OneSide.larger(self(), b).add(below(b).exp2().log1p().div(Math.log(2)));
  }

  /**
   * log(logistic(x)), without overflow.
   *
   * @source JAX {@code jax.nn.log_sigmoid}
   */
  default Tensor logSigmoid() {
    Tensor below = OneSide.smaller(self(), Tensor.scalar(self().dtype(), 0));
    return below.sub(OneSide.smaller(self(), self().neg()).exp().log1p());
  }

  /**
   * exp(-|x|) I0(x), with the modified Bessel function of the first kind, which alone overflows f32
   * from 92 on.
   *
   * @source SciPy {@code special.i0e}; Abramowitz and Stegun, 9.6.12 and 9.7.1
   */
  default Tensor besselI0e() {
    return unary("bessel_i0e");
  }

  /**
   * exp(-|x|) I1(x), with the modified Bessel function of the first kind and order 1.
   *
   * @source SciPy {@code special.i1e}; Abramowitz and Stegun, 9.6.10 and 9.7.1
   */
  default Tensor besselI1e() {
    return unary("bessel_i1e");
  }

  /**
   * The modified Bessel function of the first kind and order 0.
   *
   * @source NumPy {@code i0}
   */
  default Tensor i0() {
    return besselI0e().mul(self().abs().exp());
  }

  /**
   * log(x / (1 - x)), the inverse of {@link Elementwise#logistic}.
   *
   * @source SciPy {@code special.logit}
   */
  default Tensor logit() {
    return self().log().sub(self().neg().log1p());
  }

  /**
   * sin(pi x) / (pi x), 1 at 0.
   *
   * @source NumPy {@code sinc}
   */
  default Tensor sinc() {
    Tensor one = Tensor.scalar(self().dtype(), 1);
    Tensor zero = self().equal(Tensor.scalar(self().dtype(), 0));
    Tensor y = zero.select(one, self().mul(Math.PI)); // so that no derivative divides by 0
    Tensor near = zero.select(self(), Tensor.scalar(self().dtype(), 0)).mul(Math.PI);
    return zero.select(one.sub(near.square().div(6)), y.sin().div(y)); // and it is curved there
  }

  /** Degrees to radians. */
  default Tensor deg2rad() {
    return self().mul(Math.PI / 180);
  }

  /** Radians to degrees. */
  default Tensor rad2deg() {
    return self().mul(180 / Math.PI);
  }
}
