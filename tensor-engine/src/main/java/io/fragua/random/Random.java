package io.fragua.random;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * Random tensors. Each number is a function of the key and of its own position, so drawing is
 * elementwise: it fuses with whatever uses the numbers and nothing is stored. Bits, uniform and
 * bernoulli numbers equal JAX's exactly; normal numbers up to a few units in the last place.
 */
public final class Random {
  /** The f32 next to -1 towards 0: normal numbers come from the open interval (-1, 1). */
  private static final double ABOVE_MINUS_ONE = Math.nextAfter(-1f, 0);

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
