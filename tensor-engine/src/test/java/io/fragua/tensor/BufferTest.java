package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BufferTest {
  @Test
  void memoryIsZeroedAlignedAndOfTheExactSize() {
    for (int size : new int[] {0, 1, 7, 63, 64, 65, 1000, 4096}) {
      for (int repeat = 0; repeat < 5; repeat++) {
        Buffer b = Buffer.collected(size);
        assertEquals(size, b.size());
        assertEquals(0, b.bytes().alignmentOffset(0, Buffer.ALIGNMENT), "size " + size);
        assertEquals(ByteOrder.nativeOrder(), b.bytes().order());
        for (int i = 0; i < size; i++) {
          assertEquals(0, b.bytes().get(i));
        }
      }
    }
  }

  @Test
  void smallBuffersShareNoByte() {
    List<Buffer> all = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      Buffer b = Buffer.collected(i % 1100);
      for (int k = 0; k < b.size(); k++) {
        assertEquals(0, b.bytes().get(k), "buffer " + i);
        b.bytes().put(k, (byte) (1 + i % 127));
      }
      all.add(b);
    }
    for (int i = 0; i < all.size(); i++) {
      for (int k = 0; k < all.get(i).size(); k++) {
        assertEquals(1 + i % 127, all.get(i).bytes().get(k), "buffer " + i);
      }
    }
  }

  @Test
  void valuesOfEachJavaTypeAreWrittenAndReadBack() {
    long[] longs = {Long.MIN_VALUE, -1, 0, (1L << 53) + 1, Long.MAX_VALUE};
    assertArrayEquals(longs, Tensor.of(longs, 5).toLongs());
    byte[] bytes = {-128, -1, 0, 127};
    assertEquals("i8[2, 2] {-128, -1, 0, 127}", Tensor.of(bytes, 2, 2).toString());
    assertArrayEquals(bytes, Tensor.of(bytes, 2, 2).toBytes());
    boolean[] truths = {true, false, true};
    assertEquals("bool[3] {1, 0, 1}", Tensor.of(truths, 3).toString());
    assertArrayEquals(truths, Tensor.of(truths, 3).toBooleans());
    assertArrayEquals(
        new boolean[] {true, true, false},
        Tensor.of(new float[] {0.5f, Float.NaN, -0f}, 3).toBooleans());
    int[] ends = {Integer.MIN_VALUE, -1, Integer.MAX_VALUE};
    assertArrayEquals(ends, Tensor.of(new long[] {ends[0], -1, ends[2]}, 3).toInts());
    double[] cut = {ends[0] - 0.5, -1.75, ends[2] + 0.5};
    assertArrayEquals(ends, Tensor.of(cut, 3).toInts());
    for (double bad : new double[] {Double.NaN, 2147483648.0, -2147483649.0, 1e300}) {
      Tensor t = Tensor.of(new double[] {bad}, 1);
      assertThrows(IllegalArgumentException.class, t::toInts, "of " + bad);
    }
    for (double bad : new double[] {Double.NaN, 0x1p64, -1e300}) {
      Tensor t = Tensor.of(new double[] {bad}, 1);
      assertThrows(IllegalArgumentException.class, t::toLongs, "of " + bad);
    }
  }

  @Test
  void textHasTheDigitsOfTheType() {
    assertEquals("f64[2] {1.0E300, 0.1}", Tensor.of(new double[] {1e300, 0.1}, 2).toString());
    assertEquals("f32[1] {0.1}", Tensor.of(new float[] {0.1f}, 1).toString());
  }

  @Test
  void sizesOutOfRangeAreRefused() {
    for (long size : new long[] {-1, Integer.MAX_VALUE, 1L << 40}) {
      String m =
          assertThrows(IllegalArgumentException.class, () -> Buffer.collected(size)).getMessage();
      assertEquals(
          "buffer: a single tensor holds at most 2147483583 bytes: " + size + "; split the tensor",
          m);
    }
  }

  @Test
  void heapMemoryIsRefused() {
    String m =
        assertThrows(IllegalArgumentException.class, () -> Buffer.wrap(ByteBuffer.allocate(8)))
            .getMessage();
    assertEquals(
        "buffer: memory must be off-heap: a heap ByteBuffer of 8 bytes; use allocateDirect", m);
  }

  @Test
  void wrapTakesPositionToLimitInNativeOrder() {
    ByteBuffer d = ByteBuffer.allocateDirect(16).position(4).limit(12);
    Buffer b = Buffer.wrap(d);
    assertEquals(8, b.size());
    b.putLong(DType.I32, 0, 0x01020304);
    assertEquals(0x01020304, d.order(ByteOrder.nativeOrder()).getInt(4));
  }

  @Test
  void slicesShareMemory() {
    Buffer b = Buffer.collected(16);
    b.slice(4, 4).putLong(DType.I32, 0, 7);
    assertEquals(7, b.getLong(DType.I32, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> b.slice(8, 9));
    assertThrows(IndexOutOfBoundsException.class, () -> b.getLong(DType.I32, 4));
  }

  @Test
  void integersWrapAndBoolNormalises() {
    Buffer b = Buffer.collected(8);
    long[][] wrapped = { // value, as i8, u8, i16, i32
      {255, -1, 255, 255, 255},
      {-1, -1, 255, -1, -1},
      {1L << 31, 0, 0, 0, Integer.MIN_VALUE},
      {0x12345678L, 0x78, 0x78, 0x5678, 0x12345678}
    };
    DType[] types = {DType.I8, DType.U8, DType.I16, DType.I32};
    for (long[] w : wrapped) {
      for (int k = 0; k < 4; k++) {
        b.putLong(types[k], 0, w[0]);
        assertEquals(w[k + 1], b.getLong(types[k], 0), w[0] + " as " + types[k]);
      }
      b.putLong(DType.I64, 0, w[0]);
      assertEquals(w[0], b.getLong(DType.I64, 0));
      b.putLong(DType.BOOL, 0, w[0]);
      assertEquals(1, b.getLong(DType.BOOL, 0));
    }
    b.bytes().put(0, (byte) 0x80);
    assertEquals(1, b.getLong(DType.BOOL, 0));
  }

  @Test
  void everyTypeStoresRealsAndIntegers() {
    for (DType t : DType.values()) {
      Buffer b = Buffer.collected(3L * t.bytes());
      b.putDouble(t, 1, 1);
      b.putLong(t, 2, 1);
      for (int i = 0; i < 3; i++) {
        assertEquals(i == 0 ? 0 : 1, b.getDouble(t, i), t.toString());
        assertEquals(i == 0 ? 0 : 1, b.getLong(t, i), t.toString());
      }
    }
  }

  @Test
  void copyNeedsEqualSizes() {
    Buffer b = Buffer.collected(8);
    Buffer c = Buffer.collected(8);
    c.putLong(DType.I64, 0, 42);
    b.copyFrom(c);
    assertEquals(42, b.getLong(DType.I64, 0));
    String m =
        assertThrows(IllegalArgumentException.class, () -> b.copyFrom(c.slice(0, 4))).getMessage();
    assertTrue(m.startsWith("buffer: a copy needs equal sizes: 8 bytes from 4 bytes;"), m);
  }
}
