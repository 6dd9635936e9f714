package io.fragua.arrow;

import io.fragua.tensor.Check;
import java.io.Serializable;

/**
 * One column of a tile.
 *
 * @param name of the column in the data
 * @param kind how it is read
 * @param width tile columns it fills: the fixed size of an array or vector, 1 otherwise
 * @param vocabulary the known values of a {@link Kind#CATEGORY}; null for the other kinds
 */
public record InputColumn(String name, Kind kind, int width, Vocabulary vocabulary)
    implements Serializable {
  /** How a column becomes numbers. */
  public enum Kind {
    /** One number a row: any Spark numeric type, decimal or boolean. */
    SCALAR,
    /** {@code array<numeric>} of a fixed size. */
    ARRAY,
    /** A Spark ML vector of a fixed size, dense or sparse. */
    VECTOR,
    /** A string or integer looked up in a {@link Vocabulary}; never invalid. */
    CATEGORY
  }

  /** Checks the parts against each other. */
  public InputColumn {
    Check.that(name != null && kind != null, "input column: name and kind must be given: %s", name);
    Check.that(
        width >= 1,
        "input column %s: the width must be at least 1: %d; give the size of its arrays",
        name,
        width);
    Check.that(
        width == 1 || kind == Kind.ARRAY || kind == Kind.VECTOR,
        "input column %s: only an array or vector is wider than 1: %s of width %d; correct it",
        name,
        kind,
        width);
    Check.that(
        (vocabulary != null) == (kind == Kind.CATEGORY),
        "input column %s: a category, and nothing else, has a vocabulary: %s %s one; correct it",
        name,
        kind,
        vocabulary == null ? "without" : "with");
  }

  /** One number a row. */
  public static InputColumn scalar(String name) {
    return new InputColumn(name, Kind.SCALAR, 1, null);
  }

  /** An array of this size. */
  public static InputColumn array(String name, int width) {
    return new InputColumn(name, Kind.ARRAY, width, null);
  }

  /** A Spark ML vector of this size. */
  public static InputColumn vector(String name, int width) {
    return new InputColumn(name, Kind.VECTOR, width, null);
  }

  /** A category with these known values. */
  public static InputColumn category(String name, Vocabulary vocabulary) {
    return new InputColumn(name, Kind.CATEGORY, 1, vocabulary);
  }
}
