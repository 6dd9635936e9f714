package io.fragua.nn;

import io.fragua.random.Random;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Linalg;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * Initial values of parameters. The scaled ones keep the size of signals (or gradients) alike from
 * layer to layer. They read fan-in and fan-out from a kernel's shape [..., in, out]: the product of
 * all axes but the last, and of all but the second-last.
 */
public final class Initializers {
  private Initializers() {}

  /** All 0. */
  public static Initializer zeros() {
    return constant(0);
  }

  /** All 1. */
  public static Initializer ones() {
    return constant(1);
  }

  /** All {@code value}. */
  public static Initializer constant(double value) {
    return (key, shape) -> Tensor.scalar(DType.F32, value).lift(key.tensor()).broadcastTo(shape);
  }

  /** Normal with mean 0 and this standard deviation. */
  public static Initializer normal(double std) {
    Check.that(
        std >= 0 && Double.isFinite(std),
        "initializer: a standard deviation is finite and not negative: %s; correct it",
        std);
    return (key, shape) -> Random.normal(key, shape).mul(std);
  }

  /**
   * Normal with this standard deviation, of which only numbers within two deviations are drawn;
   * theirs is 0.88 times as large.
   *
   * @source {@code jax.nn.initializers.truncated_normal}
   */
  public static Initializer truncatedNormal(double std) {
    Check.that(
        std >= 0 && Double.isFinite(std),
        "initializer: a standard deviation is finite and not negative: %s; correct it",
        std);
    double end = 0.9544997361036416; // erf(sqrt(2)), the share of numbers within two deviations
    return (key, shape) ->
        Random.uniform(key, shape, -end, end)
            .erfInv()
            .mul(Math.sqrt(2))
            .maximum(-2)
            .minimum(2)
            .mul(std);
  }

  /** Uniform in [-bound, bound). */
  public static Initializer uniform(double bound) {
    Check.that(
        bound >= 0 && Double.isFinite(bound),
        "initializer: a bound is finite and not negative: %s; correct it",
        bound);
    return (key, shape) -> Random.uniform(key, shape).mul(2).sub(1).mul(bound);
  }

  /**
   * Uniform within sqrt(6 / (fan-in + fan-out)): keeps signals and gradients alike for tanh-like
   * functions.
   *
   * @source Glorot and Bengio, AISTATS 2010, equation 16; {@code
   *     jax.nn.initializers.glorot_uniform}
   */
  public static Initializer glorotUniform() {
    return (key, shape) -> uniform(Math.sqrt(6 / (fanIn(shape) + fanOut(shape)))).draw(key, shape);
  }

  /**
   * Uniform within sqrt(6 / fan-in): keeps signals alike through relu.
   *
   * @source He et al., ICCV 2015; {@code torch.nn.init.kaiming_uniform_}, {@code
   *     jax.nn.initializers.he_uniform}
   */
  public static Initializer heUniform() {
    return (key, shape) -> uniform(Math.sqrt(6 / fanIn(shape))).draw(key, shape);
  }

  /**
   * Normal with variance 2 / fan-in: keeps signals alike through relu. Not truncated, as in PyTorch
   * (JAX truncates at two standard deviations).
   *
   * @source He et al., ICCV 2015, equation 10; {@code torch.nn.init.kaiming_normal_}
   */
  public static Initializer heNormal() {
    return (key, shape) -> normal(Math.sqrt(2 / fanIn(shape))).draw(key, shape);
  }

  /**
   * Normal with variance 1 / fan-in: keeps signals alike through linear layers and selu. Not
   * truncated.
   *
   * @source LeCun et al., "Efficient BackProp", 1998, equation 16
   */
  public static Initializer lecunNormal() {
    return (key, shape) -> normal(Math.sqrt(1 / fanIn(shape))).draw(key, shape);
  }

  /**
   * Normal with variance 2 / (fan-in + fan-out). Not truncated.
   *
   * @source Glorot and Bengio, AISTATS 2010; {@code torch.nn.init.xavier_normal_}
   */
  public static Initializer glorotNormal() {
    return varianceScaling(1, Fan.AVERAGE, false);
  }

  /**
   * Uniform within sqrt(3 / fan-in), variance 1 / fan-in.
   *
   * @source LeCun et al., 1998; {@code jax.nn.initializers.lecun_uniform}
   */
  public static Initializer lecunUniform() {
    return varianceScaling(1, Fan.IN, true);
  }

  /** What the variance is divided by. */
  public enum Fan {
    /** Fan-in: signals stay alike. */
    IN,
    /** Fan-out: gradients stay alike. */
    OUT,
    /** Their mean. */
    AVERAGE
  }

  /**
   * Variance scale / fan: the family that Glorot's, He's and LeCun's belong to.
   *
   * @param scale above 0: 2 for relu, 1 for others
   * @param uniform true for uniform numbers, false for normal ones, not truncated
   * @source {@code jax.nn.initializers.variance_scaling}
   */
  public static Initializer varianceScaling(double scale, Fan fan, boolean uniform) {
    Check.that(
        scale > 0 && Double.isFinite(scale),
        "initializer: a scale is finite and above 0: %s; correct it",
        scale);
    Settings.given("initializer", "a fan", fan);
    return (key, shape) -> {
      double n =
          switch (fan) {
            case IN -> fanIn(shape);
            case OUT -> fanOut(shape);
            case AVERAGE -> (fanIn(shape) + fanOut(shape)) / 2;
          };
      double variance = scale / n;
      return (uniform ? uniform(Math.sqrt(3 * variance)) : normal(Math.sqrt(variance)))
          .draw(key, shape);
    };
  }

  /**
   * Uniform within 1 / sqrt(fan-in), variance 1 / (3 fan-in): the default of {@link Dense}.
   *
   * @source {@code torch.nn.Linear} (kaiming_uniform_ with a = sqrt(5))
   */
  public static Initializer fanInUniform() {
    return (key, shape) -> uniform(1 / Math.sqrt(fanIn(shape))).draw(key, shape);
  }

  /**
   * Orthonormal columns, or rows where there are fewer of them, times {@code scale}: all directions
   * alike, and signals keep their length. Of a kernel [..., in, out] a column is all that belongs
   * to one output.
   *
   * @param scale finite: 1, or sqrt(2) in front of a relu
   * @source Saxe et al., ICLR 2014; {@code jax.nn.initializers.orthogonal}, whose numbers these
   *     are: the Q of normal numbers with signs that make the diagonal of R positive
   */
  public static Initializer orthogonal(double scale) {
    Check.that(
        Double.isFinite(scale), "initializer: a scale must be finite: %s; correct it", scale);
    return (key, shape) -> {
      int rows = (int) Math.min(Integer.MAX_VALUE, size(shape, -1));
      int columns = shape.dim(-1);
      int most = Math.max(rows, columns);
      Linalg.Qr qr = Random.normal(key, Shape.of(most, Math.min(rows, columns))).qr();
      Tensor q = qr.q().mul(qr.r().diagonal().sign());
      return (rows < columns ? q.transpose() : q).reshape(shape.dims()).mul(scale);
    };
  }

  /** At least 1, so that a layer without inputs has finite values. */
  private static double fanIn(Shape shape) {
    return Math.max(1, size(shape, -1));
  }

  private static double fanOut(Shape shape) {
    return Math.max(1, size(shape, -2));
  }

  private static long size(Shape shape, int without) {
    Check.shape(
        shape.rank() >= 2,
        "initializer: fan-in and fan-out need a kernel [..., in, out]: %s; use normal(std) or"
            + " uniform(bound)",
        shape);
    return shape.without(shape.axis(without)).size();
  }
}
