package io.fragua.spark.train;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.arrow.memory.BufferAllocator;

/** Rows of consecutive buckets of a {@link Shuffle} in memory, in their order. Used again. */
final class Window implements AutoCloseable {
  private final RowMemory memory;
  private final byte[] row;
  private final ByteBuffer head;
  private int[] buckets = new int[0];
  private int[] addresses = new int[0];
  private int[] order = new int[0];
  private int start;
  private int end;

  Window(RowLayout layout, BufferAllocator allocator) {
    memory = new RowMemory(layout, allocator);
    row = new byte[4 + layout.rowBytes()];
    head = ByteBuffer.wrap(row);
  }

  /** Whether it holds this position of the order. */
  boolean holds(int position) {
    return position >= start && position < end;
  }

  /** Position after its last. */
  int end() {
    return end;
  }

  /** Holds nothing any more. */
  void clear() {
    start = 0;
    end = 0;
  }

  /**
   * Reads rows, each after the number of its bucket, and puts them in order.
   *
   * @param from position of the first
   * @param count how many there are
   * @param first bucket of the window
   * @param last bucket of the window
   */
  void load(InputStream in, Shuffle shuffle, int from, int count, int first, int last)
      throws IOException {
    clear();
    memory.clear();
    if (order.length < count) {
      buckets = new int[count];
      addresses = new int[count];
      order = new int[count];
    }
    int[] at = new int[last - first + 2];
    for (int i = 0; i < count; i++) {
      if (in.readNBytes(row, 0, row.length) < row.length) {
        throw new IOException("it ends after " + i + " of " + count + " rows");
      }
      buckets[i] = head.getInt(0) - first;
      addresses[i] = memory.append(row, 4, 1);
      at[buckets[i] + 1]++;
    }
    for (int b = 0; b <= last - first; b++) {
      at[b + 1] += at[b];
    }
    int[] next = Arrays.copyOf(at, at.length - 1);
    for (int i = 0; i < count; i++) {
      order[next[buckets[i]]++] = addresses[i];
    }
    for (int b = 0; b <= last - first; b++) {
      shuffle.permute(first + b, order, at[b], at[b + 1]);
    }
    start = from;
    end = from + count;
  }

  /** Copies rows from a position on to the tiles. */
  void gather(int position, int count, ByteBuffer[] tiles, int to) {
    memory.gather(order, position - start, count, tiles, to);
  }

  @Override
  public void close() {
    memory.close();
  }
}
