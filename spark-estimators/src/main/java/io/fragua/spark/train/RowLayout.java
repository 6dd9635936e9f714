package io.fragua.spark.train;

import io.fragua.arrow.TileSpec;
import java.io.Serializable;
import java.util.List;

/**
 * How a row lies in memory between the columns and the batch: the cells of all tiles side by side,
 * four bytes each. A shuffled batch then reads each row from one place instead of one per tile.
 *
 * @param names of the tiles, in order
 * @param widths of the tiles in cells
 */
record RowLayout(List<String> names, List<Integer> widths) implements Serializable {
  RowLayout {
    names = List.copyOf(names);
    widths = List.copyOf(widths);
  }

  static RowLayout of(List<TileSpec> tiles) {
    return new RowLayout(
        tiles.stream().map(TileSpec::name).toList(), tiles.stream().map(TileSpec::width).toList());
  }

  /** Number of tiles. */
  int tiles() {
    return names.size();
  }

  /** Bytes of one row of tile {@code t}. */
  int bytes(int t) {
    return Math.multiplyExact(4, widths.get(t));
  }

  /** Bytes of a row. */
  int rowBytes() {
    int sum = 0;
    for (int w : widths) {
      sum = Math.addExact(sum, Math.multiplyExact(4, w));
    }
    return sum;
  }
}
