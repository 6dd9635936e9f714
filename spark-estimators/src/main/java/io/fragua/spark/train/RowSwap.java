package io.fragua.spark.train;

import io.fragua.tensor.Buffer;
import java.nio.ByteBuffer;

/**
 * Rows on their way between workers, which swap them before an epoch, a part of them at a time.
 * Used by one thread of each worker, all of which swap together.
 */
final class RowSwap {
  /** Bytes of a part each way: many for a network, few beside the rows. */
  private static final int PART = 1 << 19;

  /** Where a worker's rows leave and arrive. */
  interface Side {
    /** Writes the next rows for a partner, from the buffer's position on. */
    void give(int partner, int from, int rows, ByteBuffer to);

    /** Reads rows of a partner, which take the place of as many that were given to it. */
    void take(int partner, int from, int rows, ByteBuffer rowsOfPartner);
  }

  private final Collective ring;
  private final Runnable check;
  private final int rowBytes;
  private final int rows;
  private final Buffer stage;
  private final int half;

  /**
   * For the workers of a collective whose links join all pairs.
   *
   * @param check called for every part; throws to give up
   */
  RowSwap(Collective ring, int rowBytes, Runnable check) {
    this.ring = ring;
    this.check = check;
    this.rowBytes = rowBytes;
    rows = Math.max(1, PART / rowBytes);
    half = rows * rowBytes;
    // Threads of one process read each other's, also while one of them gives up.
    stage = Buffer.collected(Math.multiplyExact(2, half));
  }

  int rank() {
    return ring.rank();
  }

  /** Most rows of a part; all parts of a swap but the last have so many. */
  int rows() {
    return rows;
  }

  /** Throws if rows are no longer wanted. */
  void check() {
    check.run();
  }

  /** Swaps. */
  void run(Swaps swaps, Side side) {
    for (int round = 0; round < swaps.workers(); round++) {
      int partner = swaps.partner(rank(), round);
      int count = partner == rank() ? 0 : swaps.count(rank(), partner);
      int most = swaps.most(round); // others may have more, and all go on together
      for (int from = 0; from < most; from += rows) {
        check();
        int n = Math.max(0, Math.min(rows, count - from));
        if (n > 0) {
          side.give(partner, from, n, view(0, n));
        }
        ring.swap(partner, stage, n * (rowBytes / 4));
        if (n > 0) {
          side.take(partner, from, n, view(half, n));
        }
      }
    }
  }

  private ByteBuffer view(int at, int n) {
    ByteBuffer b = stage.bytes().duplicate().order(stage.bytes().order());
    return b.limit(at + n * rowBytes).position(at);
  }
}
