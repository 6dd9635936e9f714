package io.fragua.arrow;

import io.fragua.exec.Allocator;
import io.fragua.exec.Execution;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/** A task's execution of a model for batches of one size, with its memory: tiles and results. */
final class ScoreRun implements AutoCloseable {
  private static final byte[] ZEROS = new byte[4096];

  private final List<TileSpec> specs;
  private final ModelKey key;
  private final Allocator allocator;
  private final TileReader reader;
  private final Buffer[] tiles;
  private final int[] results; // position of each output column among the graph's results
  private final OutputColumn[] outputs;
  private Execution execution;

  /**
   * Takes all memory that scoring needs.
   *
   * @param memory most native bytes
   * @throws io.fragua.exec.MemoryLimitException if it does not fit; nothing is held then
   */
  ScoreRun(ScoreModel model, ModelKey key, int[] ordinals, TaskContext task, long memory) {
    this.key = key;
    specs = model.tiles();
    reader = new TileReader(specs, ordinals);
    tiles = new Buffer[specs.size()];
    List<OutputSpec> columns = key.outputs(model);
    results = new int[columns.size()];
    outputs = new OutputColumn[columns.size()];
    allocator =
        new Allocator(
            "score "
                + model.uid()
                + ", stage "
                + task.stageId()
                + ", partition "
                + task.partitionId(),
            TaskMemory.of(task, memory));
    LoadedModel loaded = ModelCache.acquire(model, key);
    try {
      execution = loaded.newExecution(allocator);
      Graph g = loaded.graph();
      for (int i = 0; i < tiles.length; i++) {
        tiles[i] = execution.input(g.input(specs.get(i).name()));
      }
      for (int i = 0; i < outputs.length; i++) {
        results[i] = g.output(columns.get(i).graphOutput());
        execution.output(results[i]); // its memory is taken when it is first asked for
        outputs[i] = new OutputColumn(columns.get(i), g.outputTypes().get(results[i]));
      }
    } catch (RuntimeException | Error e) {
      try {
        close();
      } catch (RuntimeException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  /** Rows of a batch. */
  int rows() {
    return key.rows();
  }

  /** Native bytes it holds. */
  long bytes() {
    return allocator.bytes();
  }

  /** Makes room for the results of a batch of this many rows. */
  void reserve(int rows) {
    for (OutputColumn o : outputs) {
      o.reserve(rows);
    }
  }

  /** Scores rows [at, at + count), at most {@link #rows()} of them. */
  void score(ColumnarBatch batch, int at, int count, ColumnarMetrics metrics) {
    long t0 = System.nanoTime();
    reader.read(batch, at, count, tiles, 0);
    pad(count);
    long t1 = System.nanoTime();
    execution.run();
    long t2 = System.nanoTime();
    for (int i = 0; i < outputs.length; i++) {
      outputs[i].put(execution.output(results[i]), at, count);
    }
    metrics.copy(t1 - t0 + System.nanoTime() - t2);
    metrics.compute(t2 - t1);
  }

  /** The columns of results. */
  ColumnVector[] columns() {
    ColumnVector[] columns = new ColumnVector[outputs.length];
    for (int i = 0; i < columns.length; i++) {
      columns[i] = outputs[i].vector();
    }
    return columns;
  }

  /** Zeroes the rows behind the last: results must not depend on what an earlier run left there. */
  private void pad(int count) {
    if (count == rows()) {
      return;
    }
    for (int i = 0; i < tiles.length; i++) {
      int at = 4 * count * specs.get(i).width();
      while (at < tiles[i].size()) {
        int n = Math.min(ZEROS.length, tiles[i].size() - at);
        tiles[i].bytes().put(at, ZEROS, 0, n);
        at += n;
      }
    }
  }

  /** Closes all that was opened, even if one part fails; a leak fails the task. */
  @Override
  public void close() {
    try (allocator) {
      for (OutputColumn o : outputs) {
        if (o != null) {
          o.close();
        }
      }
      if (execution != null) {
        execution.close();
      }
    } finally {
      ModelCache.release(key);
    }
  }
}
