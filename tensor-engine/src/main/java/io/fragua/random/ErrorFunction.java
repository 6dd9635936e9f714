package io.fragua.random;

/** The error function of one number, to f64's precision. */
final class ErrorFunction {
  private ErrorFunction() {}

  /*
   * Near 0 by its Taylor series without alternating signs, erf x = 2x/sqrt(pi) exp(-x^2) sum of
   * (2x^2)^k / (1 * 3 * ... (2k + 1)); from 6 on it is 1. Abramowitz and Stegun, 7.1.6.
   */
  static double erf(double x) {
    if (Math.abs(x) >= 6) {
      return Math.signum(x);
    }
    double term = 2 * x / Math.sqrt(Math.PI) * Math.exp(-x * x);
    double sum = term;
    for (int k = 1; Math.abs(term) > Math.abs(sum) * 0x1p-56; k++) {
      term *= 2 * x * x / (2 * k + 1);
      sum += term;
    }
    return sum;
  }
}
