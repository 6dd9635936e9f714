package io.fragua.spark.train;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;

/**
 * One worker's rows: off-heap as long as they fit a budget, else all of them on disk with what is
 * being learnt from in memory. Filled by {@link #add}, closed for writing by {@link #finish}, then
 * read in a shuffled order, which is the same in memory and on disk, as often as there are epochs.
 * Used by one thread; {@link #close} frees memory and files.
 */
final class WorkerStore implements AutoCloseable {
  /*
   * Chunks are copied as they arrive, split where a slab is full, and only their addresses are
   * sorted, so that filling never needs the memory twice. What costs memory per row is the order of
   * the training rows and of the validation rows: four bytes a row, eight if rows are swapped.
   */
  private static final int PLACE = 4;

  /** Consecutive rows of one chunk, from one address on. */
  private record Run(Chunk chunk, int part, int address, int rows) {}

  private static final Comparator<Run> ORDER =
      Comparator.comparingInt((Run r) -> r.chunk().partition())
          .thenComparingInt(r -> r.chunk().sequence())
          .thenComparingInt(Run::part);

  private final RowLayout layout;
  private final BufferAllocator allocator;
  private final long budget;
  private final SpillFiles files;
  private final int rowBytes;
  private final int place;
  private final RowMemory memory;
  private final List<Run> training = new ArrayList<>();
  private final List<Run> validation = new ArrayList<>();
  private SpilledRows spilled;
  private int[] order;
  private int[] swapped; // the rows in their own order, once others than those added are here
  private int[] validationOrder;
  private long rows;
  private long validationRows;

  /**
   * An empty store.
   *
   * @param parent gives the memory, through a child of this name
   * @param budget bytes that rows may take in memory
   * @param files where rows go that do not fit
   * @param swaps whether rows will be swapped with other workers
   */
  WorkerStore(
      RowLayout layout,
      BufferAllocator parent,
      String name,
      long budget,
      SpillFiles files,
      boolean swaps) {
    this.layout = layout;
    place = swaps ? 2 * PLACE : PLACE;
    this.budget = budget;
    this.files = files;
    rowBytes = layout.rowBytes();
    allocator = parent.newChildAllocator(name, 0, Long.MAX_VALUE);
    memory = new RowMemory(layout, allocator);
  }

  /**
   * Copies a chunk's rows.
   *
   * @throws IllegalStateException if the bytes are no chunk, or there are too many rows
   * @throws java.io.UncheckedIOException if they do not fit the budget, and not the disk either
   */
  void add(byte[] bytes) {
    Chunk c = Chunk.read(bytes, rowBytes);
    if (c.validation()) {
      validationRows += c.rows();
    } else {
      rows += c.rows();
    }
    if (rows + validationRows > Integer.MAX_VALUE - 64) {
      throw new IllegalStateException(
          "train: a worker holds at most "
              + (Integer.MAX_VALUE - 64)
              + " rows: there are more; use more workers");
    }
    if (spilled == null && !fits(c.rows())) {
      spill(budget);
    } else if (spilled == null && !StoreBudget.mayTake(growth(c.rows()))) {
      spill(Math.min(budget, allocator.getAllocatedMemory()));
    }
    if (spilled != null) {
      spilled.add(c, 0, bytes, Chunk.HEADER, c.rows());
      return;
    }
    int from = 0;
    for (int part = 0; from < c.rows(); part++) {
      int n = Math.min(memory.room(), c.rows() - from);
      int address = memory.append(bytes, Chunk.HEADER + from * rowBytes, n);
      (c.validation() ? validation : training).add(new Run(c, part, address, n));
      from += n;
    }
  }

  /** Whether so many more rows fit in memory, and their places in the order. */
  private boolean fits(int more) {
    long needed = allocator.getAllocatedMemory() + growth(more);
    return rows + validationRows <= memory.most()
        && needed + place * (rows + validationRows) <= budget;
  }

  /** Bytes of memory that so many more rows take beyond what there is. */
  private long growth(int more) {
    long beyond = Math.max(0, more - memory.free());
    return (beyond + memory.slabRows() - 1) / memory.slabRows() * memory.slabBytes();
  }

  /**
   * Moves all rows to disk.
   *
   * @param readAhead bytes that those read ahead may take
   */
  private void spill(long readAhead) {
    spilled = new SpilledRows(layout, allocator, readAhead, files);
    for (List<Run> runs : List.of(training, validation)) {
      for (Run r : runs) {
        byte[] bytes = new byte[r.rows() * rowBytes];
        memory.read(r.address(), r.rows(), bytes, 0);
        spilled.add(r.chunk(), r.part(), bytes, 0, r.rows());
      }
      runs.clear();
    }
    memory.close();
  }

  /** Puts the rows in their order, by partition and sequence, and gives spare memory back. */
  void finish() {
    if (spilled != null) {
      spilled.finish();
      return;
    }
    memory.trim();
    training.sort(ORDER);
    validation.sort(ORDER);
    order = new int[Math.toIntExact(rows)];
    validationOrder = new int[Math.toIntExact(validationRows)];
    expand(training, order);
    expand(validation, validationOrder);
    validation.clear();
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
    return (int) rows;
  }

  /** Validation rows. */
  int validationRows() {
    return (int) validationRows;
  }

  /** Bytes in memory: slabs as the allocator counts them, and the order of the rows. */
  long bytes() {
    long places = spilled == null ? place * (rows + validationRows) : 0;
    return allocator.getAllocatedMemory() + places;
  }

  /** Bytes on disk; 0 while all rows are in memory. */
  long spilledBytes() {
    return spilled == null ? 0 : spilled.bytes();
  }

  /** Bytes of the rows' cells alone. */
  long rawBytes() {
    return (rows + validationRows) * rowBytes;
  }

  /**
   * A new order of the training rows that depends on nothing but these numbers.
   *
   * @param more whether the epoch after this one will be asked for, with the same seed and rank
   */
  void shuffle(long seed, int epoch, int rank, boolean more) {
    if (spilled != null) {
      spilled.shuffle(seed, epoch, rank, more);
      return;
    }
    Shuffle shuffle = new Shuffle(seed, epoch, rank, order.length, rowBytes);
    int[] at = shuffle.starts();
    for (int i = 0; swapped != null && i < swapped.length; i++) {
      order[at[shuffle.bucket(i)]++] = swapped[i];
    }
    int i = 0;
    for (Run r : training) {
      for (int k = 0; k < r.rows(); k++) {
        order[at[shuffle.bucket(i++)]++] = r.address() + k;
      }
    }
    for (int b = 0; b < at.length; b++) {
      shuffle.permute(b, order, b == 0 ? 0 : at[b - 1], at[b]);
    }
  }

  /**
   * Swaps training rows with other workers, all of which do so at the same time; {@link #shuffle}
   * comes next. The same rows in memory and on disk.
   */
  void swap(RowSwap way, Swaps swaps) {
    if (spilled != null) {
      spilled.swap(way, swaps);
      return;
    }
    if (swapped == null) {
      swapped = new int[order.length];
      expand(training, swapped);
      training.clear();
    }
    int[] starts = new int[swaps.workers() + 1];
    for (int w = 0; w < swaps.workers(); w++) {
      starts[w + 1] = starts[w] + swaps.count(way.rank(), w);
    }
    int[] at = starts.clone();
    Swaps.Draw draw = swaps.draw(way.rank());
    for (int address : swapped) {
      order[at[draw.next()]++] = address;
    }
    int[] places = order;
    way.run(
        swaps,
        new RowSwap.Side() {
          @Override
          public void give(int partner, int from, int count, ByteBuffer to) {
            memory.read(places, starts[partner] + from, count, to);
          }

          @Override
          public void take(int partner, int from, int count, ByteBuffer rowsOfPartner) {
            memory.write(places, starts[partner] + from, count, rowsOfPartner);
          }
        });
    order = swapped;
    swapped = places;
  }

  /** Copies training rows from position {@code from} of the order to the front of the tiles. */
  void gather(int from, int count, ByteBuffer[] tiles) {
    if (spilled != null) {
      spilled.gather(from, count, tiles);
    } else {
      memory.gather(order, from, count, tiles, 0);
    }
  }

  /** As {@link #gather}, validation rows. */
  void gatherValidation(int from, int count, ByteBuffer[] tiles) {
    if (spilled != null) {
      spilled.gatherValidation(from, count, tiles);
    } else {
      memory.gather(validationOrder, from, count, tiles, 0);
    }
  }

  /** Frees all memory and removes all files. May be called twice. */
  @Override
  public void close() {
    try {
      if (spilled != null) {
        spilled.close();
      }
    } finally {
      spilled = null;
      memory.close();
      allocator.close();
    }
  }
}
