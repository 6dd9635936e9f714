package io.fragua.arrow;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.apache.spark.sql.types.DataType;

/**
 * One column of a tile.
 *
 * @param name of the column in the data; a dotted one for a field of a struct ({@link ColumnPath})
 * @param kind how it is read
 * @param shape sizes of a row's axes, row-major in the tile; empty for a single number
 * @param origin what is subtracted from a {@link Kind#SCALAR}, in f64 before it is rounded to f32;
 *     differences of large numbers, as seconds since 1970, keep their precision so. 0 for none
 * @param vocabulary the known values of a {@link Kind#CATEGORY} or {@link Kind#SPARSE_IDS}; null
 *     for the other kinds
 */
public record InputColumn(
    String name, Kind kind, List<Integer> shape, double origin, Vocabulary vocabulary)
    implements Serializable {

  /** How a column becomes numbers. A new kind is a row here and a subclass of TileColumn. */
  public enum Kind {
    /**
     * One number a row: any Spark numeric type, decimals included; boolean (0 and 1); date (days
     * since 1970-01-01); timestamp with or without zone (seconds since 1970-01-01, with fraction).
     */
    SCALAR(0, 0, ColumnTypes::isScalar, "a number, boolean, date or timestamp", ScalarColumn::new),
    /** An array of numbers or booleans, or of such arrays, to any depth, of a fixed shape. */
    ARRAY(1, 32, ColumnTypes::isArray, "an array of numbers or booleans", ArrayColumn::new),
    /** A Spark ML vector of a fixed size, dense or sparse, written out in full; of any shape. */
    VECTOR(1, 32, ColumnTypes::isVector, "a Spark ML vector", VectorColumn::new),
    /** A Spark ML matrix of a fixed shape [rows, columns], dense or sparse. */
    MATRIX(2, 2, ColumnTypes::isMatrix, "a Spark ML matrix", MatrixColumn::new),
    /** Spark's image struct, 8 bits a channel: [height, width, channels] of 0 to 255, as BGR. */
    IMAGE(
        3, 3, ColumnTypes::isImage, "an image as Spark's image source reads it", ImageColumn::new),
    /** Binary of a fixed shape, each byte a number from 0 to 255. */
    BYTES(1, 32, ColumnTypes::isBytes, "binary", BytesColumn::new),
    /** A string, integer, boolean, date or binary looked up in a {@link Vocabulary}. */
    CATEGORY(0, 0, ColumnTypes::isCategory, "as in fit", CategoryColumn::new),
    /**
     * Ids of the keys of a map, or of the indices of a Spark ML vector, in a {@link Vocabulary}, in
     * so many slots a row; in an i32 tile. Slots that a row does not fill have the id of the
     * unseen.
     */
    SPARSE_IDS(
        1,
        1,
        ColumnTypes::isPairs,
        "a map to numbers or Spark ML vector, as in fit",
        SparseColumn::new),
    /** The values to {@link #SPARSE_IDS}, in an f32 tile; 0 in slots that a row does not fill. */
    SPARSE_VALUES(
        1, 1, ColumnTypes::isPairs, "a map to numbers or Spark ML vector", SparseColumn::new);

    private final int leastAxes;
    private final int mostAxes;
    private final ColumnTypes.Fits fits;
    private final String expected;
    private final TileColumn.Maker maker;

    Kind(
        int leastAxes,
        int mostAxes,
        ColumnTypes.Fits fits,
        String expected,
        TileColumn.Maker maker) {
      this.leastAxes = leastAxes;
      this.mostAxes = mostAxes;
      this.fits = fits;
      this.expected = expected;
      this.maker = maker;
    }

    /** The kind by which a column of this type is read as numbers; null for one that is not. */
    public static Kind of(DataType type) {
      for (Kind k : values()) {
        if (!k.named()
            && k != SPARSE_VALUES
            && k.reads(type, Math.max(k.leastAxes, ColumnTypes.depth(type)))) {
          return k;
        }
      }
      return null;
    }

    /** Whether values are looked up in a vocabulary. */
    boolean named() {
      return this == CATEGORY || this == SPARSE_IDS;
    }

    /** Whether rows of a column of this type can have a shape of so many axes. */
    public boolean reads(DataType type, int axes) {
      return axes >= leastAxes
          && axes <= mostAxes
          && fits.test(type, DType.F32, InputColumn.of("", this, Collections.nCopies(axes, 1)));
    }

    /** Whether rows have a shape. */
    public boolean hasShape() {
      return mostAxes > 0;
    }

    ColumnTypes.Fits fits() {
      return fits;
    }

    String expected() {
      return expected;
    }

    TileColumn.Maker maker() {
      return maker;
    }
  }

  /** Checks the parts against each other. */
  public InputColumn {
    shape = List.copyOf(shape);
    Check.that(name != null && kind != null, "input column: name and kind must be given: %s", name);
    Check.that(
        shape.size() >= kind.leastAxes && shape.size() <= kind.mostAxes,
        "input column %s: %s has from %d to %d axes: shape %s; correct it",
        name,
        kind,
        kind.leastAxes,
        kind.mostAxes,
        shape);
    long width = 1;
    for (int n : shape) {
      width = n < 1 || width > Integer.MAX_VALUE ? 0 : width * n;
    }
    Check.that(
        width >= 1 && width <= Integer.MAX_VALUE,
        "input column %s: sizes must be at least 1 and their product an int: %s; give the shape of"
            + " its rows",
        name,
        shape);
    Check.that(
        Double.isFinite(origin) && (origin == 0 || kind == Kind.SCALAR),
        "input column %s: a scalar, and nothing else, has an origin: %s with %s; leave it out",
        name,
        kind,
        origin);
    Check.that(
        (vocabulary != null) == kind.named(),
        "input column %s: what is named, and nothing else, has a vocabulary: %s %s one; correct it",
        name,
        kind,
        vocabulary == null ? "without" : "with");
  }

  /** A column of any kind but a category. */
  public static InputColumn of(String name, Kind kind, List<Integer> shape) {
    return new InputColumn(name, kind, shape, 0, null);
  }

  /** One number a row. */
  public static InputColumn scalar(String name) {
    return of(name, Kind.SCALAR, List.of());
  }

  /** An array of this shape. */
  public static InputColumn array(String name, int... shape) {
    return of(name, Kind.ARRAY, Arrays.stream(shape).boxed().toList());
  }

  /** A Spark ML vector of this size. */
  public static InputColumn vector(String name, int size) {
    return of(name, Kind.VECTOR, List.of(size));
  }

  /** A category with these known values. */
  public static InputColumn category(String name, Vocabulary vocabulary) {
    return new InputColumn(name, Kind.CATEGORY, List.of(), 0, vocabulary);
  }

  /** Ids of the pairs of a row, in so many slots. */
  public static InputColumn sparseIds(String name, int slots, Vocabulary vocabulary) {
    return new InputColumn(name, Kind.SPARSE_IDS, List.of(slots), 0, vocabulary);
  }

  /** Values of the pairs of a row, in so many slots. */
  public static InputColumn sparseValues(String name, int slots) {
    return of(name, Kind.SPARSE_VALUES, List.of(slots));
  }

  /** Tile columns it fills: the product of the shape, 1 for a single number. */
  public int width() {
    int width = 1;
    for (int n : shape) {
      width *= n;
    }
    return width;
  }

  /**
   * The same, relative to a number near the column's values where those of this type may differ by
   * less than an f32 of their size can tell: whole numbers of 32 bits and more, f64, decimals,
   * dates and times.
   */
  public InputColumn near(double mean, DataType type) {
    return kind == Kind.SCALAR && ColumnTypes.isWide(type) ? withOrigin(mean) : this;
  }

  /** The same with another origin. */
  public InputColumn withOrigin(double other) {
    return new InputColumn(name, kind, shape, other, vocabulary);
  }

  /** The same of another column of the data. */
  public InputColumn withName(String other) {
    return new InputColumn(other, kind, shape, origin, vocabulary);
  }
}
