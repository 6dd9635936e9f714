package io.fragua.tensor;

/**
 * Conversions of the two 16-bit floating types; the JDK has {@code Float.float16ToFloat} only from
 * 20 on. Rounding is to nearest, ties to even.
 */
public final class Float16 {
  private Float16() {}

  /**
   * The f32 to round on from: rounding an f64 to nearest twice can be off by one unit, as a value
   * just above a tie becomes the tie. An inexact result is made odd instead, so that it is never a
   * tie.
   */
  public static float sticky(double v) {
    float f = (float) v;
    int i = Float.floatToRawIntBits(f);
    if (f == v || v != v || (i & 1) != 0 || Float.isInfinite(f)) {
      return f;
    }
    return Float.intBitsToFloat(Math.abs((double) f) > Math.abs(v) ? i - 1 : i + 1);
  }

  /** The nearest number that bf16 holds. */
  public static float roundBf16(float f) {
    return fromBf16(toBf16(f));
  }

  /** The nearest number that f16 holds. */
  public static float roundF16(float f) {
    return fromF16(toF16(f));
  }

  /** The value of these bits. */
  public static float fromBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** The nearest bits, ties to even. */
  public static short toBf16(float f) {
    int i = Float.floatToRawIntBits(f);
    if (f != f) {
      return (short) 0x7fc0;
    }
    return (short) ((i + 0x7fff + ((i >>> 16) & 1)) >>> 16);
  }

  /** The value of these bits. */
  public static float fromF16(short h) {
    int sign = (h & 0x8000) << 16;
    int exp = (h >>> 10) & 0x1f;
    int man = h & 0x3ff;
    if (exp == 0) { // zero or subnormal: man * 2^-24
      return Math.copySign(man * 0x1p-24f, Float.intBitsToFloat(sign | 0x3f800000));
    }
    int e = exp == 31 ? 255 : exp + 112;
    return Float.intBitsToFloat(sign | e << 23 | man << 13);
  }

  /** The nearest bits, ties to even; infinity beyond the range. */
  public static short toF16(float f) {
    int i = Float.floatToRawIntBits(f);
    int sign = (i >>> 16) & 0x8000;
    float a = Math.abs(f);
    if (f != f) {
      return (short) (sign | 0x7e00);
    }
    if (a >= 65520f) { // rounds to infinity
      return (short) (sign | 0x7c00);
    }
    if (a < 0x1p-14f) { // subnormal: the sum below rounds to a multiple of 2^-24
      return (short) (sign | (Float.floatToRawIntBits(a + 0.5f) - 0x3f000000));
    }
    int r = (i & 0x7fffffff) + 0xfff + ((i >>> 13) & 1);
    return (short) (sign | ((r - (112 << 23)) >>> 13));
  }
}
