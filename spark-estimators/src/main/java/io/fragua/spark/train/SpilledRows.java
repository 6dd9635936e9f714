package io.fragua.spark.train;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.spark.util.ThreadUtils;

/**
 * A worker's rows on disk. For every epoch they are distributed over windows that each fit in
 * memory and are read one after the other; a thread reads the next while this one is learnt from,
 * and another distributes the rows for the next epoch. The order is that of rows in memory, to the
 * row. Used by one thread.
 */
final class SpilledRows implements AutoCloseable {
  /** For each of them a block waits in memory while rows are distributed. */
  private static final int MAX_WINDOWS = 512;

  /** Memory of a row in a window besides its cells. */
  private static final int PLACES = 12;

  private static final long END_MS = 20_000;

  /** Consecutive rows of one chunk. */
  private record Run(int partition, int sequence, int part, int block) {}

  private static final Comparator<Run> ORDER =
      Comparator.comparingInt(Run::partition)
          .thenComparingInt(Run::sequence)
          .thenComparingInt(Run::part);

  /** What an epoch's order depends on. */
  private record Key(long seed, int epoch, int rank) {}

  private final RowLayout layout;
  private final int[] widths;
  private final int rowBytes;
  private final long budget;
  private final SpillFiles files;
  private final SpilledBlocks validationBlocks;
  private SpilledBlocks trainingBlocks;
  private final List<Run> training = new ArrayList<>();
  private final List<Run> validation = new ArrayList<>();
  private final ExecutorService distributor =
      ThreadUtils.newDaemonSingleThreadExecutor("fragua-shuffle");
  private final ExecutorService reader =
      ThreadUtils.newDaemonSingleThreadExecutor("fragua-read-ahead");
  private int rows;
  private int[] validationStarts;
  private Window window;
  private Window spare;
  private ShuffledBlocks epoch;
  private Future<ShuffledBlocks> nextEpoch;
  private Key nextKey;
  private Future<?> ahead;
  private int aheadOf = -1;
  private ByteBuffer validationBlock;
  private int validationAt = -1;
  private Future<byte[]> validationAhead;

  SpilledRows(RowLayout layout, BufferAllocator allocator, long budget, SpillFiles files) {
    this.layout = layout;
    this.budget = budget;
    this.files = files;
    widths = RowMemory.widths(layout);
    rowBytes = layout.rowBytes();
    trainingBlocks = new SpilledBlocks(files, rowBytes);
    try {
      validationBlocks = new SpilledBlocks(files, rowBytes);
    } catch (Throwable t) {
      trainingBlocks.close();
      throw t;
    }
    window = new Window(layout, allocator);
    spare = new Window(layout, allocator);
  }

  /** Writes rows of a chunk, from a place in an array. */
  void add(Chunk chunk, int part, byte[] bytes, int from, int count) {
    SpilledBlocks blocks = chunk.validation() ? validationBlocks : trainingBlocks;
    Run run = new Run(chunk.partition(), chunk.sequence(), part, blocks.append(bytes, from, count));
    (chunk.validation() ? validation : training).add(run);
  }

  /** Puts the rows in their order, by partition and sequence. */
  void finish() {
    training.sort(ORDER);
    validation.sort(ORDER);
    rows = starts(training, trainingBlocks)[training.size()];
    validationStarts = starts(validation, validationBlocks);
    windows(1); // an impossible budget is an error now
  }

  private static int[] starts(List<Run> runs, SpilledBlocks blocks) {
    int[] starts = new int[runs.size() + 1];
    for (int i = 0; i < runs.size(); i++) {
      starts[i + 1] = starts[i] + blocks.rows(runs.get(i).block());
    }
    return starts;
  }

  /** Bytes on disk, once. */
  long bytes() {
    return trainingBlocks.bytes() + validationBlocks.bytes();
  }

  /** Puts the training rows in a new order. */
  void shuffle(long seed, int number, int rank, boolean more) {
    forget();
    Key key = new Key(seed, number, rank);
    if (nextEpoch != null) {
      ShuffledBlocks there = get(nextEpoch);
      nextEpoch = null;
      if (key.equals(nextKey)) {
        epoch = there;
      } else {
        there.close();
      }
    }
    if (epoch == null) {
      epoch = get(distributor.submit(() -> distribute(key)));
    }
    if (more) {
      nextKey = new Key(seed, number + 1, rank);
      Key next = nextKey;
      nextEpoch = distributor.submit(() -> distribute(next));
    }
  }

  /** Gives up the order of the epoch. */
  private void forget() {
    settle();
    window.clear();
    if (epoch != null) {
      epoch.close();
      epoch = null;
    }
  }

  private ShuffledBlocks distribute(Key k) {
    Shuffle shuffle = new Shuffle(k.seed(), k.epoch(), k.rank(), rows, rowBytes);
    return new ShuffledBlocks(source(), shuffle, rowBytes, windows(shuffle.buckets()), files);
  }

  /** The training rows in their own order. */
  private ShuffledBlocks.Source source() {
    Iterator<Run> runs = training.iterator();
    return () -> {
      if (Thread.currentThread().isInterrupted()) {
        throw new IllegalStateException("train: rows are no longer wanted");
      }
      return runs.hasNext() ? trainingBlocks.read(runs.next().block()) : null;
    };
  }

  /** Swaps training rows with other workers; no order may be under way that was not asked for. */
  void swap(RowSwap way, Swaps swaps) {
    forget();
    try (SpilledSwap swap = new SpilledSwap(files, rowBytes, way, swaps)) {
      SpilledBlocks now = swap.run(source());
      trainingBlocks.close();
      trainingBlocks = now;
      training.clear();
      for (int w = 0; w < swaps.workers(); w++) {
        for (int block : swap.blocks().get(w)) {
          training.add(new Run(w, training.size(), 0, block));
        }
      }
    }
  }

  /** So many that two windows take two thirds of the budget. */
  private int windows(int buckets) {
    double needed = Math.ceil(3.0 * rows * (rowBytes + PLACES) / budget);
    if (needed > MAX_WINDOWS) {
      throw new IllegalStateException(
          "train: a worker's memory budget must be at least "
              + (long) Math.ceil(3.0 * rows * (rowBytes + PLACES) / MAX_WINDOWS)
              + " bytes for "
              + rows
              + " rows of "
              + rowBytes
              + " bytes: it is "
              + budget
              + " bytes; use more workers or raise "
              + StoreBudget.KEY);
    }
    return (int) Math.max(1, Math.min(buckets, Math.max(2, needed)));
  }

  /** Copies training rows from a position of the order on to the tiles. */
  void gather(int from, int count, ByteBuffer[] tiles) {
    for (int done = 0; done < count; ) {
      seek(from + done);
      int n = Math.min(count - done, window.end() - (from + done));
      window.gather(from + done, n, tiles, done);
      done += n;
    }
  }

  /** Makes the window that holds this position the current one. */
  private void seek(int position) {
    if (window.holds(position)) {
      return;
    }
    int w = epoch.windowAt(position);
    if (aheadOf != w) {
      settle();
      readAhead(w);
    }
    settle();
    Window old = window;
    window = spare;
    spare = old;
    if (w + 1 < epoch.windows()) {
      readAhead(w + 1);
    }
  }

  private void readAhead(int w) {
    ShuffledBlocks from = epoch;
    Window into = spare;
    aheadOf = w;
    ahead = reader.submit(() -> from.load(w, into));
  }

  /** Waits for the window that is being read. */
  private void settle() {
    if (ahead != null) {
      get(ahead);
      ahead = null;
      aheadOf = -1;
    }
  }

  /** Copies validation rows, in their own order, to the tiles. */
  void gatherValidation(int from, int count, ByteBuffer[] tiles) {
    for (int k = 0; k < count; k++) {
      int row = from + k;
      if (validationAt < 0
          || row < validationStarts[validationAt]
          || row >= validationStarts[validationAt + 1]) {
        seekValidation(row);
      }
      int at = (row - validationStarts[validationAt]) * rowBytes;
      RowMemory.copyRow(widths, validationBlock, at, tiles, k);
    }
  }

  private void seekValidation(int row) {
    int next = validationAt + 1;
    boolean expected =
        validationAhead != null
            && row >= validationStarts[next]
            && row < validationStarts[next + 1];
    byte[] bytes;
    if (expected) {
      bytes = get(validationAhead);
      validationAt = next;
    } else {
      int found = java.util.Arrays.binarySearch(validationStarts, row);
      validationAt = found < 0 ? -found - 2 : found;
      while (validationStarts[validationAt + 1] <= row) { // runs without rows
        validationAt++;
      }
      bytes = validationBlocks.read(validation.get(validationAt).block());
    }
    validationBlock = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    int then = validationAt + 1;
    validationAhead =
        then < validation.size()
            ? reader.submit(() -> validationBlocks.read(validation.get(then).block()))
            : null;
  }

  private static <T> T get(Future<T> f) {
    try {
      return f.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("train: interrupted while rows were read from disk", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException r
          ? r
          : new IllegalStateException("train: rows on disk must be readable", e.getCause());
    }
  }

  /** Ends the threads, frees the memory and removes the files. */
  @Override
  public void close() {
    boolean read = Threads.end(reader, END_MS);
    boolean dealt = Threads.end(distributor, END_MS);
    if (read) { // else it may still write there: better lost than freed under it
      window.close();
      spare.close();
    }
    if (epoch != null) {
      epoch.close();
    }
    if (nextEpoch != null && !nextEpoch.isCancelled()) {
      closeNext();
    }
    trainingBlocks.close();
    validationBlocks.close();
    if (!read || !dealt) {
      throw new IllegalStateException(
          "train: a disk must answer within " + END_MS + " ms: Spark's local directories");
    }
  }

  /** The next epoch's file, if it was finished; one that was interrupted removed its own. */
  private void closeNext() {
    if (nextEpoch.isDone()) {
      try {
        nextEpoch.get().close();
      } catch (InterruptedException | ExecutionException e) {
        return; // nothing is left of it
      }
    }
  }
}
