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
 * units in the last place. Gamma, beta, Dirichlet and Poisson numbers need a loop and are not here.
 */
public final class Random {
  /** The f32 next to -1 towards 0: normal numbers come from the open interval (-1, 1). */
  private static final double ABOVE_MINUS_ONE = Math.nextAfter(-1f, 0);

  private static final long LOW_WORD = 0xffffffffL;

  /*
   * Inverse error function: two polynomials in w = -log(1 - x^2), for the centre (w < 5, around 2.5)
   * and for the tails (in sqrt(w), around 3); highest power first.
   * Giles, "Approximating the erfinv function", GPU Computing Gems 2, 2011, table 1 (single).
   */
  private static final double[] CENTRE = {
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941
  };
  private static final double[] TAIL = {
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682
  };

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
    // The upper 23 bits become the mantissa of a number in [1, 2).
    Tensor one = Tensor.scalar(DType.I32, Float.floatToRawIntBits(1f));
    return bits(key, shape).shiftRightLogical(9).or(one).bitcast(DType.F32).sub(1);
  }

  /** As {@link #uniform(Key, Shape)}, in [low, high); {@code high} itself only by rounding. */
  public static Tensor uniform(Key key, Shape shape, double low, double high) {
    Check.that(
        low <= high && Double.isFinite(high - low),
        "uniform: bounds must be finite and ascending: [%s, %s); exchange or correct them",
        low,
        high);
    // The width is rounded as in JAX, which computes it in f32.
    return uniform(key, shape).mul((float) high - (float) low).add(low);
  }

  /**
   * Standard normal numbers (mean 0, standard deviation 1).
   *
   * @return f32 of this shape
   * @source JAX {@code jax.random.normal}: sqrt(2) erfinv(u), u uniform in (-1, 1)
   */
  public static Tensor normal(Key key, Shape shape) {
    return erfInv(uniform(key, shape, ABOVE_MINUS_ONE, 1)).mul(Math.sqrt(2));
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
    return erfInv(uniform(key, shape, a, b))
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

  private static float erf(double x) {
    return (float) OpTable.get("erf").scalar().real().apply(new double[] {x});
  }

  /** Inverse of the error function on (-1, 1). */
  private static Tensor erfInv(Tensor x) {
    Tensor w = x.square().neg().log1p().neg();
    Tensor centre = w.less(5);
    Tensor v = centre.select(w.sub(2.5), w.sqrt().sub(3));
    Tensor p = pick(centre, 0);
    for (int i = 1; i < CENTRE.length; i++) {
      p = p.mul(v).add(pick(centre, i));
    }
    return p.mul(x);
  }

  private static Tensor pick(Tensor centre, int i) {
    return centre.select(Tensor.scalar(DType.F32, CENTRE[i]), Tensor.scalar(DType.F32, TAIL[i]));
  }

  private static int count(Shape shape) {
    Check.that(
        shape.size() <= Integer.MAX_VALUE,
        "random: one call draws at most 2147483647 numbers: %s; draw parts with split keys",
        shape);
    return (int) shape.size();
  }
}
