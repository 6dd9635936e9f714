package io.fragua.spark.train;

/**
 * An order of the rows 0 to n - 1 that depends on nothing but seed, epoch, rank, n and the size of
 * a row, every order as likely as every other. Each row draws a bucket, and each bucket is shuffled
 * by itself, so that any run of buckets can be put in order without the rest: what a worker whose
 * rows are on disk needs, and what touches little memory at a time when they are not. Immutable.
 *
 * @source Rao (1961) and Sandelius (1962); random numbers: SplitMix64 (Steele et al., 2014)
 */
final class Shuffle {
  /** Rows of a bucket on average: few enough to be shuffled within the first cache. */
  private static final int BUCKET_ROWS = 2048;

  /** Bytes of a bucket on average, at most, for the sake of those who hold whole buckets. */
  private static final int BUCKET_BYTES = 1 << 18;

  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private final int rows;
  private final int buckets;
  private final long key;

  Shuffle(long seed, int epoch, int rank, int rows, int rowBytes) {
    this.rows = rows;
    buckets = Math.max(1, rows / Math.max(1, Math.min(BUCKET_ROWS, BUCKET_BYTES / rowBytes)));
    key = mix(mix(mix(seed + GOLDEN) ^ epoch) ^ rank);
  }

  int rows() {
    return rows;
  }

  int buckets() {
    return buckets;
  }

  /** The bucket that a row draws. */
  int bucket(int row) {
    return (int) (((mix(key + row * GOLDEN) >>> 32) * buckets) >>> 32);
  }

  /** Where in the order each bucket begins. */
  int[] starts() {
    int[] at = new int[buckets];
    for (int i = 0; i < rows; i++) {
      at[bucket(i)]++;
    }
    int sum = 0;
    for (int b = 0; b < buckets; b++) {
      int n = at[b];
      at[b] = sum;
      sum += n;
    }
    return at;
  }

  /** Shuffles a bucket whose rows lie, in their own order, in {@code order[from]} to before to. */
  void permute(int bucket, int[] order, int from, int to) {
    long state = mix(key ^ ~(long) bucket);
    for (int i = to - 1; i > from; i--) {
      state += GOLDEN;
      int j = from + (int) (((mix(state) >>> 32) * (i - from + 1)) >>> 32);
      int t = order[i];
      order[i] = order[j];
      order[j] = t;
    }
  }

  /** Spreads nearby numbers over all 64 bits (the finaliser of SplitMix64). */
  static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
