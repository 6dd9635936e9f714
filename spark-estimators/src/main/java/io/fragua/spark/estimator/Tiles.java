package io.fragua.spark.estimator;

import io.fragua.arrow.InputColumn;
import io.fragua.arrow.TileSpec;
import io.fragua.spark.persist.DataDescription;
import io.fragua.tensor.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;

/** How columns are read into tiles. */
final class Tiles {
  private Tiles() {}

  /** The tiles of the network's inputs: x and ids, those that exist. */
  static List<TileSpec> inputs(DataDescription d, String handleInvalid) {
    List<TileSpec> tiles = new ArrayList<>();
    if (d.width() > 0) {
      tiles.add(numbers("x", d.numbers(), handleInvalid.equals("keep")));
    }
    if (!d.categories().isEmpty()) {
      tiles.add(new TileSpec("ids", DType.I32, d.categories(), false));
    }
    return tiles;
  }

  /** A tile of numbers; where invalid ones are kept they are NaN, which the network replaces. */
  static TileSpec numbers(String name, List<InputColumn> columns, boolean keep) {
    return new TileSpec(
        name, DType.F32, columns, keep, Collections.nCopies(columns.size(), Double.NaN));
  }

  /** The rows that can be read without an error, those of vectors included. */
  static Column validRows(StructType schema, List<TileSpec> tiles) {
    Column valid = TileSpec.validRows(schema, tiles);
    for (TileSpec t : tiles) {
      for (InputColumn c : t.columns()) {
        if (c.kind() == InputColumn.Kind.VECTOR) {
          Column values =
              org.apache.spark.ml.functions.vector_to_array(column(c.name()), "float64");
          valid =
              valid
                  .and(functions.size(values).equalTo(c.width()))
                  .and(
                      functions.forall(
                          values, v -> functions.abs(v).leq((double) Float.MAX_VALUE)));
        }
      }
    }
    return valid;
  }

  /** The column of exactly this name, even one with dots. */
  static Column column(String name) {
    return functions.col("`" + name.replace("`", "``") + "`");
  }

  /** A tile of a single column, each of whose rows must hold a finite number. */
  static TileSpec single(String name, String column) {
    return new TileSpec(name, DType.F32, List.of(InputColumn.scalar(column)), false);
  }

  /** A column of numbers, by its type. */
  static InputColumn number(String name, DataType type, int width) {
    if (SchemaChecks.isVector(type)) {
      return InputColumn.vector(name, width);
    }
    return type instanceof ArrayType ? InputColumn.array(name, width) : InputColumn.scalar(name);
  }

  static boolean isText(DataType type) {
    return type instanceof StringType;
  }
}
