package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ShapeTest {
  private static Shape s(int... dims) {
    return Shape.of(dims);
  }

  @Test
  void broadcastsAsNumPy() {
    int[][][] rules = {
      {{}, {}, {}},
      {{3}, {}, {3}},
      {{2, 3}, {3}, {2, 3}},
      {{2, 1}, {1, 3}, {2, 3}},
      {{5, 1, 4}, {3, 1}, {5, 3, 4}},
      {{1}, {0}, {0}},
      {{0, 3}, {1, 1}, {0, 3}}
    };
    for (int[][] r : rules) {
      assertEquals(s(r[2]), Shape.broadcast("t", s(r[0]), s(r[1])));
      assertEquals(s(r[2]), Shape.broadcast("t", s(r[1]), s(r[0])));
    }
    for (int[][] r : new int[][][] {{{2}, {3}}, {{2, 3}, {2}}, {{0}, {2}}}) {
      assertThrows(ShapeException.class, () -> Shape.broadcast("t", s(r[0]), s(r[1])));
      assertThrows(ShapeException.class, () -> Shape.broadcast("t", s(r[1]), s(r[0])));
    }
  }

  @Test
  void countsFromBothEnds() {
    assertEquals(4, s(2, 3, 4).dim(-1));
    assertEquals(2, s(2, 3, 4).dim(-3));
    assertEquals(1, s(2, 3, 4).axis(-2));
    for (int axis : new int[] {3, -4}) {
      assertThrows(ShapeException.class, () -> s(2, 3, 4).dim(axis));
    }
    assertThrows(ShapeException.class, () -> s().axis(0));
  }

  @Test
  void sizesAndStrides() {
    assertEquals(1, s().size());
    assertEquals(0, s(3, 0).size());
    assertEquals(24, s(2, 3, 4).size());
    assertArrayEquals(new long[] {12, 4, 1}, s(2, 3, 4).strides());
    assertEquals(1L << 40, s(1 << 20, 1 << 20).size());
  }

  @Test
  void edits() {
    assertEquals(s(2, 9), s(2, 3).with(-1, 9));
    assertEquals(s(3), s(2, 3, 4).without(0, 2));
    assertEquals(s(2, 3, 4), s(2).concat(s(3, 4)));
    assertEquals(s(3), s(2, 3, 4).slice(1, 2));
  }

  @Test
  void isAValue() {
    int[] dims = {2, 3};
    Shape a = Shape.of(dims);
    dims[0] = 7;
    a.dims()[1] = 7;
    assertEquals("[2, 3]", a.toString());
    assertEquals(s(2, 3), a);
    assertEquals(s(2, 3).hashCode(), a.hashCode());
  }
}
