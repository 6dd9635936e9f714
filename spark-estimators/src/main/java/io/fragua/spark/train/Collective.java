package io.fragua.spark.train;

import io.fragua.tensor.Buffer;

/**
 * Sums vectors over all workers. One thread per worker calls it; every worker makes the same calls
 * in the same order.
 */
interface Collective extends AutoCloseable {
  /** This worker's number. */
  int rank();

  /** Number of workers. */
  int size();

  /**
   * Replaces the first {@code count} floats by their sums over all workers; all get the same bits.
   *
   * @throws CollectiveException naming the neighbour that is gone or silent
   */
  void allReduce(Buffer buffer, int count);

  /** Leaves: workers that still wait for this one hear of it. */
  @Override
  void close();
}
