package io.fragua.spark.train;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Rows on their way from one partition of the data to one worker: a header and the rows' bytes. The
 * header says where the rows belong, so that a worker's rows have one order, however they arrive.
 *
 * @param partition of the data
 * @param sequence of the chunk among those of its partition for this worker and kind
 * @param validation whether the rows are for validation only
 * @param rows number of rows
 */
record Chunk(int partition, int sequence, boolean validation, int rows) {
  /** Bytes of the header. */
  static final int HEADER = 24;

  private static final int MAGIC = 0x46524731; // "FRG1"; reads differently in the other byte order

  /** Writes the header at the front. */
  void writeTo(byte[] chunk, int rowBytes) {
    wrap(chunk)
        .putInt(MAGIC)
        .putInt(partition)
        .putInt(sequence)
        .putInt(validation ? 1 : 0)
        .putInt(rows)
        .putInt(rowBytes);
  }

  /**
   * Reads the header.
   *
   * @throws IllegalStateException if these are not rows of this size from a like machine
   */
  static Chunk read(byte[] chunk, int rowBytes) {
    if (chunk.length >= HEADER) {
      ByteBuffer b = wrap(chunk);
      if (b.getInt() == MAGIC) {
        Chunk c = new Chunk(b.getInt(), b.getInt(), b.getInt() != 0, b.getInt());
        if (b.getInt() == rowBytes && c.rows >= 0 && chunk.length == c.bytes(rowBytes)) {
          return c;
        }
      }
    }
    throw new IllegalStateException(
        "train: a chunk holds whole rows of "
            + rowBytes
            + " bytes: "
            + chunk.length
            + " bytes that are none; run one version of Fragua, on machines of one byte order");
  }

  /** Size with the header. */
  long bytes(int rowBytes) {
    return HEADER + (long) rows * rowBytes;
  }

  private static ByteBuffer wrap(byte[] chunk) {
    return ByteBuffer.wrap(chunk).order(ByteOrder.nativeOrder());
  }
}
