package io.fragua.arrow;

import io.fragua.exec.Allocator;
import io.fragua.exec.Execution;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.apache.spark.util.TaskCompletionListener;

/** One task's scoring of one partition. */
final class ScoreTask implements Iterator<ColumnarBatch> {
  private static final byte[] ZEROS = new byte[4096];

  private final ScoreModel model;
  private final ModelKey key;
  private final Iterator<ColumnarBatch> in;
  private final int[] ordinals;
  private final ColumnarMetrics metrics;
  private final TaskContext task = TaskContext.get();
  private TileReader reader;
  private Execution execution;
  private Buffer[] tiles;
  private int[] results; // position of each output column among the graph's results
  private OutputColumn[] outputs;

  ScoreTask(
      ScoreModel model,
      ModelKey key,
      Iterator<ColumnarBatch> in,
      int[] ordinals,
      ColumnarMetrics metrics) {
    this.model = model;
    this.key = key;
    this.in = in;
    this.ordinals = ordinals;
    this.metrics = metrics;
  }

  @Override
  public boolean hasNext() {
    return in.hasNext();
  }

  @Override
  public ColumnarBatch next() {
    ColumnarBatch batch = in.next();
    if (execution == null) {
      open();
    }
    int n = batch.numRows();
    for (OutputColumn o : outputs) {
      o.reserve(n);
    }
    for (int at = 0; at < n; at += model.batchRows()) {
      task.killTaskIfInterrupted();
      int rows = Math.min(model.batchRows(), n - at);
      long t0 = System.nanoTime();
      reader.read(batch, at, rows, tiles, 0);
      pad(rows);
      long t1 = System.nanoTime();
      execution.run();
      long t2 = System.nanoTime();
      for (int i = 0; i < outputs.length; i++) {
        outputs[i].put(execution.output(results[i]), at, rows);
      }
      metrics.copy(t1 - t0 + System.nanoTime() - t2);
      metrics.compute(t2 - t1);
    }
    ColumnVector[] columns = new ColumnVector[outputs.length];
    for (int i = 0; i < columns.length; i++) {
      columns[i] = outputs[i].vector();
    }
    return new ColumnarBatch(columns, n);
  }

  /** Done at the first batch, so that an empty partition costs nothing. */
  private void open() {
    NativeCache.prepare();
    ModelKey k = key.threads() > 0 ? key : key.withThreads(task.cpus());
    LoadedModel loaded = ModelCache.acquire(model, k);
    Allocator allocator =
        new Allocator(
            "score "
                + model.uid()
                + ", stage "
                + task.stageId()
                + ", partition "
                + task.partitionId());
    task.addTaskCompletionListener((TaskCompletionListener) c -> close(allocator, k));
    execution = loaded.newExecution(allocator);
    Graph g = loaded.graph();
    reader = new TileReader(model.tiles(), ordinals);
    tiles = new Buffer[model.tiles().size()];
    for (int i = 0; i < tiles.length; i++) {
      tiles[i] = execution.input(g.input(model.tiles().get(i).name()));
    }
    List<OutputSpec> specs = k.outputs(model);
    results = new int[specs.size()];
    outputs = new OutputColumn[specs.size()];
    for (int i = 0; i < outputs.length; i++) {
      results[i] = g.output(specs.get(i).graphOutput());
      outputs[i] = new OutputColumn(specs.get(i), g.outputTypes().get(results[i]));
    }
  }

  /** Closes all that was opened, even if one part fails; a leak fails the task. */
  private void close(Allocator allocator, ModelKey k) {
    try (allocator) {
      if (outputs != null) {
        for (OutputColumn o : outputs) {
          if (o != null) {
            o.close();
          }
        }
      }
      if (execution != null) {
        execution.close();
      }
    } finally {
      ModelCache.release(k);
    }
  }

  /** Zeroes the rows behind the last: results must not depend on what an earlier run left there. */
  private void pad(int rows) {
    if (rows == model.batchRows()) {
      return;
    }
    for (int i = 0; i < tiles.length; i++) {
      int at = 4 * rows * model.tiles().get(i).width();
      while (at < tiles[i].size()) {
        int n = Math.min(ZEROS.length, tiles[i].size() - at);
        tiles[i].bytes().put(at, ZEROS, 0, n);
        at += n;
      }
    }
  }
}
