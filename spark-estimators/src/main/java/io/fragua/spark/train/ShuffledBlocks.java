package io.fragua.spark.train;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * All training rows in the order of one epoch, on disk: blocks for each run of consecutive buckets
 * that fits in memory, a window. The rows of a window are still in their own order; each block has
 * the numbers of its rows' buckets, counted from the window's first, and then the rows.
 */
final class ShuffledBlocks implements AutoCloseable {
  /** Reads and writes numbers of buckets. */
  static final VarHandle BUCKETS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());

  /** Bytes of a block, if a row is not larger: what codecs compress at once. */
  private static final int BLOCK = 1 << 15;

  /** Gives the rows in their own order, block by block. */
  interface Source {
    /** The next rows, or null after the last. */
    byte[] next();
  }

  /** Rows of a window that wait to be written. */
  private static final class Open {
    private final byte[] bytes;
    private int rows;

    Open(int bytes) {
      this.bytes = new byte[bytes];
    }
  }

  private final Shuffle shuffle;
  private final int rowBytes;
  private final SpilledBlocks blocks;
  private final List<List<Integer>> windows = new ArrayList<>();
  private final int[] starts;

  /**
   * Distributes the rows.
   *
   * @param count number of windows
   */
  ShuffledBlocks(Source rows, Shuffle shuffle, int rowBytes, int count, SpillFiles files) {
    this.shuffle = shuffle;
    this.rowBytes = rowBytes;
    starts = new int[count + 1];
    for (int w = 0; w < count; w++) {
      windows.add(new ArrayList<>());
    }
    blocks = new SpilledBlocks(files, Integer.BYTES + rowBytes);
    try {
      distribute(rows);
    } catch (Throwable t) {
      close();
      throw t;
    }
  }

  private void distribute(Source rows) {
    int most = Math.max(1, BLOCK / (Integer.BYTES + rowBytes));
    Open[] open = new Open[windows.size()];
    for (int w = 0; w < open.length; w++) {
      // Rows as large as a block are written at once, so that one place serves all windows.
      open[w] = w > 0 && most == 1 ? open[0] : new Open(most * (Integer.BYTES + rowBytes));
    }
    int[] windowOf = new int[shuffle.buckets()];
    for (int b = 0; b < windowOf.length; b++) {
      windowOf[b] = (int) ((long) b * open.length / windowOf.length);
    }
    int i = 0;
    for (byte[] block = rows.next(); block != null; block = rows.next()) {
      for (int at = 0; at < block.length; at += rowBytes) {
        int bucket = shuffle.bucket(i++);
        int w = windowOf[bucket];
        Open o = open[w];
        BUCKETS.set(o.bytes, o.rows * Integer.BYTES, bucket - first(w));
        System.arraycopy(block, at, o.bytes, most * Integer.BYTES + o.rows * rowBytes, rowBytes);
        if (++o.rows == most) {
          write(w, o);
        }
      }
    }
    for (int w = 0; w < open.length; w++) {
      Open o = open[w];
      if (o.rows > 0) {
        System.arraycopy(
            o.bytes, most * Integer.BYTES, o.bytes, o.rows * Integer.BYTES, o.rows * rowBytes);
        write(w, o);
      }
      starts[w + 1] += starts[w];
    }
  }

  private void write(int w, Open o) {
    windows.get(w).add(blocks.append(o.bytes, 0, o.rows));
    starts[w + 1] += o.rows;
    o.rows = 0;
  }

  /** The first bucket of a window. */
  private int first(int window) {
    int count = windows.size();
    return (int) (((long) window * shuffle.buckets() + count - 1) / count);
  }

  /** The window that holds a position of the order. */
  int windowAt(int position) {
    int w = java.util.Arrays.binarySearch(starts, position);
    w = w < 0 ? -w - 2 : w;
    while (starts[w + 1] <= position) { // windows without rows
      w++;
    }
    return w;
  }

  int windows() {
    return windows.size();
  }

  /** Reads a window. */
  void load(int w, Window into) {
    Iterator<byte[]> read = windows.get(w).stream().map(blocks::read).iterator();
    into.load(read, shuffle, starts[w], starts[w + 1] - starts[w], first(w), first(w + 1) - 1);
  }

  @Override
  public void close() {
    blocks.close();
  }
}
