package io.fragua.examples.bench;

import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import java.util.Locale;
import java.util.Map;

/** Whether two systems computed the same. */
final class Agreement {
  private Agreement() {}

  /**
   * What differs, or null. Further results of theirs are not looked at.
   *
   * @param tolerance of the norm of a difference, as a part of the norm of the result
   */
  static String difference(Map<String, Tensor> ours, Map<String, Tensor> theirs, double tolerance) {
    if (!theirs.keySet().containsAll(ours.keySet())) {
      return "results " + ours.keySet() + " here, " + theirs.keySet();
    }
    for (Map.Entry<String, Tensor> e : ours.entrySet()) {
      Tensor a = e.getValue();
      Tensor b = theirs.get(e.getKey());
      if (!a.type().equals(b.type())) {
        return e.getKey() + " is " + a.type() + " here, " + b.type();
      }
      double apart = apart(a, b);
      if (!(apart <= tolerance)) { // NaN is a difference
        return String.format(
            Locale.ROOT, "%s is %.3g apart, at most %.3g is agreed", e.getKey(), apart, tolerance);
      }
    }
    return null;
  }

  private static double apart(Tensor a, Tensor b) {
    double difference = 0;
    double size = 0;
    DType t = a.dtype();
    for (long i = 0, n = a.shape().size(); i < n; i++) {
      double x = a.buffer().getDouble(t, i);
      double y = b.buffer().getDouble(t, i);
      difference += (x - y) * (x - y);
      size += y * y;
    }
    return difference == 0 ? 0 : Math.sqrt(difference / size);
  }
}
