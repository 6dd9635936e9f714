package io.fragua.arrow;

import io.fragua.tensor.Check;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.util.Arrays;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * The known values of a categorical column, strings or integers. The value at position {@code p}
 * has the id {@code offset + 1 + p}; unseen values and nulls have the id {@code offset}. Offsets
 * let several columns share one embedding table. Immutable and thread-safe.
 */
public final class Vocabulary implements Serializable {
  private static final long serialVersionUID = 1L;

  private final String[] strings;
  private final long[] longs;
  private final int offset;
  private transient Utf8Table byBytes;
  private transient LongTable byLong;

  private Vocabulary(String[] strings, long[] longs, int offset) {
    this.strings = strings;
    this.longs = longs;
    this.offset = offset;
    int n = strings == null ? longs.length : strings.length;
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
    return new Vocabulary(values.clone(), null, offset);
  }

  /**
   * A vocabulary of integers.
   *
   * @throws IllegalArgumentException if a value repeats
   */
  public static Vocabulary of(long[] values, int offset) {
    return new Vocabulary(null, values.clone(), offset);
  }

  private void index() {
    if (strings != null) {
      byBytes = new Utf8Table(strings.length);
      for (String s : strings) {
        Check.that(s != null, "vocabulary: values must not be null; null has the id of the unseen");
        int before = byBytes.size();
        byBytes.add(UTF8String.fromString(s));
        Check.that(
            byBytes.size() > before, "vocabulary: values are unique: \"%s\" twice; drop one", s);
      }
    } else {
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

  /** True for strings, false for integers. */
  public boolean isText() {
    return strings != null;
  }

  /** The strings in order of their ids, a copy; null for a vocabulary of integers. */
  public String[] strings() {
    return strings == null ? null : strings.clone();
  }

  /** The integers in order of their ids, a copy; null for a vocabulary of strings. */
  public long[] longs() {
    return longs == null ? null : longs.clone();
  }

  /** The id of unseen values and nulls. */
  public int offset() {
    return offset;
  }

  /** Number of ids: the values and the unseen. */
  public int size() {
    return (strings == null ? longs.length : strings.length) + 1;
  }

  /** The largest id. */
  public int maxId() {
    return offset + size() - 1;
  }

  /** The same values with another offset. */
  public Vocabulary withOffset(int other) {
    return new Vocabulary(strings, longs, other);
  }

  /** The id of a string. Does not copy its bytes. */
  public int id(UTF8String value) {
    return offset + 1 + byBytes.find(value);
  }

  /** The id of a string. */
  public int id(String value) {
    return value == null ? offset : id(UTF8String.fromString(value));
  }

  /** The id of an integer. */
  public int id(long value) {
    return offset + 1 + byLong.find(value);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Vocabulary v
        && offset == v.offset
        && Arrays.equals(strings, v.strings)
        && Arrays.equals(longs, v.longs);
  }

  @Override
  public int hashCode() {
    return 31 * (Arrays.hashCode(strings) + Arrays.hashCode(longs)) + offset;
  }

  @Override
  public String toString() {
    return (size() - 1) + (strings == null ? " integers" : " strings") + " from " + offset;
  }
}
