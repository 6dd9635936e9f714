package io.fragua.spark.train;

/**
 * The pieces of a ring all-reduce (Patarasuk and Yuan, 2009). The vector is cut into one segment
 * per rank. In pass k of 2 (n - 1) a rank passes segment rank - k on to the next rank: in the first
 * n - 1 passes a sum to which it has added its own part, so that segment i is summed in the order
 * i, i + 1, ..., always the same; in the others a finished one. A segment is finished on one rank
 * and copied to the others: all hold the same bits.
 *
 * <p>Segments go round slice after slice, each one pass behind the slice before it: a slice is
 * passed on while it is still in the cache, and while the next is on its way.
 */
final class Ring implements Blocks {
  /** Floats of a slice. */
  static final int SLICE = Exchange.SCRATCH / 4;

  private final int rank;
  private final int size;
  private final int passes;
  private int from;
  private int count;
  private int slices;

  Ring(int rank, int size) {
    this.rank = rank;
    this.size = size;
    passes = 2 * (size - 1);
  }

  /** The pieces of these floats. */
  Ring over(int from, int count) {
    this.from = from;
    this.count = count;
    int longest = (int) (((long) count + size - 1) / size);
    slices = (longest + SLICE - 1) / SLICE;
    return this;
  }

  @Override
  public int count() {
    return (slices + passes - 1) * passes;
  }

  private int pass(int i) {
    return i % passes;
  }

  /** The slice of piece i; there may be none. */
  private int slice(int i) {
    return i / passes - pass(i);
  }

  /** Where a slice begins; one that is not there has no floats. */
  private int at(int segment, int slice) {
    int s = Math.floorMod(segment, size);
    return Math.min(start(s) + Math.max(0, slice) * SLICE, start(s + 1));
  }

  /** First float of a segment. */
  private int start(int segment) {
    return from + (int) ((long) count * segment / size);
  }

  private int length(int segment, int slice) {
    return at(segment, slice + 1) - at(segment, slice);
  }

  @Override
  public int sendAt(int i) {
    return at(rank - pass(i), slice(i));
  }

  @Override
  public int sendCount(int i) {
    return length(rank - pass(i), slice(i));
  }

  @Override
  public int receiveAt(int i) {
    return at(rank - pass(i) - 1, slice(i));
  }

  @Override
  public int receiveCount(int i) {
    return length(rank - pass(i) - 1, slice(i));
  }

  @Override
  public Use use(int i) {
    int left = size - 2 - pass(i); // passes until the sum is complete
    return left > 0 ? Use.ADD : left == 0 ? Use.ADD_LAST : Use.STORE;
  }

  /** What piece i needs has arrived as piece i - passes - 1. */
  @Override
  public int ahead() {
    return passes;
  }
}
