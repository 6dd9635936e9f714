package io.fragua.tensor;

import java.util.Arrays;
import java.util.Locale;

/** What {@link Indexing#scatter} does where an index names a row. */
public enum Scatter {
  /** The row becomes the update; the last one, where an index comes twice. */
  SET,
  /** The update is added. */
  ADD,
  /** The row is multiplied by the update. */
  MUL,
  /** The smaller of the two stays; NaN if either is. */
  MIN,
  /** The larger of the two stays; NaN if either is. */
  MAX;

  /**
   * The mode of this name, as in a saved graph.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Scatter parse(String name) {
    for (Scatter s : values()) {
      if (s.toString().equals(name)) {
        return s;
      }
    }
    throw new IllegalArgumentException(
        "scatter: mode must be one of " + Arrays.toString(values()) + ": \"" + name + "\"; fix it");
  }

  /** The lower-case name. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
