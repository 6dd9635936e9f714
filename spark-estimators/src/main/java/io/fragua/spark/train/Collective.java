package io.fragua.spark.train;

import io.fragua.tensor.Buffer;

/**
 * Sums vectors over all workers. One thread per worker calls it at a time; every worker makes the
 * same calls in the same order.
 */
interface Collective extends AutoCloseable {
  /** Vectors of at most so many floats take the way with the fewest messages. */
  int SMALL = 1 << 14;

  /** This worker's number. */
  int rank();

  /** Number of workers. */
  int size();

  /**
   * Replaces {@code count} floats by their sums over all workers; all get the same bits, which do
   * not depend on where the workers run.
   *
   * @param from the first of them
   * @param bf16 whether parts of sums are rounded to bfloat16 on their way, for half the traffic;
   *     small vectors are not
   * @throws CollectiveException naming a worker that is gone, silent or stuck
   */
  void allReduce(Buffer buffer, int from, int count, boolean bf16);

  /**
   * Sums the shards of all workers, each of which has added its own to its part of the tree; the
   * result is in slot 0 of every worker's, the same bits for any number of workers.
   *
   * @throws CollectiveException naming a worker that is gone, silent or stuck
   */
  void allReduce(ShardTree tree);

  /**
   * Sends the first floats of a buffer to a partner, and puts as many of the partner's where the
   * second half of the buffer begins. A worker that has no partner calls it with a count of 0.
   * Needs links between all pairs of workers.
   *
   * @param partner whose partner this worker is
   * @throws CollectiveException naming a worker that is gone, silent or stuck
   */
  void swap(int partner, Buffer buffer, int count);

  /**
   * The gradients of a step are about to be computed: those that are complete may be added up from
   * now on until {@link #finish}, which is the next call.
   */
  default void begin(Buckets buckets) {}

  /**
   * Adds up all buckets, which are complete, as if each was given to {@link #allReduce(Buffer, int,
   * int, boolean)} in turn.
   *
   * @throws CollectiveException naming a worker that is gone, silent or stuck
   */
  default void finish(Buckets buckets) {
    for (int b = 0; b < buckets.count(); b++) {
      allReduce(buckets.sums(), buckets.from(b), buckets.floats(b), buckets.bf16());
    }
  }

  /**
   * The memory of the model that this worker goes on with: its own, or, where the workers are
   * threads of one process, that of rank 0, with this worker counted among its users. Called once,
   * by all.
   *
   * @param own this worker's, which its caller gives back if it gets another
   * @throws CollectiveException naming a worker that is gone or stuck
   */
  default ModelMemory share(ModelMemory own) {
    return own;
  }

  /**
   * Changes the memory that {@link #share} gave: every worker its own, or rank 0 that of all, while
   * the others wait.
   *
   * @param change the same on all workers
   * @throws CollectiveException naming a worker that is gone or stuck
   */
  default void change(Runnable change) {
    change.run();
  }

  /** Leaves: workers that still wait for this one hear of it. */
  @Override
  void close();
}
