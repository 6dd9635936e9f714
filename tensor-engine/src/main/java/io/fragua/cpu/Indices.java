package io.fragua.cpu;

import io.fragua.tensor.IndexError;
import io.fragua.tensor.Shape;
import java.nio.ByteBuffer;

/** Checks i32 indices of rows before they are followed. */
final class Indices {
  private Indices() {}

  /**
   * Checks all indices that lie from byte {@code start} on.
   *
   * @param row the gather or scatter that they are of
   * @throws IndexOutOfBoundsException if one is not in [0, rows)
   */
  static void check(Value row, ByteBuffer ids, int start, int rows) {
    check(row, ids, start, rows, 0, Math.toIntExact(row.args.get(1).shape().size()));
  }

  /** As {@link #check}, of the indices at positions {@code from} to {@code to}. */
  static void check(Value row, ByteBuffer ids, int start, int rows, int from, int to) {
    int bad = 0;
    for (int i = from; i < to; i++) {
      int r = ids.getInt(start + i * 4);
      bad |= r | (rows - 1 - r); // negative if either is
    }
    for (int i = from; bad < 0 && i < to; i++) {
      int r = ids.getInt(start + i * 4);
      if (r < 0 || r >= rows) {
        Shape shape = row.args.get(1).shape();
        throw IndexError.of(row.name(), row.attrs, r, rows, i, shape);
      }
    }
  }

  /** The start of a piece, moved so that it lies inside. */
  static int start(ByteBuffer scalar, int n, int size) {
    return Math.max(0, Math.min(n - size, scalar.getInt(0)));
  }
}
