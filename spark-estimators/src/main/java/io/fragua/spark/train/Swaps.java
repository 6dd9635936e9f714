package io.fragua.spark.train;

/**
 * Which rows workers swap before an epoch. Follows from seed, epoch and the workers' numbers of
 * rows alone, so that all know it without a word. Immutable.
 */
final class Swaps {
  /*
   * Two workers give each other as many rows as they get, n m / N of n and m rows among N in all, so
   * that what arrives takes the place of what left and every worker keeps its number of rows. Whole
   * numbers are drawn so that this is the mean. Which rows leave is drawn, every choice as likely as
   * every other; in which order they are learnt from is the Shuffle's matter, which follows.
   */
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private final long key;
  private final int[][] counts;

  /**
   * The swaps before an epoch.
   *
   * @param rows training rows of each worker
   */
  Swaps(long seed, int epoch, long[] rows) {
    key = Shuffle.mix(Shuffle.mix(seed - GOLDEN) ^ epoch);
    int n = rows.length;
    counts = new int[n][n];
    double total = Math.max(1, TrainLoop.Sizes.sum(rows));
    for (int i = 0; i < n; i++) {
      counts[i][i] = Math.toIntExact(rows[i]);
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        double draw = (Shuffle.mix(key + ((long) i << 32 | j)) >>> 11) * 0x1p-53;
        int swapped = (int) (rows[i] * (rows[j] / total) + draw);
        swapped = Math.min(swapped, Math.min(counts[i][i], counts[j][j]));
        counts[i][i] -= swapped;
        counts[j][j] -= swapped;
        counts[i][j] = swapped;
        counts[j][i] = swapped;
      }
    }
  }

  /** Workers, and rounds: in each round every worker has one partner, itself in one of them. */
  int workers() {
    return counts.length;
  }

  /** The partner of a worker in a round; its partner is that worker. */
  int partner(int rank, int round) {
    return Math.floorMod(round - rank, counts.length);
  }

  /** Rows that two workers swap; with itself, those that a worker keeps. */
  int count(int rank, int other) {
    return counts[rank][other];
  }

  /** Most rows that any two swap in a round. */
  int most(int round) {
    int most = 0;
    for (int r = 0; r < counts.length; r++) {
      int p = partner(r, round);
      most = Math.max(most, p == r ? 0 : counts[r][p]);
    }
    return most;
  }

  /** Where a worker's rows go, one after the other. */
  Draw draw(int rank) {
    return new Draw(counts[rank].clone(), Shuffle.mix(key ^ ~(long) rank));
  }

  /** Draws for each row the worker that has it next, until each has as many as it gets. */
  static final class Draw {
    private final int[] left;
    private long all;
    private long state;

    private Draw(int[] left, long state) {
      this.left = left;
      this.state = state;
      for (int n : left) {
        all += n;
      }
    }

    /** The next row's. */
    int next() {
      state += GOLDEN;
      long k = (Shuffle.mix(state) >>> 32) * all-- >>> 32;
      int to = 0;
      while (k >= left[to]) {
        k -= left[to++];
      }
      left[to]--;
      return to;
    }
  }
}
