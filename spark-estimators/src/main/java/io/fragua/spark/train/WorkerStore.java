package io.fragua.spark.train;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;

/**
 * One worker's rows, off-heap. Filled by {@link #add}, closed for writing by {@link #finish}, then
 * read in a shuffled order, as often as there are epochs. Used by one thread; {@link #close} frees
 * the memory.
 */
final class WorkerStore implements AutoCloseable {
  /*
   * Rows lie in slabs whose size is a power of two, which is what the allocator hands out anyway, as
   * many whole rows as fit. A row's address is one int: slab number and row in the slab. Chunks are
   * copied as they arrive, split where a slab is full, and only their addresses are sorted, so that
   * filling never needs the memory twice. The one array that costs memory per row is the order of
   * the training rows and of the validation rows: four bytes a row.
   */
  private static final int SLAB = 1 << 18;

  /** Tile rows up to this many bytes are copied word by word, longer ones by a bulk copy. */
  private static final int SHORT = 64;

  /** Rows whose memory is fetched before they are copied. */
  private static final int AHEAD = 32;

  /** Consecutive rows of one chunk, from one address on. */
  private record Run(int partition, int sequence, int part, int address, int rows) {}

  private static final Comparator<Run> ORDER =
      Comparator.comparingInt(Run::partition)
          .thenComparingInt(Run::sequence)
          .thenComparingInt(Run::part);

  private final BufferAllocator allocator;
  private final long budget;
  private final int[] widths;
  private final int rowBytes;
  private final int slabBytes;
  private final int slabRows;
  private final int addressBits;
  private final List<ArrowBuf> buffers = new ArrayList<>();
  private final List<ByteBuffer> filling = new ArrayList<>();
  private final List<Run> training = new ArrayList<>();
  private final List<Run> validation = new ArrayList<>();
  private ByteBuffer[] slabs;
  private int[] order;
  private int[] validationOrder;
  private int freeRows;
  private long rows;
  private long validationRows;
  private int touched; // written so that the reads are not optimised away

  /**
   * An empty store.
   *
   * @param parent gives the memory, through a child of this name
   * @param budget most bytes it may take
   */
  WorkerStore(RowLayout layout, BufferAllocator parent, String name, long budget) {
    this.budget = budget;
    widths = new int[layout.tiles()];
    for (int t = 0; t < widths.length; t++) {
      widths[t] = layout.bytes(t);
    }
    rowBytes = layout.rowBytes();
    // At least eight rows a slab, so that less than an eighth of it is lost at its end.
    slabBytes = Math.max(SLAB, Integer.highestOneBit(rowBytes * 8 - 1) << 1);
    slabRows = slabBytes / rowBytes;
    addressBits = 32 - Integer.numberOfLeadingZeros(slabRows - 1);
    allocator = parent.newChildAllocator(name, 0, Long.MAX_VALUE);
  }

  /**
   * Copies a chunk's rows.
   *
   * @throws IllegalStateException if the bytes are no chunk, or the budget is used up
   */
  void add(byte[] bytes) {
    Chunk c = Chunk.read(bytes, rowBytes);
    if (c.validation()) {
      validationRows += c.rows();
    } else {
      rows += c.rows();
    }
    int from = 0;
    for (int part = 0; from < c.rows(); part++) {
      if (freeRows == 0) {
        newSlab();
      }
      int n = Math.min(freeRows, c.rows() - from);
      int at = slabRows - freeRows;
      int slab = filling.size() - 1;
      filling.get(slab).put(at * rowBytes, bytes, Chunk.HEADER + from * rowBytes, n * rowBytes);
      int address = slab << addressBits | at;
      (c.validation() ? validation : training)
          .add(new Run(c.partition(), c.sequence(), part, address, n));
      freeRows -= n;
      from += n;
    }
  }

  private void newSlab() {
    long most = 1L << (31 - addressBits);
    if (filling.size() == most) {
      throw new IllegalStateException(
          "train: a worker holds at most "
              + most * slabRows
              + " rows: there are more; use more workers");
    }
    if (allocator.getAllocatedMemory() + slabBytes > budget) {
      throw new IllegalStateException(
          "train: a worker's rows must fit its memory budget: "
              + (rows + validationRows)
              + " rows of "
              + rowBytes
              + " bytes need more than "
              + budget
              + " bytes; use more workers on more machines, fewer columns, or raise "
              + StoreBudget.KEY
              + " (rows do not spill to disk)");
    }
    ArrowBuf b = allocator.buffer(slabBytes);
    buffers.add(b);
    filling.add(view(b));
    freeRows = slabRows;
  }

  private static ByteBuffer view(ArrowBuf b) {
    return b.nioBuffer(0, Math.toIntExact(b.capacity())).order(ByteOrder.nativeOrder());
  }

  /** Puts the rows in their order, by partition and sequence, and gives spare memory back. */
  void finish() {
    trim();
    slabs = filling.toArray(ByteBuffer[]::new);
    filling.clear();
    training.sort(ORDER);
    validation.sort(ORDER);
    order = new int[Math.toIntExact(rows)];
    validationOrder = new int[Math.toIntExact(validationRows)];
    expand(training, order);
    expand(validation, validationOrder);
    validation.clear();
  }

  /** The last slab is copied to one that just holds it. */
  private void trim() {
    int used = (slabRows - freeRows) * rowBytes;
    if (filling.isEmpty() || 2L * used > slabBytes) {
      return;
    }
    int last = filling.size() - 1;
    ArrowBuf small = allocator.buffer(used);
    small.setBytes(0, filling.get(last), 0, used);
    buffers.set(last, small).close();
    filling.set(last, view(small));
  }

  private static void expand(List<Run> runs, int[] order) {
    int i = 0;
    for (Run r : runs) {
      for (int k = 0; k < r.rows(); k++) {
        order[i++] = r.address() + k;
      }
    }
  }

  /** Training rows. */
  int rows() {
    return order.length;
  }

  /** Validation rows. */
  int validationRows() {
    return validationOrder.length;
  }

  /** Bytes taken: slabs as the allocator counts them, and the order of the rows. */
  long bytes() {
    return allocator.getAllocatedMemory() + 4L * (order.length + validationOrder.length);
  }

  /** Bytes of the rows' cells alone. */
  long rawBytes() {
    return (rows + validationRows) * rowBytes;
  }

  /** A new order of the training rows that depends on nothing but these numbers. */
  void shuffle(long seed, int epoch, int rank) {
    expand(training, order);
    SplittableRandom random = new SplittableRandom(mix(mix(mix(seed) ^ epoch) ^ rank));
    for (int i = order.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int t = order[i];
      order[i] = order[j];
      order[j] = t;
    }
  }

  /** Spreads nearby seeds over all 64 bits (the finaliser of SplitMix64). */
  private static long mix(long z) {
    z += 0x9e3779b97f4a7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  /** Copies training rows from position {@code from} of the order to the front of the tiles. */
  void gather(int from, int count, ByteBuffer[] tiles) {
    gather(order, from, count, tiles);
  }

  /** As {@link #gather}, validation rows. */
  void gatherValidation(int from, int count, ByteBuffer[] tiles) {
    gather(validationOrder, from, count, tiles);
  }

  private void gather(int[] order, int from, int count, ByteBuffer[] tiles) {
    for (int k = 0; k < count; k += AHEAD) {
      int n = Math.min(AHEAD, count - k);
      touch(order, from + k, n);
      copy(order, from + k, n, tiles, k);
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
      ByteBuffer slab = slabs[order[k] >>> addressBits];
      int at = (order[k] & mask) * rowBytes;
      sum += slab.getInt(at) + slab.getInt(at + rowBytes - 4);
    }
    touched = sum;
  }

  private void copy(int[] order, int from, int count, ByteBuffer[] tiles, int toRow) {
    int mask = (1 << addressBits) - 1;
    for (int k = 0; k < count; k++) {
      int address = order[from + k];
      ByteBuffer slab = slabs[address >>> addressBits];
      int at = (address & mask) * rowBytes;
      for (int t = 0; t < widths.length; t++) {
        int n = widths[t];
        int to = (toRow + k) * n;
        ByteBuffer tile = tiles[t];
        if (n <= SHORT) {
          for (int i = 0; i < n; i += 4) {
            tile.putInt(to + i, slab.getInt(at + i));
          }
        } else {
          tile.put(to, slab, at, n);
        }
        at += n;
      }
    }
  }

  /** Frees all memory. May be called twice. */
  @Override
  public void close() {
    buffers.forEach(ArrowBuf::close);
    buffers.clear();
    filling.clear();
    slabs = null;
    allocator.close();
  }
}
