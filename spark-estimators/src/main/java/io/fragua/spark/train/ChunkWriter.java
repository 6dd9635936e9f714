package io.fragua.spark.train;

import io.fragua.arrow.BatchFunction;
import io.fragua.arrow.ColumnarMap;
import io.fragua.arrow.ColumnarMetrics;
import io.fragua.arrow.Shuffles;
import io.fragua.arrow.TileReader;
import io.fragua.arrow.TileSpec;
import io.fragua.tensor.Buffer;
import java.io.Serializable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.HashPartitioner;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import scala.Tuple2;

/**
 * The map side: turns batches of columns into {@link Chunk}s, one per produced batch, and deals the
 * rows of a partition to the workers in turn. Partition p begins with worker p, so that workers get
 * equal shares of many small partitions too; training and validation rows are dealt separately.
 */
final class ChunkWriter implements BatchFunction {
  private static final long serialVersionUID = 1;

  /** Produced columns. */
  static final StructType OUTPUT =
      new StructType()
          .add("worker", DataTypes.IntegerType, false)
          .add("chunk", DataTypes.BinaryType, false);

  private static final int MAX_ROWS = 16_384;
  private static final int MAX_BYTES = 1 << 20;

  /** A task's chunks in the making take at most about this much together. */
  private static final int MAX_TOGETHER = 64 << 20;

  private final List<TileSpec> tiles;
  private final String validationColumn;
  private final int workers;
  private final boolean whole;

  /**
   * A writer.
   *
   * @param workers to whom rows are dealt
   * @param whole whether a partition's rows all go to the worker of its number
   */
  ChunkWriter(List<TileSpec> tiles, String validationColumn, int workers, boolean whole) {
    this.whole = whole;
    this.tiles = new ArrayList<>(tiles);
    this.validationColumn = validationColumn;
    this.workers = workers;
  }

  /** In which partition chunks are to be. */
  interface Place extends Serializable {
    /**
     * The partition.
     *
     * @param part that the rows were dealt to
     * @param validation whether they are for validation only
     */
    int of(int part, boolean validation);
  }

  /**
   * Rows as chunks, on the disks of executors until it is closed.
   *
   * @param query that gave them
   */
  record Dealt(JavaRDD<byte[]> chunks, Dataset<?> query) implements AutoCloseable {
    @Override
    public void close() {
      Shuffles.remove(chunks.rdd());
      Shuffles.remove(query);
    }
  }

  /** The rows of a request as chunks, dealt to so many parts, each where it is to be. */
  static Dealt deal(TrainRequest request, int parts, int partitions, Place place) {
    List<TileSpec> tiles = request.tiles();
    boolean whole = request.distribution().shards() > 0;
    ChunkWriter writer = new ChunkWriter(tiles, request.validationColumn(), parts, whole);
    int rowBytes = RowLayout.of(tiles).rowBytes();
    var query =
        ColumnarMap.replace(request.data(), writer.inputs(), OUTPUT, writer, "training chunks");
    try {
      return new Dealt(deal(query.queryExecution().toRdd(), rowBytes, partitions, place), query);
    } catch (Throwable t) { // a plan that adapts runs its first stages here
      if (!(t instanceof InterruptedException)) { // else they go on
        Shuffles.remove(query);
      }
      throw t;
    }
  }

  private static JavaRDD<byte[]> deal(
      RDD<InternalRow> chunks, int rowBytes, int partitions, Place place) {
    return chunks
        .toJavaRDD()
        .mapToPair(
            row -> {
              byte[] chunk = row.getBinary(1);
              boolean validation = Chunk.read(chunk, rowBytes).validation();
              return new Tuple2<>(place.of(row.getInt(0), validation), chunk);
            })
        .partitionBy(new HashPartitioner(partitions)) // an integer's hash is itself
        .values();
  }

  /** Columns it reads, in the order it expects them. */
  List<String> inputs() {
    List<String> names = new ArrayList<>(TileSpec.inputs(tiles));
    if (validationColumn != null && !names.contains(validationColumn)) {
      names.add(validationColumn);
    }
    return names;
  }

  @Override
  public Iterator<ColumnarBatch> apply(
      Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
    return new Chunks(in, ordinals, metrics, TaskContext.getPartitionId());
  }

  /** Rows for one worker, filling up. */
  private static final class Pending {
    private byte[] bytes = new byte[0];
    private int rows;
    private int sequence;
  }

  /** A finished chunk. */
  private record Ready(int worker, byte[] chunk) {}

  private final class Chunks implements Iterator<ColumnarBatch> {
    private final Iterator<ColumnarBatch> in;
    private final int flagOrdinal;
    private final ColumnarMetrics metrics;
    private final int partition;
    private final TileReader reader;
    private final int rowBytes;
    private final int chunkRows;
    private final int blockRows;
    private final int[] widths;
    private final Buffer[] block;
    private final Pending[][] pending = new Pending[2][workers];
    private final int[] turn = new int[2];
    private final Deque<Ready> ready = new ArrayDeque<>();
    private final OnHeapColumnVector worker = new OnHeapColumnVector(1, DataTypes.IntegerType);
    private final OnHeapColumnVector chunk = new OnHeapColumnVector(1, DataTypes.BinaryType);
    private final ColumnarBatch out = new ColumnarBatch(new ColumnVector[] {worker, chunk}, 1);
    private ColumnarBatch batch;
    private int next;
    private long seen;
    private boolean flushed;

    Chunks(Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics, int partition) {
      this.in = in;
      this.metrics = metrics;
      this.partition = partition;
      RowLayout layout = RowLayout.of(tiles);
      reader = new TileReader(tiles, Arrays.copyOf(ordinals, TileSpec.inputs(tiles).size()));
      flagOrdinal = validationColumn == null ? -1 : ordinals[inputs().indexOf(validationColumn)];
      rowBytes = layout.rowBytes();
      chunkRows = chunkRows(rowBytes, workers);
      blockRows = Math.max(1, Math.min(4096, MAX_BYTES / rowBytes));
      widths = new int[tiles.size()];
      block = new Buffer[tiles.size()];
      for (int t = 0; t < block.length; t++) {
        widths[t] = layout.bytes(t);
        block[t] = Buffer.collected((long) blockRows * widths[t]);
      }
      for (int w = 0; w < workers; w++) {
        pending[0][w] = new Pending();
        pending[1][w] = new Pending();
      }
      Arrays.fill(turn, partition % workers);
    }

    @Override
    public boolean hasNext() {
      while (ready.isEmpty() && !flushed) {
        if (batch != null && next < batch.numRows()) {
          deal();
        } else if (in.hasNext()) {
          batch = in.next();
          next = 0;
        } else {
          flush();
        }
      }
      return !ready.isEmpty();
    }

    @Override
    public ColumnarBatch next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      Ready r = ready.poll();
      worker.reset();
      chunk.reset();
      worker.putInt(0, r.worker());
      chunk.putByteArray(0, r.chunk());
      out.setNumRows(1);
      return out;
    }

    /** Reads a block of rows into tiles and deals them. */
    private void deal() {
      long start = System.nanoTime();
      int n = Math.min(blockRows, batch.numRows() - next);
      reader.read(batch, next, n, block, 0);
      ColumnVector flags = flagOrdinal < 0 ? null : batch.column(flagOrdinal);
      for (int i = 0; i < n; i++) {
        int kind = flags != null && flag(flags, next + i, seen + i) ? 1 : 0;
        int w = turn[kind];
        turn[kind] = whole ? w : w + 1 == workers ? 0 : w + 1;
        append(kind, w, i);
      }
      next += n;
      seen += n;
      metrics.copy(System.nanoTime() - start);
    }

    private boolean flag(ColumnVector flags, int row, long rowOfPartition) {
      if (flags.isNullAt(row)) {
        throw new IllegalArgumentException(
            "train: validation column "
                + validationColumn
                + " must say true or false: null at row "
                + rowOfPartition
                + " of partition "
                + partition
                + "; fill the nulls");
      }
      return flags.getBoolean(row);
    }

    private void append(int kind, int w, int row) {
      Pending p = pending[kind][w];
      int at = Chunk.HEADER + p.rows * rowBytes;
      if (p.bytes.length < at + rowBytes) {
        long full = Chunk.HEADER + (long) chunkRows * rowBytes;
        long size = Math.max(Chunk.HEADER + 16L * rowBytes, 2L * p.bytes.length);
        p.bytes = Arrays.copyOf(p.bytes, (int) Math.min(full, size));
      }
      for (int t = 0; t < block.length; t++) {
        block[t].bytes().get(row * widths[t], p.bytes, at, widths[t]);
        at += widths[t];
      }
      if (++p.rows == chunkRows) {
        finish(kind, w);
      }
    }

    private void flush() {
      for (int kind = 0; kind < 2; kind++) {
        for (int w = 0; w < workers; w++) {
          if (pending[kind][w].rows > 0) {
            finish(kind, w);
          }
        }
      }
      flushed = true;
    }

    private void finish(int kind, int w) {
      Pending p = pending[kind][w];
      Chunk c = new Chunk(partition, p.sequence++, kind == 1, p.rows);
      byte[] bytes = p.bytes;
      int size = (int) c.bytes(rowBytes);
      if (bytes.length != size) {
        bytes = Arrays.copyOf(bytes, size);
      }
      c.writeTo(bytes, rowBytes);
      ready.add(new Ready(w, bytes));
      p.bytes = new byte[0];
      p.rows = 0;
    }
  }

  /**
   * Rows of a full chunk: few enough that the chunks in the making of one task stay small.
   *
   * @throws IllegalArgumentException if a single row is too large
   */
  static int chunkRows(int rowBytes, int workers) {
    if (rowBytes > (1 << 26)) {
      throw new IllegalArgumentException(
          "train: a row of all inputs takes at most 67108864 bytes: "
              + rowBytes
              + "; use fewer or narrower columns");
    }
    int bytes = Math.max(1 << 14, Math.min(MAX_BYTES, MAX_TOGETHER / (2 * workers)));
    return Math.max(1, Math.min(MAX_ROWS, bytes / rowBytes));
  }
}
