package io.fragua.spark.estimator;

import io.fragua.arrow.InputColumn;
import io.fragua.arrow.TileSpec;
import io.fragua.spark.persist.DataDescription;
import io.fragua.tensor.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** How columns are read into tiles. */
final class Tiles {
  private Tiles() {}

  /** The tiles of the network's inputs: x, ids, sparse_ids and sparse_values, those that exist. */
  static List<TileSpec> inputs(DataDescription d, String handleInvalid) {
    boolean keep = handleInvalid.equals("keep");
    List<TileSpec> tiles = new ArrayList<>();
    if (d.width() > 0) {
      tiles.add(numbers("x", d.numbers(), keep));
    }
    if (!d.categories().isEmpty()) {
      tiles.add(new TileSpec("ids", DType.I32, d.categories(), keep));
    }
    if (!d.sparse().isEmpty()) {
      tiles.add(new TileSpec("sparse_ids", DType.I32, d.sparse(), keep));
      tiles.add(
          new TileSpec(
              "sparse_values",
              DType.F32,
              d.sparse().stream().map(c -> InputColumn.sparseValues(c.name(), c.width())).toList(),
              keep));
    }
    return tiles;
  }

  /** A tile of numbers; where invalid ones are kept they are NaN, which the network replaces. */
  static TileSpec numbers(String name, List<InputColumn> columns, boolean keep) {
    return new TileSpec(
        name, DType.F32, columns, keep, Collections.nCopies(columns.size(), Double.NaN));
  }

  /**
   * A tile of a single column, each of whose rows must hold a finite number.
   *
   * @param origin what is subtracted before it is rounded to f32
   */
  static TileSpec single(String name, String column, double origin) {
    InputColumn c = InputColumn.scalar(column).withOrigin(origin);
    return new TileSpec(name, DType.F32, List.of(c), false);
  }
}
