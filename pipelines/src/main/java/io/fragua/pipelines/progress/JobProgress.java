package io.fragua.pipelines.progress;

import java.util.function.DoubleSupplier;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkStageInfo;
import org.apache.spark.SparkStatusTracker;

/**
 * How many of the tasks of the Spark stages that run now are done, from 0 to 1; NaN if none runs.
 */
public final class JobProgress implements DoubleSupplier {
  private final SparkContext context;

  /** Watches all jobs of a context. */
  public JobProgress(SparkContext context) {
    this.context = context;
  }

  @Override
  public double getAsDouble() {
    if (context.isStopped()) {
      return Double.NaN;
    }
    SparkStatusTracker tracker = context.statusTracker();
    long done = 0;
    long all = 0;
    for (int id : tracker.getActiveStageIds()) {
      var stage = tracker.getStageInfo(id);
      if (stage.isDefined()) {
        SparkStageInfo info = stage.get();
        done += info.numCompletedTasks();
        all += info.numTasks();
      }
    }
    return all == 0 ? Double.NaN : (double) done / all;
  }
}
