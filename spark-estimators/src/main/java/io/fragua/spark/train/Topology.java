package io.fragua.spark.train;

import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Who is connected to whom: neighbours in a ring, partners of recursive doubling, and everyone to
 * rank 0, which hears who lives. If workers also swap rows, all are connected to all.
 *
 * @param size number of workers
 * @param all whether all exchange data with all
 */
record Topology(int size, boolean all) {
  /** Ranks that take part in doubling: the largest power of two. The others hand in and wait. */
  static int paired(int size) {
    return Integer.highestOneBit(size);
  }

  /** Ranks with which this one exchanges sums, or rows. */
  Set<Integer> partners(int rank) {
    Set<Integer> partners = new TreeSet<>();
    if (all) {
      IntStream.range(0, size).forEach(partners::add);
    }
    partners.add((rank + 1) % size);
    partners.add((rank + size - 1) % size);
    int p = paired(size);
    if (rank >= p) {
      partners.add(rank - p);
    } else {
      for (int d = 1; d < p; d *= 2) {
        partners.add(rank ^ d);
      }
      if (rank + p < size) {
        partners.add(rank + p);
      }
    }
    partners.remove(rank);
    return partners;
  }

  /** Ranks whose life this one hears of at first hand. */
  Set<Integer> watched(int rank) {
    Set<Integer> all = new TreeSet<>();
    for (int r = rank == 0 ? 1 : 0; r < (rank == 0 ? size : 1); r++) {
      all.add(r);
    }
    return all;
  }
}
