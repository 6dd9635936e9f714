package io.fragua.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Uses of every row of the op table, as data: the contracts of backends and gradients run over
 * them. To add a row to the table, add its cases to the page of its family.
 */
public final class OpCases {
  private static final List<OpCase> ALL = new ArrayList<>();

  static {
    UnaryCases.addTo(ALL);
    BinaryCases.addTo(ALL);
    ReduceCases.addTo(ALL);
    CumulativeCases.addTo(ALL);
    MovementCases.addTo(ALL);
    ContractionCases.addTo(ALL);
    IndexCases.addTo(ALL);
    SortCases.addTo(ALL);
    WindowCases.addTo(ALL);
    ControlCases.addTo(ALL);
    LinalgCases.addTo(ALL);
    FftCases.addTo(ALL);
  }

  private OpCases() {}

  /** All cases, by page. */
  public static List<OpCase> all() {
    return List.copyOf(ALL);
  }

  /** The cases of one row. */
  public static List<OpCase> of(String op) {
    return ALL.stream().filter(c -> c.op().equals(op)).toList();
  }

  /** Sizes around the widths of vectors, from nothing to more than a cache. */
  static int[] sizes() {
    return new int[] {0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65537};
  }

  /** As {@link #sizes()}; fewer for the narrow types, which the reference computes slowly. */
  static int[] sizes(io.fragua.tensor.DType t) {
    boolean all = t.bytes() >= 4 || t == io.fragua.tensor.DType.BOOL;
    return all ? sizes() : new int[] {0, 1, 9, 17, 33, 1000};
  }

  /** All subsets of the axes of a rank, each ascending. */
  static Stream<int[]> subsets(int rank) {
    return Stream.iterate(0, i -> i + 1)
        .limit(1L << rank)
        .map(
            set ->
                Stream.iterate(0, i -> i + 1)
                    .limit(rank)
                    .filter(i -> (set >> i & 1) == 1)
                    .mapToInt(i -> i)
                    .toArray());
  }
}
