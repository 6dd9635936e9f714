package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** The two 16-bit types, all 65536 values of each. */
class Float16Test {
  /** Value of a binary16 by its definition. */
  private static double f16(int bits) {
    int exp = bits >> 10 & 31;
    int man = bits & 1023;
    double v =
        exp == 31
            ? man == 0 ? Double.POSITIVE_INFINITY : Double.NaN
            : exp == 0 ? man * 0x1p-24 : (1024 + man) * Math.scalb(1.0, exp - 25);
    return bits >> 15 == 0 ? v : -v;
  }

  private static double bf16(int bits) {
    int exp = bits >> 7 & 255;
    int man = bits & 127;
    double v =
        exp == 255
            ? man == 0 ? Double.POSITIVE_INFINITY : Double.NaN
            : exp == 0 ? man * 0x1p-133 : (128 + man) * Math.scalb(1.0, exp - 134);
    return bits >> 15 == 0 ? v : -v;
  }

  @Test
  void everyF16IsReadAndWritten() {
    for (int i = 0; i < 65536; i++) {
      float f = Float16.fromF16((short) i);
      assertEquals(0, Double.compare(f16(i), f), "bits " + i);
      if (f == f) {
        assertEquals((short) i, Float16.toF16(f), "bits " + i);
      } else {
        assertTrue(Float.isNaN(Float16.fromF16(Float16.toF16(f))));
      }
    }
  }

  @Test
  void everyBf16IsReadAndWritten() {
    for (int i = 0; i < 65536; i++) {
      float f = Float16.fromBf16((short) i);
      assertEquals(0, Double.compare(bf16(i), f), "bits " + i);
      if (f == f) {
        assertEquals((short) i, Float16.toBf16(f), "bits " + i);
      } else {
        assertTrue(Float.isNaN(Float16.fromBf16(Float16.toBf16(f))));
      }
    }
  }

  /** Between two neighbours the nearer is taken, at the middle the even one. */
  @Test
  void roundsToNearestTiesToEven() {
    for (int i = 0; i < 0x7bff; i++) { // up to the largest finite f16
      double low = f16(i);
      double high = f16(i + 1);
      double middle = (low + high) / 2;
      int even = i % 2 == 0 ? i : i + 1;
      check16(even, middle, i);
      check16(i, Math.nextDown(middle), i);
      check16(i + 1, Math.nextUp(middle), i);
      check16(even | 0x8000, -middle, i);
    }
    check16(0x7bff, Math.nextDown(65520.0), 0);
    check16(0x7c00, 65520, 0);
    check16(0xfc00, -1e300, 0);
    check16(0, 0x1p-25, 0);
    check16(1, Math.nextUp(0x1p-25), 0);
    check16(0x8000, -Double.MIN_VALUE, 0);
  }

  private static void check16(int expected, double v, int at) {
    Buffer b = Buffer.collected(2);
    b.putDouble(DType.F16, 0, v);
    assertEquals((short) expected, b.bytes().getShort(0), v + " near bits " + at);
  }

  @Test
  void bf16RoundsToNearestTiesToEvenFromF64() {
    Buffer b = Buffer.collected(2);
    for (int i = 0; i < 0x7f7f; i++) {
      double middle = (bf16(i) + bf16(i + 1)) / 2;
      b.putDouble(DType.BF16, 0, middle);
      assertEquals((short) (i % 2 == 0 ? i : i + 1), b.bytes().getShort(0), "middle " + i);
      b.putDouble(DType.BF16, 0, Math.nextDown(middle));
      assertEquals((short) i, b.bytes().getShort(0), "below " + i);
      b.putDouble(DType.BF16, 0, Math.nextUp(middle));
      assertEquals((short) (i + 1), b.bytes().getShort(0), "above " + i);
    }
  }

  @Test
  void f32RoundsOnce() {
    Random r = new Random(1);
    Buffer b = Buffer.collected(2);
    for (int i = 0; i < 200_000; i++) {
      float f = Float.intBitsToFloat(r.nextInt());
      b.putDouble(DType.F16, 0, f);
      assertEquals(Float16.toF16(f), b.bytes().getShort(0), "f16 of " + f);
      b.putDouble(DType.BF16, 0, f);
      assertEquals(Float16.toBf16(f), b.bytes().getShort(0), "bf16 of " + f);
    }
  }
}
