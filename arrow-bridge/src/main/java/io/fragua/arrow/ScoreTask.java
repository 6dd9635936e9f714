package io.fragua.arrow;

import io.fragua.exec.MemoryLimitException;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.apache.spark.util.TaskCompletionListener;

/** One task's scoring of one partition. */
final class ScoreTask {
  private final ScoreModel model;
  private final ModelKey key;
  private final long memory;
  private final int[] ordinals;
  private final ColumnarMetrics metrics;
  private final TaskContext task = TaskContext.get();
  private ScoreRun run;

  /**
   * Scores nothing until asked for a batch.
   *
   * @param memory most native bytes
   */
  ScoreTask(ScoreModel model, ModelKey key, long memory, int[] ordinals, ColumnarMetrics metrics) {
    this.model = model;
    this.key = key;
    this.memory = memory;
    this.ordinals = ordinals;
    this.metrics = metrics;
  }

  /** The outputs for a batch; they are the next batch's too. */
  ColumnarBatch score(ColumnarBatch batch) {
    if (run == null) {
      run = open();
    }
    int n = batch.numRows();
    run.reserve(n);
    for (int at = 0; at < n; at += run.rows()) {
      task.killTaskIfInterrupted();
      run.score(batch, at, Math.min(run.rows(), n - at), metrics);
    }
    return new ColumnarBatch(run.columns(), n);
  }

  /**
   * Done at the first batch, so that an empty partition costs nothing. All native memory of the
   * task is taken here: where a batch of the model's size does not fit, half as many rows are
   * tried, down to one.
   */
  private ScoreRun open() {
    NativeCache.prepare();
    ModelKey k = key.threads() > 0 ? key : key.withThreads(task.cpus());
    MemoryLimitException first = null;
    while (true) {
      try {
        ScoreRun opened = new ScoreRun(model, k, ordinals, task, memory);
        task.addTaskCompletionListener((TaskCompletionListener) c -> opened.close());
        metrics.memory(opened.bytes());
        return opened;
      } catch (MemoryLimitException e) {
        first = first == null ? e : first;
        if (k.rows() == 1 || !model.divides()) {
          throw new IllegalStateException(
              "model "
                  + model.uid()
                  + ": a batch must fit the memory of a task: one of "
                  + k.rows()
                  + (k.rows() == 1 ? " row" : " rows")
                  + " does not, "
                  + model.batchRows()
                  + " are set: "
                  + e.getMessage(),
              e);
        }
        k = k.withRows(k.rows() / 2);
        metrics.halved();
      } catch (RuntimeException e) {
        if (first != null) {
          e.addSuppressed(first); // why a smaller batch was tried
        }
        throw e;
      }
    }
  }
}
