package io.fragua.testing;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.Random;

/**
 * How the elements of a test operand are chosen.
 *
 * @param name shown in the case's name
 */
public record Values(String name, Fill fill) {
  /** Writes all elements. */
  @FunctionalInterface
  public interface Fill {
    /** Fills {@code n} elements of the buffer. */
    void fill(Random random, DType t, Buffer b, long n);
  }

  private static final double[] REALS = {
    0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 2, -2, 3, 0.1, -7.25, 1e-3, 1e-30, -1e-30, 31, 32,
    100, -100, 1e10, -1e10, 1e30
  };
  private static final long[] INTEGERS = {
    0, 1, -1, 2, -2, 3, 7, -7, 31, 32, 33, 127, 128, 255, 256, -128, 65535, 1 << 20, -12345678
  };

  /** Uniform: reals in [low, high), integers in [low, high], bool fair. */
  public static Values range(double low, double high) {
    return new Values(
        "[" + low + ", " + high + "]",
        (r, t, b, n) -> {
          for (long i = 0; i < n; i++) {
            if (t == DType.BOOL) {
              b.putLong(t, i, r.nextBoolean() ? 1 : 0);
            } else if (t.isFloating()) {
              b.putDouble(t, i, low + (high - low) * r.nextDouble());
            } else {
              b.putLong(t, i, (long) low + r.nextInt((int) (high - low) + 1));
            }
          }
        });
  }

  /** Indices below a bound. */
  public static Values ids(int bound) {
    return new Values(
        "ids < " + bound,
        (r, t, b, n) -> {
          for (long i = 0; i < n; i++) {
            b.putLong(t, i, r.nextInt(bound));
          }
        });
  }

  /**
   * Matrices [m, n] near the diagonal one of 1, 2, 3, ...: their eigenvalues and singular values are
   * well apart, and square ones are positive definite by either triangle.
   */
  public static Values apart(int m, int n) {
    return new Values(
        "apart " + m + "x" + n,
        (r, t, b, count) -> {
          if (m == 0 || n == 0) { // a mutated case may have elements all the same
            range(-1, 1).fill().fill(r, t, b, count);
            return;
          }
          for (long i = 0; i < count; i++) {
            long row = i / n % m;
            double noise = (2 * r.nextDouble() - 1) * 0.8 / Math.max(m, n);
            b.putDouble(t, i, row == i % n ? row + 1 + noise / 4 : noise);
          }
        });
  }

  /** Any bits: NaN payloads, denormals, all integers. */
  public static Values bits() {
    return new Values(
        "bits",
        (r, t, b, n) -> {
          for (int i = 0; i < b.size(); i++) {
            b.bytes().put(i, (byte) (t == DType.BOOL ? r.nextInt(2) : r.nextInt(256)));
          }
        });
  }

  /** Only a few different values, so that there are ties. */
  public static Values few() {
    Values v = range(-2, 2);
    return new Values(
        "ties",
        (r, t, b, n) -> {
          v.fill().fill(r, t, b, n);
          for (long i = 0; i < n && t.isFloating(); i++) {
            b.putDouble(t, i, Math.rint(b.getDouble(t, i)));
          }
        });
  }

  /** The special values of the type, each {@code repeat} times in a row, over and over. */
  public static Values edges(int repeat) {
    return new Values(
        "edges",
        (r, t, b, n) -> {
          for (long i = 0; i < n; i++) {
            edge(t, b, i, (int) (i / repeat % edgeCount(t)));
          }
        });
  }

  /** How many special values a type has. */
  public static int edgeCount(DType t) {
    return t == DType.BOOL ? 2 : t.isFloating() ? REALS.length + 9 : INTEGERS.length + 2;
  }

  private static void edge(DType t, Buffer b, long i, int k) {
    if (t == DType.BOOL) {
      b.putLong(t, i, k);
    } else if (!t.isFloating()) {
      long most = Long.MAX_VALUE >>> (64 - 8 * t.bytes());
      b.putLong(t, i, k < 2 ? (k == 0 ? most : ~most) : INTEGERS[k - 2]);
    } else {
      double[] ends =
          switch (t) {
            case F64 -> new double[] {Double.MIN_VALUE, Double.MIN_NORMAL, Double.MAX_VALUE};
            case F32 -> new double[] {Float.MIN_VALUE, Float.MIN_NORMAL, Float.MAX_VALUE};
            case F16 -> new double[] {0x1p-24, 0x1p-14, 65504};
            default -> new double[] {0x1p-133, Float.MIN_NORMAL, 0x1.fep127};
          };
      switch (k) {
        case 0 -> b.putDouble(t, i, Double.NaN);
        case 1 -> b.putDouble(t, i, Double.POSITIVE_INFINITY);
        case 2 -> b.putDouble(t, i, Double.NEGATIVE_INFINITY);
        case 3, 4, 5 -> b.putDouble(t, i, ends[k - 3]);
        case 6, 7, 8 -> b.putDouble(t, i, -ends[k - 6]);
        default -> b.putDouble(t, i, REALS[k - 9]);
      }
    }
  }

  /** A concrete tensor of these values. */
  public Tensor make(TensorType type, long seed) {
    Buffer b = Buffer.collected(type.byteSize());
    fill.fill(new Random(seed), type.dtype(), b, type.shape().size());
    return Tensor.of(type, b);
  }
}
