package io.fragua.arrow;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.types.StructType;

/**
 * A row-major tile [rows, {@link #width()}] made of columns side by side: one operand of a graph.
 *
 * @param name of the graph's input that takes it
 * @param dtype of its elements, f32 or i32
 * @param columns its columns, in order; an array or vector fills several tile columns
 * @param keepInvalid false: a null, NaN or infinity is an error that names column, row and value;
 *     true: the column's fill takes its place (also for every element of a null array or vector).
 *     An array or vector of the wrong size is an error either way
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
   * The rows that the tiles can be read from without an error: what {@code handleInvalid=skip}
   * keeps. Invalid are null, NaN and infinite scalars; null arrays and vectors and those of another
   * size; arrays with a null, NaN or infinite element. Elements of vectors are not looked at. A
   * category is always valid.
   */
  public static Column validRows(StructType schema, List<TileSpec> tiles) {
    List<Column> all = new ArrayList<>();
    for (TileSpec t : tiles) {
      for (InputColumn c : t.columns()) {
        all.addAll(ColumnTypes.valid(schema, t, c));
      }
    }
    return all.stream()
        .reduce(Column::and)
        .orElseGet(() -> org.apache.spark.sql.functions.lit(true));
  }
}
