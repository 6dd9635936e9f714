package io.fragua.op;

import org.apache.commons.numbers.gamma.Erf;
import org.apache.commons.numbers.gamma.Erfc;
import org.apache.commons.numbers.gamma.InverseErf;
import org.apache.commons.numbers.gamma.LogGamma;

/**
 * Functions of one or two reals that the JDK lacks: the meaning of their rows, and called by
 * generated scalar code. Error and gamma functions are those of Apache Commons Numbers, with the
 * limits of C's library at poles and infinities. Thread-safe.
 */
public final class Special {
  /** B(2j) / (2j)! for j from 1, with which sums are replaced by integrals. */
  private static final double[] BERNOULLI = {
    1.0 / 12,
    -1.0 / 720,
    1.0 / 30240,
    -1.0 / 1209600,
    1.0 / 47900160,
    -691.0 / 1307674368000L,
    1.0 / 74724249600L,
    -3617.0 / 10670622842880000L
  };

  private Special() {}

  /**
   * x to the power y as IEEE 754 and C have it, where Java gives NaN: 1 to any power is 1, and so
   * is -1 to an infinite one.
   */
  public static double pow(double x, double y) {
    return x == 1 || x == -1 && Double.isInfinite(y) ? 1 : Math.pow(x, y);
  }

  /** Greatest common divisor, not negative but for that of the least number and 0; by Euclid. */
  public static long gcd(long a, long b) {
    while (b != 0) {
      long rest = a % b;
      a = b;
      b = rest;
    }
    return Math.abs(a);
  }

  /** Inverse of sinh. */
  public static double asinh(double x) {
    double a = Math.abs(x);
    // Beyond 2^28 the square loses the 1, and later overflows.
    double y =
        a > 0x1p28 ? Math.log(a) + Math.log(2) : Math.log1p(a + a * a / (1 + Math.sqrt(a * a + 1)));
    return Math.copySign(y, x);
  }

  /** Inverse of cosh; NaN below 1. */
  public static double acosh(double x) {
    if (x < 1) {
      return Double.NaN;
    }
    double t = x - 1;
    return x > 0x1p28 ? Math.log(x) + Math.log(2) : Math.log1p(t + Math.sqrt(2 * t + t * t));
  }

  /** Inverse of tanh; infinite at -1 and 1, NaN beyond. */
  public static double atanh(double x) {
    double a = Math.abs(x);
    return Math.copySign(0.5 * Math.log1p(2 * a / (1 - a)), x);
  }

  /** Error function. */
  public static double erf(double x) {
    return Erf.value(x);
  }

  /** 1 - erf(x), accurate where that is small. */
  public static double erfc(double x) {
    return Erfc.value(x);
  }

  /** Inverse of erf; infinite at -1 and 1, NaN beyond. */
  public static double erfInv(double x) {
    return InverseErf.value(x);
  }

  /** log |Gamma(x)|; infinite at 0 and the negative integers. */
  public static double lgamma(double x) {
    boolean pole = x <= 0 && x == Math.rint(x); // also -infinity
    return pole ? Double.POSITIVE_INFINITY : LogGamma.value(x);
  }

  /**
   * Derivative of log Gamma; NaN at the negative integers, an infinity of the other sign at a zero.
   */
  public static double digamma(double x) {
    if (x == 0) {
      return Math.copySign(Double.POSITIVE_INFINITY, -x);
    }
    if (x < 0) {
      double r = x - Math.rint(x); // the tangent's period
      return r == 0 || Double.isInfinite(x)
          ? Double.NaN
          : digamma(1 - x) - Math.PI / Math.tan(Math.PI * r);
    }
    double sum = 0;
    double y = x;
    for (; y < 10; y++) {
      sum -= 1 / y;
    }
    double power = 1 / (y * y);
    double factor = power;
    double series = 0;
    for (int j = 0; j < BERNOULLI.length; j++) {
      // B(2j) / (2j) = B(2j) / (2j)! times (2j - 1)!
      series += BERNOULLI[j] * factorial(2 * j + 1) * factor;
      factor *= power;
    }
    return sum + Math.log(y) - 0.5 / y - series;
  }

  /**
   * The n-th derivative of digamma; n is rounded to a whole number, a negative one gives NaN.
   *
   * <p>Below 0 by reflection: what {@code polygamma(n, 1 - x)} and {@code polygamma(n, x)} add up
   * to has period 1, so it is taken where both are positive.
   */
  public static double polygamma(double order, double x) {
    double n = Math.rint(order);
    if (!(n >= 0) || x != x) {
      return Double.NaN;
    }
    if (n == 0) {
      return digamma(x);
    }
    double sign = n % 2 == 0 ? -1 : 1;
    if (x == Double.POSITIVE_INFINITY) {
      return sign * 0;
    }
    if (x > 0) {
      return sign * factorial(n) * zeta(n + 1, x);
    }
    double r = x - Math.floor(x);
    if (r == 0 || Double.isInfinite(x)) {
      return n % 2 == 1 ? Double.POSITIVE_INFINITY : Double.NaN;
    }
    if (x > -0.5) { // 1 - r may round to 0; one step of the recurrence instead
      return polygamma(n, 1 + x) + sign * factorial(n) / Math.pow(x, n + 1);
    }
    double both = polygamma(n, 1 - r) + sign * polygamma(n, r);
    return sign * (both - polygamma(n, 1 - x));
  }

  /** exp(-|x|) I0(x), with the modified Bessel function of order 0; 0 at the infinities. */
  public static double besselI0e(double x) {
    return besselIe(0, Math.abs(x));
  }

  /** exp(-|x|) I1(x), with the modified Bessel function of order 1; 0 at the infinities. */
  public static double besselI1e(double x) {
    return Math.copySign(besselIe(1, Math.abs(x)), x);
  }

  /** By the power series, whose terms are all positive, or from 30 on by Hankel's expansion. */
  private static double besselIe(int n, double x) {
    double sum = 1;
    double term = 1;
    if (x < 30) {
      for (int k = 1; term > sum * 0x1p-56; k++) {
        term *= x * x / 4 / (k * (k + n));
        sum += term;
      }
      return Math.exp(-x) * (n == 0 ? sum : sum * x / 2);
    }
    for (int k = 1; Math.abs(term) > 0x1p-56; k++) {
      term *= ((2.0 * k - 1) * (2.0 * k - 1) - 4 * n * n) / (8 * k * x);
      sum += term;
    }
    return sum / Math.sqrt(2 * Math.PI * x);
  }

  private static double factorial(double n) {
    double f = 1;
    for (int i = 2; i <= n && f < Double.POSITIVE_INFINITY; i++) {
      f *= i;
    }
    return f;
  }

  /** Sum of (q + k)^-s over k from 0, for s of at least 2 and positive q: Euler and Maclaurin. */
  private static double zeta(double s, double q) {
    double sum = 0;
    double y = q;
    for (; y < 12; y++) {
      sum += Math.pow(y, -s);
    }
    double power = Math.pow(y, -s);
    sum += y * power / (s - 1) + 0.5 * power;
    double term = s * power / y;
    for (int j = 0; j < BERNOULLI.length; j++) {
      sum += BERNOULLI[j] * term;
      term *= (s + 2 * j + 1) / y * ((s + 2 * j + 2) / y);
    }
    return sum;
  }
}
