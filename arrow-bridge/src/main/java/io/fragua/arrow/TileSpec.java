package io.fragua.arrow;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import java.io.Serializable;
import java.util.Collections;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * A row-major tile [rows, {@link #width()}] made of columns side by side: one operand of a graph.
 *
 * @param name of the graph's input that takes it
 * @param dtype of its elements, f32 or i32
 * @param columns its columns, in order; an array or vector fills several tile columns
 * @param keepInvalid what becomes of invalid values: null, NaN, infinity, a row of another shape, a
 *     category that is not known. False: an error that names column, row and value. True: the
 *     column's fill takes the place of a number (of all numbers of a null array; of a row of
 *     another shape what lies inside the shape stays, and the fill stands for what is missing), a
 *     category gets the id of the unseen
 * @param fill one number per input column, used where {@code keepInvalid}
 */
public record TileSpec(
    String name, DType dtype, List<InputColumn> columns, boolean keepInvalid, List<Double> fill)
    implements Serializable {
  /** Checks and copies. */
  public TileSpec {
    columns = List.copyOf(columns);
    fill = List.copyOf(fill);
    Check.that(
        dtype == DType.F32 || dtype == DType.I32,
        "tile %s: elements are f32 or i32: %s; cast in the graph",
        name,
        dtype);
    Check.that(!columns.isEmpty(), "tile %s: needs at least one column; leave the tile out", name);
    Check.that(
        fill.size() == columns.size(),
        "tile %s: one fill per column: %d fills, %d columns; correct the fills",
        name,
        fill.size(),
        columns.size());
  }

  /** A tile whose fills are all zero. */
  public TileSpec(String name, DType dtype, List<InputColumn> columns, boolean keepInvalid) {
    this(name, dtype, columns, keepInvalid, Collections.nCopies(columns.size(), 0.0));
  }

  /** Number of tile columns. */
  public int width() {
    return columns.stream().mapToInt(InputColumn::width).sum();
  }

  /**
   * How many rows to read at once, so that no column takes more memory than a million numbers, or
   * one row, which wide ones do.
   *
   * @param most rows of narrow columns
   */
  public static int rowsAtOnce(List<TileSpec> tiles, int most) {
    int widest =
        tiles.stream()
            .flatMap(t -> t.columns().stream())
            .mapToInt(InputColumn::width)
            .max()
            .orElse(1);
    return Math.max(1, Math.min(most, (1 << 20) / widest));
  }

  /**
   * Names of the columns that the tiles read, each once, in order of first use: the inputs to give
   * to {@link ColumnarMap}, whose ordinals a {@link TileReader} takes.
   */
  public static List<String> inputs(List<TileSpec> tiles) {
    return tiles.stream()
        .flatMap(t -> t.columns().stream())
        .map(InputColumn::name)
        .distinct()
        .toList();
  }

  /**
   * Checks on the driver that every column is there and has a type that its kind can be read from.
   *
   * @throws IllegalArgumentException naming the first column that does not fit
   */
  public static void check(StructType schema, List<TileSpec> tiles) {
    for (TileSpec t : tiles) {
      for (InputColumn c : t.columns()) {
        ColumnTypes.check(schema, t, c);
      }
    }
  }

  /**
   * The rows that the tiles can be read from without an error, whatever they say of invalid values:
   * what {@code handleInvalid=skip} keeps.
   *
   * @throws IllegalArgumentException if a column is missing or has a type it cannot be read from
   */
  public static Dataset<Row> withoutInvalid(Dataset<?> data, List<TileSpec> tiles) {
    StructType schema = data.schema();
    check(schema, tiles);
    String flag = ColumnPath.free(schema, "valid");
    return ColumnarMap.append(
            data,
            inputs(tiles),
            new StructType().add(flag, DataTypes.BooleanType, false),
            new ValidRows(tiles),
            "valid rows")
        .filter(functions.col(flag))
        .drop(flag);
  }
}
