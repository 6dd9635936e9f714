package io.fragua.spark.train;

import java.io.Serializable;
import java.util.zip.CRC32C;

/**
 * A short name of a worker's rows, to tell whether a checkpoint belongs to them. Sums, so that it
 * does not matter in which order the rows arrive.
 */
final class DataSum {
  private final CRC32C crc = new CRC32C();
  private final int rowBytes;
  private long content;
  private long order;

  /**
   * The sums of some rows.
   *
   * @param content the same for the same rows, however they are dealt to workers
   * @param order the same for the same rows in the same places of the same partitions
   */
  record Value(long content, long order) implements Serializable {
    /** Of no rows. */
    static final Value NONE = new Value(0, 0);

    /** What {@link #toString} gives. */
    static Value parse(String text) {
      String[] s = text.split(",");
      return new Value(Long.parseUnsignedLong(s[0], 16), Long.parseUnsignedLong(s[1], 16));
    }

    @Override
    public String toString() {
      return Long.toHexString(content) + "," + Long.toHexString(order);
    }

    Value plus(Value other) {
      return new Value(content + other.content, order + other.order);
    }
  }

  DataSum(int rowBytes) {
    this.rowBytes = rowBytes;
  }

  /** Takes a chunk's rows in. */
  void add(byte[] chunk) {
    Chunk c = Chunk.read(chunk, rowBytes);
    long kind = c.validation() ? 1L << 32 : 0;
    long place = mix((long) c.partition() << 32 | c.sequence());
    for (int r = 0; r < c.rows(); r++) {
      crc.reset();
      crc.update(chunk, Chunk.HEADER + r * rowBytes, rowBytes);
      long row = mix(crc.getValue() | kind);
      content += row;
      order += mix(row + place + r);
    }
  }

  Value value() {
    return new Value(content, order);
  }

  /** The finaliser of SplitMix64. */
  private static long mix(long z) {
    z += 0x9e3779b97f4a7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
