package io.fragua.arrow;

import io.fragua.tensor.Check;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * The known values of a categorical column: strings, binaries or integers. The value at position
 * {@code p} has the id {@code offset + 1 + p}; unseen values and nulls have the id {@code offset}.
 * Offsets let several columns share one embedding table. Immutable and thread-safe.
 */
public final class Vocabulary implements Serializable {
  private static final long serialVersionUID = 1L;

  /** What the values are. */
  public enum Type {
    /** Strings. */
    TEXT("a string"),
    /** Binaries. */
    BINARY("binary"),
    /** Integers, booleans or dates. */
    WHOLE("an integer, boolean or date"),
    /** The integers from 0 up, as indices of a vector. */
    INDEX("an index");

    private final String expected;

    Type(String expected) {
      this.expected = expected;
    }

    String expected() {
      return expected;
    }

    /** The type of a column's names; null for a column that names nothing. */
    public static Type of(DataType t) {
      if (ColumnTypes.isText(t)) {
        return TEXT;
      }
      return t instanceof BinaryType ? BINARY : ColumnTypes.isWholeName(t) ? WHOLE : null;
    }
  }

  private final Type type;
  private final byte[][] names; // UTF-8 of strings; null for integers
  private final long[] longs; // null for other types
  private final int indices; // how many; 0 for other types
  private final int offset;
  private transient Utf8Table byBytes;
  private transient LongTable byLong;

  private Vocabulary(Type type, byte[][] names, long[] longs, int indices, int offset) {
    this.type = type;
    this.names = names;
    this.longs = longs;
    this.indices = indices;
    this.offset = offset;
    int n = size() - 1;
    Check.that(
        offset >= 0 && (long) offset + n < Integer.MAX_VALUE,
        "vocabulary: ids must fit an i32: offset %d with %d values; use fewer values",
        offset,
        n);
    index();
  }

  /**
   * A vocabulary of strings.
   *
   * @throws IllegalArgumentException if a value repeats or is null
   */
  public static Vocabulary of(String[] values, int offset) {
    byte[][] names = new byte[values.length][];
    for (int i = 0; i < names.length; i++) {
      Check.that(
          values[i] != null, "vocabulary: values must not be null; null has the id of the unseen");
      names[i] = values[i].getBytes(StandardCharsets.UTF_8);
    }
    return new Vocabulary(Type.TEXT, names, null, 0, offset);
  }

  /**
   * A vocabulary of binaries.
   *
   * @throws IllegalArgumentException if a value repeats or is null
   */
  public static Vocabulary of(byte[][] values, int offset) {
    byte[][] names = new byte[values.length][];
    for (int i = 0; i < names.length; i++) {
      Check.that(
          values[i] != null, "vocabulary: values must not be null; null has the id of the unseen");
      names[i] = values[i].clone();
    }
    return new Vocabulary(Type.BINARY, names, null, 0, offset);
  }

  /**
   * A vocabulary of integers.
   *
   * @throws IllegalArgumentException if a value repeats
   */
  public static Vocabulary of(long[] values, int offset) {
    return new Vocabulary(Type.WHOLE, null, values.clone(), 0, offset);
  }

  /**
   * The integers from 0 to n - 1, which take no memory.
   *
   * @throws IllegalArgumentException if n is negative
   */
  public static Vocabulary indices(int n, int offset) {
    Check.that(n >= 0, "vocabulary: there are 0 indices or more: %d; correct it", n);
    return new Vocabulary(Type.INDEX, null, null, n, offset);
  }

  private void index() {
    if (names != null) {
      byBytes = new Utf8Table(names.length);
      for (byte[] name : names) {
        int before = byBytes.size();
        byBytes.add(UTF8String.fromBytes(name));
        Check.that(
            byBytes.size() > before,
            "vocabulary: values are unique: %s twice; drop one",
            type == Type.TEXT
                ? "\"" + new String(name, StandardCharsets.UTF_8) + "\""
                : "0x" + HexFormat.of().formatHex(name));
      }
    } else if (longs != null) {
      byLong = new LongTable(longs.length);
      for (long v : longs) {
        int before = byLong.size();
        byLong.add(v);
        Check.that(byLong.size() > before, "vocabulary: values are unique: %d twice; drop one", v);
      }
    }
  }

  private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
    in.defaultReadObject();
    index();
  }

  /** What the values are. */
  public Type type() {
    return type;
  }

  /** The strings in order of their ids, a copy; null for other types. */
  public String[] strings() {
    if (type != Type.TEXT) {
      return null;
    }
    String[] all = new String[names.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = new String(names[i], StandardCharsets.UTF_8);
    }
    return all;
  }

  /** The binaries in order of their ids, a copy; null for other types. */
  public byte[][] binaries() {
    return type != Type.BINARY
        ? null
        : Arrays.stream(names).map(byte[]::clone).toArray(byte[][]::new);
  }

  /** The integers in order of their ids, a copy; null for other types. */
  public long[] longs() {
    return longs == null ? null : longs.clone();
  }

  /** The id of unseen values and nulls. */
  public int offset() {
    return offset;
  }

  /** Number of ids: the values and the unseen. */
  public int size() {
    return 1 + (names != null ? names.length : longs != null ? longs.length : indices);
  }

  /** The largest id. */
  public int maxId() {
    return offset + size() - 1;
  }

  /** The same values with another offset. */
  public Vocabulary withOffset(int other) {
    return new Vocabulary(type, names, longs, indices, other);
  }

  /**
   * The id of a string, or of a binary given as one. Does not copy its bytes, unless it is a string
   * that is not UTF-8: that is the same as what Spark shows of it.
   */
  public int id(UTF8String value) {
    int at = byBytes.find(value);
    if (at < 0 && type == Type.TEXT && !value.isValid()) {
      at = byBytes.find(shown(value));
    }
    return offset + 1 + at;
  }

  /** What Spark shows of a string: itself, or with a sign in place of what is not UTF-8 in it. */
  static UTF8String shown(UTF8String value) {
    return value.isValid() ? value : UTF8String.fromString(value.toString());
  }

  /** The id of a string. */
  public int id(String value) {
    return value == null ? offset : id(UTF8String.fromString(value));
  }

  /** The id of an integer. */
  public int id(long value) {
    if (type == Type.INDEX) {
      return value >= 0 && value < indices ? offset + 1 + (int) value : offset;
    }
    return offset + 1 + byLong.find(value);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Vocabulary v
        && offset == v.offset
        && type == v.type
        && indices == v.indices
        && Arrays.deepEquals(names, v.names)
        && Arrays.equals(longs, v.longs);
  }

  @Override
  public int hashCode() {
    return 31 * (Arrays.deepHashCode(names) + Arrays.hashCode(longs)) + offset + indices;
  }

  @Override
  public String toString() {
    String what =
        switch (type) {
          case TEXT -> " strings";
          case BINARY -> " binaries";
          case WHOLE -> " integers";
          case INDEX -> " indices";
        };
    return (size() - 1) + what + " from " + offset;
  }
}
