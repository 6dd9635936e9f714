package io.fragua.metrics;

import java.io.Serializable;

/**
 * A sum of many numbers that loses no digits: what rounding took away is kept beside it. So parts
 * merged in any order agree to the last digits.
 *
 * @source Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974
 */
final class Total implements Serializable {
  private static final long serialVersionUID = 1;

  private double sum;
  private double lost;
  private long count;

  void add(double v) {
    plus(v);
    count++;
  }

  void add(Total other) {
    // read first: the other may be this one
    double more = other.lost;
    long n = other.count;
    plus(other.sum);
    lost += more;
    count += n;
  }

  private void plus(double v) {
    double next = sum + v;
    lost += Math.abs(sum) >= Math.abs(v) ? sum - next + v : v - next + sum;
    sum = next;
  }

  double sum() {
    return sum + lost;
  }

  long count() {
    return count;
  }

  double mean(String who) {
    Rows.some(who, count);
    return sum() / count;
  }
}
