package io.fragua.arrow;

import java.io.Serializable;
import java.util.Iterator;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/**
 * Scores, and calls a hook on the task's thread after every run of the model's program.
 *
 * @param hook a lambda that captures nothing: it is copied to each task
 */
record EachRun(ModelScorer scorer, Hook hook) implements BatchFunction {
  /** What happens after a run. */
  interface Hook extends Serializable {
    void ran();
  }

  @Override
  public Iterator<ColumnarBatch> apply(
      Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
    ColumnarMetrics calling =
        new ColumnarMetrics() {
          @Override
          public void copy(long nanos) {}

          @Override
          public void compute(long nanos) {
            hook.ran();
          }

          @Override
          public void halved() {}

          @Override
          public void memory(long bytes) {}
        };
    return scorer.apply(in, ordinals, calling);
  }
}
