package io.fragua.spark.train;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;

/** Rows in off-heap memory, each with an address that is one int. Used by one thread at a time. */
final class RowMemory implements AutoCloseable {
  /*
   * Rows lie in slabs whose size is a power of two, which is what the allocator hands out anyway, as
   * many whole rows as fit. An address is slab number and row in the slab.
   */
  private static final int SLAB = 1 << 18;

  /** Tile rows up to this many bytes are copied word by word, longer ones by a bulk copy. */
  private static final int SHORT = 64;

  /** Rows whose memory is fetched before they are copied. */
  private static final int AHEAD = 32;

  private final BufferAllocator allocator;
  private final int[] widths;
  private final int rowBytes;
  private final int slabBytes;
  private final int slabRows;
  private final int addressBits;
  private final List<ArrowBuf> buffers = new ArrayList<>();
  private ByteBuffer[] slabs = new ByteBuffer[0];
  private int slab = -1; // that is being filled
  private int free; // rows of it
  private int touched; // written so that the reads are not optimised away

  RowMemory(RowLayout layout, BufferAllocator allocator) {
    this.allocator = allocator;
    widths = widths(layout);
    rowBytes = layout.rowBytes();
    // At least eight rows a slab, so that less than an eighth of it is lost at its end.
    slabBytes = Math.max(SLAB, Integer.highestOneBit(rowBytes * 8 - 1) << 1);
    slabRows = slabBytes / rowBytes;
    addressBits = 32 - Integer.numberOfLeadingZeros(slabRows - 1);
  }

  static int[] widths(RowLayout layout) {
    int[] widths = new int[layout.tiles()];
    for (int t = 0; t < widths.length; t++) {
      widths[t] = layout.bytes(t);
    }
    return widths;
  }

  /** Bytes by which it grows when the rows that fit are used up. */
  int slabBytes() {
    return slabBytes;
  }

  /** Rows that fit in what it grows by. */
  int slabRows() {
    return slabRows;
  }

  /** Rows that fit before it grows. */
  int free() {
    return free;
  }

  /** Most rows that addresses can tell apart. */
  long most() {
    return (1L << (31 - addressBits)) * slabRows;
  }

  /**
   * Copies at most {@link #room} rows.
   *
   * @return address of the first; the others follow
   */
  int append(byte[] bytes, int from, int rows) {
    if (free == 0) {
      slab++;
      if (slab == buffers.size()) {
        ArrowBuf b = allocator.buffer(slabBytes);
        buffers.add(b);
        slabs = Arrays.copyOf(slabs, buffers.size());
        slabs[slab] = view(b);
      }
      free = slabRows;
    }
    int at = slabRows - free;
    slabs[slab].put(at * rowBytes, bytes, from, rows * rowBytes);
    free -= rows;
    return slab << addressBits | at;
  }

  /** Rows that {@link #append} takes next, growing if none are free. */
  int room() {
    return free == 0 ? slabRows : free;
  }

  /** Copies rows out; they lie side by side, as they were appended. */
  void read(int address, int rows, byte[] to, int at) {
    slabs[address >>> addressBits].get(
        (address & ((1 << addressBits) - 1)) * rowBytes, to, at, rows * rowBytes);
  }

  /** Copies the rows at some addresses to a buffer, from its position on. */
  void read(int[] order, int from, int rows, ByteBuffer to) {
    int mask = (1 << addressBits) - 1;
    for (int k = from; k < from + rows; k++) {
      to.put(
          to.position(), slabs[order[k] >>> addressBits], (order[k] & mask) * rowBytes, rowBytes);
      to.position(to.position() + rowBytes);
    }
  }

  /** Copies rows from a buffer's position on to some addresses. */
  void write(int[] order, int from, int rows, ByteBuffer source) {
    int mask = (1 << addressBits) - 1;
    for (int k = from; k < from + rows; k++) {
      ByteBuffer slab = slabs[order[k] >>> addressBits];
      slab.put((order[k] & mask) * rowBytes, source, source.position(), rowBytes);
      source.position(source.position() + rowBytes);
    }
  }

  private static ByteBuffer view(ArrowBuf b) {
    return b.nioBuffer(0, Math.toIntExact(b.capacity())).order(ByteOrder.nativeOrder());
  }

  /** Forgets all rows and keeps the memory. */
  void clear() {
    slab = -1;
    free = 0;
  }

  /** Copies the last slab to one that just holds its rows. */
  void trim() {
    int used = (slabRows - free) * rowBytes;
    if (buffers.isEmpty() || 2L * used > slabBytes) {
      return;
    }
    int last = buffers.size() - 1;
    ArrowBuf small = allocator.buffer(used);
    small.setBytes(0, slabs[last], 0, used);
    buffers.set(last, small).close();
    slabs[last] = view(small);
    free = 0;
  }

  /** Copies the rows at some addresses to the tiles, from row {@code to} of these. */
  void gather(int[] order, int from, int count, ByteBuffer[] tiles, int to) {
    for (int k = 0; k < count; k += AHEAD) {
      int n = Math.min(AHEAD, count - k);
      touch(order, from + k, n);
      copy(order, from + k, n, tiles, to + k);
    }
  }

  /**
   * Reads one word at both ends of some rows. Shuffled rows are not in the cache; these loads do
   * not depend on each other, so the processor waits for all of them together instead of row by
   * row.
   */
  private void touch(int[] order, int from, int count) {
    int mask = (1 << addressBits) - 1;
    int sum = 0;
    for (int k = from; k < from + count; k++) {
      ByteBuffer s = slabs[order[k] >>> addressBits];
      int at = (order[k] & mask) * rowBytes;
      sum += s.getInt(at) + s.getInt(at + rowBytes - 4);
    }
    touched = sum;
  }

  private void copy(int[] order, int from, int count, ByteBuffer[] tiles, int toRow) {
    int mask = (1 << addressBits) - 1;
    for (int k = 0; k < count; k++) {
      int address = order[from + k];
      int at = (address & mask) * rowBytes;
      copyRow(widths, slabs[address >>> addressBits], at, tiles, toRow + k);
    }
  }

  /** Copies one row from a place in a buffer to row {@code to} of the tiles. */
  static void copyRow(int[] widths, ByteBuffer from, int at, ByteBuffer[] tiles, int to) {
    for (int t = 0; t < widths.length; t++) {
      int n = widths[t];
      ByteBuffer tile = tiles[t];
      if (n <= SHORT) {
        for (int i = 0; i < n; i += 4) {
          tile.putInt(to * n + i, from.getInt(at + i));
        }
      } else {
        tile.put(to * n, from, at, n);
      }
      at += n;
    }
  }

  /** Frees the memory. May be called twice. */
  @Override
  public void close() {
    buffers.forEach(ArrowBuf::close);
    buffers.clear();
    slabs = new ByteBuffer[0];
    clear();
  }
}
