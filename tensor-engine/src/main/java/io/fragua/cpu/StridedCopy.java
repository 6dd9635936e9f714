package io.fragua.cpu;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Copies elements from one index map to another. Neighbouring axes are merged first, so a copy of
 * contiguous rows is a bulk copy a row.
 */
final class StridedCopy {
  /** From this many bytes on, a bulk copy is cheaper than a loop. */
  private static final int BULK = 48;

  private final int width;
  private final int[] sizes;
  private final int[] from;
  private final int[] to;
  private final int fromOffset;
  private final int toOffset;
  private final int inner;
  private final int innerFrom;
  private final int innerTo;

  /**
   * Both views have the same number of elements; sizes are those of the views in row-major order.
   */
  StridedCopy(View source, View target) {
    width = source.base().type.dtype().bytes();
    Space s = Space.of(source.shape().size(), List.of(source.runs(), target.runs()));
    if (s == null) {
      throw new IllegalStateException(
          "copy: shapes must have a common refinement: "
              + source.shape()
              + " to "
              + target.shape()
              + "; report this graph");
    }
    int n = Math.max(0, s.rank() - 1);
    sizes = new int[n];
    from = new int[n];
    to = new int[n];
    for (int i = 0; i < n; i++) {
      sizes[i] = (int) s.sizes[i];
      from[i] = (int) s.strides[0][i] * width;
      to[i] = (int) s.strides[1][i] * width;
    }
    boolean scalar = s.rank() == 0;
    inner = scalar ? 1 : (int) s.sizes[n];
    innerFrom = scalar ? width : (int) s.strides[0][n] * width;
    innerTo = scalar ? width : (int) s.strides[1][n] * width;
    fromOffset = (int) source.offset() * width;
    toOffset = (int) target.offset() * width;
  }

  void run(ByteBuffer source, int sourceAt, ByteBuffer target, int targetAt) {
    axis(0, source, sourceAt + fromOffset, target, targetAt + toOffset);
  }

  private void axis(int a, ByteBuffer source, int s, ByteBuffer target, int t) {
    if (a == sizes.length) {
      line(source, s, target, t);
      return;
    }
    if (a == sizes.length - 1 && innerFrom != width && from[a] == width && innerTo == width) {
      transpose(source, s, target, t, sizes[a], to[a]);
      return;
    }
    for (int i = 0; i < sizes[a]; i++) {
      axis(a + 1, source, s + i * from[a], target, t + i * to[a]);
    }
  }

  private void line(ByteBuffer source, int s, ByteBuffer target, int t) {
    if (innerFrom == width && innerTo == width && inner * width >= BULK) {
      target.put(t, source, s, inner * width);
      return;
    }
    switch (width) {
      case 4 -> {
        for (int i = 0; i < inner; i++) {
          target.putInt(t + i * innerTo, source.getInt(s + i * innerFrom));
        }
      }
      case 8 -> {
        for (int i = 0; i < inner; i++) {
          target.putLong(t + i * innerTo, source.getLong(s + i * innerFrom));
        }
      }
      case 2 -> {
        for (int i = 0; i < inner; i++) {
          target.putShort(t + i * innerTo, source.getShort(s + i * innerFrom));
        }
      }
      default -> {
        for (int i = 0; i < inner; i++) {
          target.put(t + i * innerTo, source.get(s + i * innerFrom));
        }
      }
    }
  }

  /** Columns become rows in blocks that stay in the first-level cache. */
  private void transpose(ByteBuffer source, int s, ByteBuffer target, int t, int rows, int toRow) {
    int block = 16;
    for (int c = 0; c < inner; c += block) {
      int width2 = Math.min(inner, c + block);
      for (int r = 0; r < rows; r++) {
        int at = s + r * width;
        int out = t + r * toRow;
        if (width == 4) {
          for (int i = c; i < width2; i++) {
            target.putInt(out + i * 4, source.getInt(at + i * innerFrom));
          }
        } else {
          for (int i = c; i < width2; i++) {
            element(source, at + i * innerFrom, target, out + i * width);
          }
        }
      }
    }
  }

  private void element(ByteBuffer source, int s, ByteBuffer target, int t) {
    switch (width) {
      case 8 -> target.putLong(t, source.getLong(s));
      case 2 -> target.putShort(t, source.getShort(s));
      default -> target.put(t, source.get(s));
    }
  }
}
