package io.fragua.op;

/**
 * How a gamma number moves with its shape parameter: the meaning of the row {@code
 * random_loggamma_grad}, and called by generated scalar code. Thread-safe.
 *
 * <p>A number x drawn with shape a keeps its probability P(a, x) = u while a changes, so dx/da =
 * -(dP/da) / (dP/dx). With S = P / (x dP/dx), a power series in x, or K = (1 - P) / (x dP/dx), a
 * continued fraction, the logarithms of both sides give
 *
 * <pre>  dlog x / da = -(S (log x - digamma(a)) + dS/da) = K (log x - digamma(a)) + dK/da</pre>
 *
 * so nothing is subtracted that nearly cancels, and x itself, which underflows for small a, is not
 * needed.
 *
 * @source Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", NeurIPS 2018; the
 *     series and the fraction: NIST DLMF 8.11.4 and 8.9.2; large a: Temme, "Asymptotic inversion of
 *     incomplete gamma functions", 1992
 */
public final class GammaSlope {
  /** From here on, what the expansion in 1/a leaves out is below a millionth of a millionth. */
  private static final double LARGE = 1e5;

  private static final int MOST_TERMS = 20_000;
  private static final double EPS = 0x1p-53;

  private GammaSlope() {}

  /**
   * Derivative of log x with respect to a, at constant probability.
   *
   * @param a above 0; otherwise, or infinite or NaN, the slope is NaN
   * @param logX logarithm of the number; -infinity gives infinity
   */
  public static double of(double a, double logX) {
    if (!(a > 0) || a == Double.POSITIVE_INFINITY || logX != logX) {
      return Double.NaN;
    }
    if (logX == Double.NEGATIVE_INFINITY) {
      return Double.POSITIVE_INFINITY;
    }
    double x = Math.exp(logX);
    if (x == Double.POSITIVE_INFINITY) {
      return 0;
    }
    if (a > LARGE && Math.abs(x - a) < a / 2) { // elsewhere the sums are short
      return large(a, x);
    }
    double left = logX - Special.digamma(a);
    return x <= 1 || x <= a ? series(a, x, left) : fraction(a, x, left);
  }

  /** S is the sum over n of x^n / (a (a + 1) ... (a + n)). */
  private static double series(double a, double x, double left) {
    double term = 1 / a;
    double slope = -term / a;
    double sum = term;
    double slopes = slope;
    for (int n = 1; n < MOST_TERMS && Math.abs(slope) > EPS * Math.abs(slopes); n++) {
      double factor = x / (a + n);
      slope = factor * (slope - term / (a + n));
      term *= factor;
      sum += term;
      slopes += slope;
    }
    return -(sum * left + slopes);
  }

  /**
   * K = 1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - 2 (2 - a) / ...)), by the rule of Lentz, each
   * number together with its derivative.
   */
  private static double fraction(double a, double x, double left) {
    double b = x + 1 - a;
    double c = Double.POSITIVE_INFINITY;
    double dc = 0;
    double d = 1 / b;
    double dd = d * d; // b falls as a grows
    double k = d;
    double dk = dd;
    for (int n = 1; n < MOST_TERMS; n++) {
      double over = n * (a - n);
      b += 2;
      double e = b + over * d;
      double de = -1 + n * d + over * dd;
      double f = b + over / c;
      double df = -1 + n / c - over / c * (dc / c);
      d = 1 / e;
      dd = -d * d * de;
      double step = d * f;
      double slope = dd * f + d * df;
      dk = dk * step + k * slope;
      k *= step;
      c = f;
      dc = df;
      boolean more = Math.abs(step - 1) > 2 * EPS || Math.abs(k * slope) > 2 * EPS * Math.abs(dk);
      if (!more) { // also NaN
        break;
      }
    }
    return k * left + dk;
  }

  /**
   * What stays the same is sqrt(a) (e + log(m / e) / (a e)) with m = x/a - 1 and e^2 / 2 = m -
   * log(1 + m), up to its third power of 1/a; differentiated by a and x.
   */
  private static double large(double a, double x) {
    double m = (x - a) / a;
    double e = Math.copySign(Math.sqrt(2 * bend(m)), m);
    boolean near = Math.abs(e) < 1e-3; // m = e + e^2/3 + e^3/36 - ...
    double g = near ? 1.0 / 3 - e / 36 : Math.log(m / e) / e;
    double dm = near ? 1 + 2 * e / 3 + e * e / 12 : e * (1 + m) / m; // dm/de
    double dg = near ? -1.0 / 36 : (dm / m - 1 / e - g) / e;
    double dmda = -(e / 2 - g / (2 * a)) / (a + dg) * dm;
    return 1 / a + dmda / (1 + m);
  }

  /** m - log(1 + m). */
  private static double bend(double m) {
    if (Math.abs(m) > 0.1) {
      return m - Math.log1p(m);
    }
    double power = m * m;
    double sum = power / 2;
    for (int k = 3; k < 24; k++) {
      power *= -m;
      sum += power / k;
    }
    return sum;
  }
}
