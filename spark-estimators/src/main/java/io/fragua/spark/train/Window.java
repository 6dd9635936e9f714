package io.fragua.spark.train;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Iterator;
import org.apache.arrow.memory.BufferAllocator;

/** Rows of consecutive buckets of a {@link Shuffle} in memory, in their order. Used again. */
final class Window implements AutoCloseable {
  private final RowMemory memory;
  private final int rowBytes;
  private int[] buckets = new int[0];
  private int[] addresses = new int[0];
  private int[] order = new int[0];
  private int start;
  private int end;

  Window(RowLayout layout, BufferAllocator allocator) {
    memory = new RowMemory(layout, allocator);
    rowBytes = layout.rowBytes();
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
   * Takes blocks of {@link ShuffledBlocks} and puts their rows in order.
   *
   * @param from position of the first row
   * @param count how many rows there are
   * @param first bucket of the window
   * @param last bucket of the window
   */
  void load(Iterator<byte[]> blocks, Shuffle shuffle, int from, int count, int first, int last) {
    clear();
    memory.clear();
    if (order.length < count) {
      buckets = new int[count];
      addresses = new int[count];
      order = new int[count];
    }
    int[] at = new int[last - first + 2];
    int i = 0;
    while (blocks.hasNext()) {
      byte[] block = blocks.next();
      int rows = block.length / (Integer.BYTES + rowBytes);
      for (int k = 0; k < rows; k++) {
        int bucket = (int) ShuffledBlocks.BUCKETS.get(block, k * Integer.BYTES);
        buckets[i + k] = bucket;
        at[bucket + 1]++;
      }
      for (int done = 0; done < rows; ) {
        int n = Math.min(memory.room(), rows - done);
        int address = memory.append(block, rows * Integer.BYTES + done * rowBytes, n);
        for (int k = 0; k < n; k++) {
          addresses[i++] = address + k;
        }
        done += n;
      }
    }
    for (int b = 0; b <= last - first; b++) {
      at[b + 1] += at[b];
    }
    int[] next = Arrays.copyOf(at, at.length - 1);
    for (i = 0; i < count; i++) {
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
