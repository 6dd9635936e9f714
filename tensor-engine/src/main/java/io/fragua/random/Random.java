package io.fragua.random;

import io.fragua.op.OpTable;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.List;

/**
 * Random tensors. Each number is a function of the key and of its own position, so drawing is
 * elementwise: it fuses with whatever uses the numbers and nothing is stored. Bits, uniform and
 * bernoulli numbers equal JAX's exactly; what goes through a logarithm or the like up to a few
 * units in the last place. Gamma, beta, Dirichlet and Poisson numbers are drawn by rejection, in a
 * loop; the last place of a logarithm can tip a rejection, so of those a few in a million may be
 * others than JAX's.
 */
public final class Random {
  /** The f32 next to -1 towards 0: normal numbers come from the open interval (-1, 1). */
  private static final double ABOVE_MINUS_ONE = Math.nextAfter(-1f, 0);

  private static final long LOW_WORD = 0xffffffffL;

  private Random() {}

  /**
   * Random 32-bit words.
   *
   * @return i32 of this shape
   * @source JAX {@code jax.random.bits}
   */
  public static Tensor bits(Key key, Shape shape) {
    int n = count(shape);
    return key.cipher("xor", key.zeros(n), key.tensor().iotaLike(DType.I32, Shape.of(n), 0))
        .reshape(shape.dims());
  }

  /**
   * Multiples of 2^-23, equally likely, in [0, 1).
   *
   * @return f32 of this shape
   * @source JAX {@code jax.random.uniform}
   */
  public static Tensor uniform(Key key, Shape shape) {
    return unit(bits(key, shape));
  }

  /** The upper 23 bits of each word become the mantissa of a number in [1, 2). */
  static Tensor unit(Tensor bits) {
    Tensor one = Tensor.scalar(DType.I32, Float.floatToRawIntBits(1f));
    return bits.shiftRightLogical(9).or(one).bitcast(DType.F32).sub(1);
  }

  /** As {@link #uniform(Key, Shape)}, in [low, high); {@code high} itself only by rounding. */
  public static Tensor uniform(Key key, Shape shape, double low, double high) {
    Check.that(
        low <= high && Float.isFinite((float) high - (float) low),
        "uniform: bounds must be finite f32 and ascending: [%s, %s); exchange or correct them",
        low,
        high);
    return within(bits(key, shape), low, high);
  }

  private static Tensor within(Tensor bits, double low, double high) {
    // The width is rounded as in JAX, which computes it in f32.
    return unit(bits).mul((float) high - (float) low).add(low);
  }

  /**
   * Standard normal numbers (mean 0, standard deviation 1).
   *
   * @return f32 of this shape
   * @source JAX {@code jax.random.normal}: sqrt(2) erfinv(u), u uniform in (-1, 1)
   */
  public static Tensor normal(Key key, Shape shape) {
    return normal(bits(key, shape));
  }

  /** A standard normal number for each word. */
  static Tensor normal(Tensor bits) {
    return InverseError.of(within(bits, ABOVE_MINUS_ONE, 1)).mul(Math.sqrt(2));
  }

  /**
   * True with probability {@code p}.
   *
   * @return bool of this shape
   * @source JAX {@code jax.random.bernoulli}: uniform &lt; p
   */
  public static Tensor bernoulli(Key key, double p, Shape shape) {
    Check.that(p >= 0 && p <= 1, "bernoulli: a probability lies in [0, 1]: %s; correct it", p);
    return uniform(key, shape).less(p);
  }

  /**
   * Whole numbers, equally likely but for a bias of at most (high - low) / 2^64.
   *
   * @param low the least
   * @param high above the largest
   * @return i32 of this shape
   * @throws IllegalArgumentException unless low is below high
   * @source JAX {@code jax.random.randint}, of i32
   */
  public static Tensor randint(Key key, Shape shape, int low, int high) {
    Check.that(low < high, "randint: low must be below high: [%d, %d); exchange them", low, high);
    long span = (long) high - low;
    // 2^32 mod span, as JAX computes it in 32 bits; a span above 2^16 makes it 0
    long half = (1L << 16) % span;
    long carry = (half * half & LOW_WORD) % span;
    List<Key> keys = key.split(2);
    Tensor offset = remainder(unsigned(bits(keys.get(1), shape)), span);
    if (carry != 0) {
      Tensor higher = remainder(unsigned(bits(keys.get(0), shape)), span);
      offset = remainder(lowWord(higher.mul(carry).add(offset)), span);
    }
    return offset.add(low).cast(DType.I32);
  }

  private static Tensor unsigned(Tensor words) {
    return lowWord(words.cast(DType.I64));
  }

  private static Tensor lowWord(Tensor t) {
    return t.and(Tensor.scalar(DType.I64, LOW_WORD));
  }

  private static Tensor remainder(Tensor t, long n) {
    return t.sub(t.div(n).mul(n));
  }

  /**
   * Standard normal numbers of which only those in (lower, upper) count.
   *
   * @param lower may be infinite
   * @param upper may be infinite
   * @return f32 of this shape
   * @throws IllegalArgumentException unless lower is below upper
   * @source JAX {@code jax.random.truncated_normal}
   */
  public static Tensor truncatedNormal(Key key, Shape shape, double lower, double upper) {
    Check.that(
        lower < upper,
        "truncated_normal: lower must be below upper: (%s, %s); exchange them",
        lower,
        upper);
    float root = (float) Math.sqrt(2);
    float a = erf((float) lower / root);
    float b = erf((float) upper / root);
    return InverseError.of(uniform(key, shape, a, b))
        .mul(Math.sqrt(2))
        .maximum(Math.nextUp((float) lower))
        .minimum(Math.nextDown((float) upper));
  }

  /**
   * Exponential numbers of mean 1.
   *
   * @return f32 of this shape
   * @source JAX {@code jax.random.exponential}
   */
  public static Tensor exponential(Key key, Shape shape) {
    return uniform(key, shape).neg().log1p().neg();
  }

  /**
   * Laplace numbers of scale 1: exponential ones with a random sign.
   *
   * @return f32 of this shape
   * @source JAX {@code jax.random.laplace}
   */
  public static Tensor laplace(Key key, Shape shape) {
    Tensor u = uniform(key, shape, ABOVE_MINUS_ONE, 1);
    return u.sign().mul(u.abs().neg().log1p());
  }

  /**
   * Gumbel numbers of scale 1: added to logits, the largest is a draw by weight.
   *
   * @return f32 of this shape
   * @source JAX {@code jax.random.gumbel}
   */
  public static Tensor gumbel(Key key, Shape shape) {
    return uniform(key, shape, Float.MIN_NORMAL, 1).log().neg().log().neg();
  }

  /**
   * Cauchy numbers of scale 1; their mean does not exist.
   *
   * @return f32 of this shape
   * @source JAX {@code jax.random.cauchy}
   */
  public static Tensor cauchy(Key key, Shape shape) {
    return uniform(key, shape, Math.ulp(1f), 1).sub(0.5).mul(Math.PI).tan();
  }

  /**
   * -1 or 1, equally likely.
   *
   * @return i32 of this shape
   * @source JAX {@code jax.random.rademacher}
   */
  public static Tensor rademacher(Key key, Shape shape) {
    return bernoulli(key, 0.5, shape).cast(DType.I32).mul(2).sub(1);
  }

  /**
   * Gamma numbers of scale 1 (mean and variance {@code alpha}), by Marsaglia and Tsang's rejection.
   * Their gradient with respect to alpha is that of a number that keeps its place in the
   * distribution (implicit reparametrisation); it has no derivative itself.
   *
   * @param alpha shape parameters, f32, above 0, broadcast to {@code shape}; a negative one gives
   *     NaN
   * @return f32 of this shape; 0 where a number is below the range of f32, see {@link #loggamma}
   * @source JAX {@code jax.random.gamma}; Marsaglia and Tsang, "A simple method for generating
   *     gamma variables", 2000
   */
  public static Tensor gamma(Key key, Tensor alpha, Shape shape) {
    return GammaDraws.draw(key, parameter("gamma: alpha", alpha, shape), false);
  }

  /** As {@link #gamma(Key, Tensor, Shape)}, all numbers of one shape parameter, above 0. */
  public static Tensor gamma(Key key, double alpha, Shape shape) {
    Check.that(
        alpha > 0 && Double.isFinite(alpha),
        "gamma: a shape parameter is finite and above 0: %s; correct it",
        alpha);
    return gamma(key, Tensor.scalar(DType.F32, alpha), shape);
  }

  /**
   * Logarithms of gamma numbers, which do not underflow for small {@code alpha}; otherwise the
   * logarithm of {@link #gamma(Key, Tensor, Shape)} with this key.
   *
   * @param alpha shape parameters, f32, broadcast to {@code shape}
   * @return f32 of this shape
   * @source JAX {@code jax.random.loggamma}
   */
  public static Tensor loggamma(Key key, Tensor alpha, Shape shape) {
    return GammaDraws.draw(key, parameter("loggamma: alpha", alpha, shape), true);
  }

  /**
   * Beta numbers, in [0, 1] with mean a / (a + b). Differentiable as {@link #gamma(Key, Tensor,
   * Shape)} is.
   *
   * @param a and {@code b}: above 0, f32, broadcast to {@code shape}
   * @return f32 of this shape
   * @source JAX {@code jax.random.beta}: the share of one gamma number in the sum of two
   */
  public static Tensor beta(Key key, Tensor a, Tensor b, Shape shape) {
    List<Key> two = key.split(2);
    Tensor x = GammaDraws.draw(two.get(0), parameter("beta: a", a, shape), true);
    Tensor y = GammaDraws.draw(two.get(1), parameter("beta: b", b, shape), true);
    return x.sub(y).logistic();
  }

  /**
   * Dirichlet numbers: rows that are not negative and add up to 1. Differentiable as {@link
   * #gamma(Key, Tensor, Shape)} is.
   *
   * @param alpha above 0, f32 [..., k], broadcast to {@code shape} with k behind
   * @param shape without the axis of the k shares
   * @return f32 of this shape with k behind
   * @source JAX {@code jax.random.dirichlet}: shares of k gamma numbers in their sum
   */
  public static Tensor dirichlet(Key key, Tensor alpha, Shape shape) {
    Check.shape(
        alpha.shape().rank() >= 1,
        "dirichlet: alpha must have an axis of shares: %s; reshape it",
        alpha.type());
    Shape all = shape.concat(Shape.of(alpha.shape().dim(-1)));
    return GammaDraws.draw(key, parameter("dirichlet: alpha", alpha, all), true).softmax(-1);
  }

  /**
   * Poisson numbers: how often something happens that happens {@code lambda} times in the mean.
   * Without a gradient. Numbers for rates below 10 are JAX's; others too if drawn one a key, while
   * among many JAX may draw an accepted number again.
   *
   * @param lambda rates below 2^30, f32, broadcast to {@code shape}; a negative one or NaN gives -1
   * @return i32 of this shape
   * @source JAX {@code jax.random.poisson}: Knuth's product of uniform numbers for rates below 10,
   *     otherwise Hoermann, "The transformed rejection method for generating Poisson random
   *     variables", 1993
   */
  public static Tensor poisson(Key key, Tensor lambda, Shape shape) {
    return PoissonDraws.draw(key, parameter("poisson: lambda", lambda, shape));
  }

  private static Tensor parameter(String who, Tensor t, Shape shape) {
    Check.shape(
        t.dtype() == DType.F32 && Shape.broadcast(who, t.shape(), shape).equals(shape),
        "%s must be f32 and broadcast to the shape that is drawn: %s for %s; cast or reshape it",
        who,
        t.type(),
        shape);
    return t.broadcastTo(shape);
  }

  private static float erf(double x) {
    return (float) OpTable.get("erf").scalar().real().apply(new double[] {x});
  }

  /** An f32 tensor of this shape, all {@code value}. */
  static Tensor filled(Tensor like, double value) {
    return Tensor.scalar(DType.F32, value).lift(like).broadcastTo(like.shape());
  }

  static int count(Shape shape) {
    Check.that(
        shape.size() <= Integer.MAX_VALUE,
        "random: one call draws at most 2147483647 numbers: %s; draw parts with split keys",
        shape);
    return (int) shape.size();
  }
}
