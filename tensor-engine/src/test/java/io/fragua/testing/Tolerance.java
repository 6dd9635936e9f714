package io.fragua.testing;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;

/**
 * How closely two tensors must agree: {@code |a - b| <= eps (relative |b| + absolute)} where eps is
 * the spacing of the element type at 1. NaN agrees with NaN, an infinity with itself. Integers and
 * bool always agree exactly.
 *
 * @param relative in units of eps of the expected value; with {@code absolute} also 0 the values
 *     are equal and zeros have the same sign; negative: the bits are equal
 * @param absolute in units of eps
 */
public record Tolerance(double relative, double absolute) {
  /** The same bits, NaN payloads included: for rows that only move. */
  public static final Tolerance BITS = new Tolerance(-1, 0);

  /** Equal values: for rows that IEEE 754 rounds correctly. */
  public static final Tolerance EQUAL = new Tolerance(0, 0);

  /** A few units in the last place; results below the normal range of f32 may be flushed. */
  public static final Tolerance ULPS = new Tolerance(4, Float.MIN_NORMAL * 0x1p23);

  /** Grows with the number of terms: {@code n} terms of at most this magnitude. */
  public static Tolerance sum(long n, double magnitude) {
    return new Tolerance(2, n * magnitude);
  }

  /** Spacing of the type at 1. */
  public static double eps(DType t) {
    return switch (t) {
      case F64 -> 0x1p-52;
      case F32 -> 0x1p-23;
      case F16 -> 0x1p-10;
      default -> 0x1p-7;
    };
  }

  /**
   * Where the tensors disagree first.
   *
   * @return null if they agree
   */
  public String difference(Tensor expected, Tensor actual) {
    if (!expected.type().equals(actual.type())) {
      return "type " + actual.type() + ", expected " + expected.type();
    }
    DType t = expected.dtype();
    Buffer e = expected.buffer();
    Buffer a = actual.buffer();
    if (relative < 0) {
      int at = e.bytes().mismatch(a.bytes());
      return at < 0
          ? null
          : String.format("byte %d: %x, expected %x", at, a.bytes().get(at), e.bytes().get(at));
    }
    for (long i = 0, n = expected.shape().size(); i < n; i++) {
      boolean ok =
          t.isFloating()
              ? close(t, e.getDouble(t, i), a.getDouble(t, i))
              : e.getLong(t, i) == a.getLong(t, i);
      if (!ok) {
        return String.format(
            "element %d: %s, expected %s (%s)",
            i, a.getDouble(t, i), e.getDouble(t, i), expected.type());
      }
    }
    return null;
  }

  private boolean close(DType t, double e, double a) {
    if (Double.isNaN(e) || Double.isInfinite(e) || Double.isNaN(a) || Double.isInfinite(a)) {
      return Double.compare(e, a) == 0;
    }
    if (relative == 0 && absolute == 0) {
      return Double.compare(e, a) == 0;
    }
    return Math.abs(e - a) <= eps(t) * (relative * Math.abs(e) + absolute);
  }
}
