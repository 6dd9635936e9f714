package io.fragua.cpu;

import java.util.Map;

/**
 * How some steps are run tile by tile: tile {@code t} of a result lies at {@code t} times the size
 * of a tile, in the order of its elements.
 *
 * @param count number of tiles
 * @param local values that nobody else reads: memory holds only the present tile of them, at this
 *     offset in the workspace
 * @param scratch offset of memory that a step may use while it runs
 */
record Tiling(int count, Map<Value, Integer> local, int scratch) {
  /** Where a value's tile 0 lies, or its present tile if it is local. */
  Place place(CpuExecution x, Value v) {
    Integer at = local.get(v);
    return at != null ? new Place(0, at) : x.place(v);
  }

  /** Bytes of one of so many tiles. */
  static int bytes(Value v, int count) {
    return Math.toIntExact(v.type.byteSize() / count);
  }

  /**
   * True if tile by tile of its points, in row-major order, a view reads the same tile of its base.
   */
  static boolean aligned(View v, int count) {
    long n = v.base().size();
    if (n % count != 0) {
      return false;
    }
    long[][] r = v.runs();
    if (r.length == 0 || r[r.length - 1][0] % count != 0) {
      return false;
    }
    long size = r[r.length - 1][0] / count;
    long stride = r[r.length - 1][1];
    if (stride * size != n / count || v.offset() < 0) {
      return false;
    }
    long last = v.offset() + (size - 1) * stride;
    for (int i = 0; i < r.length - 1; i++) {
      if (r[i][1] < 0) {
        return false;
      }
      last += (r[i][0] - 1) * r[i][1];
    }
    return last < n / count;
  }
}
