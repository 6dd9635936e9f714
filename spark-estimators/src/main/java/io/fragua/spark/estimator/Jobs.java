package io.fragua.spark.estimator;

import java.util.UUID;
import java.util.function.Supplier;
import org.apache.spark.SparkContext;

/** Jobs that {@code fit} runs to look at the data. */
final class Jobs {
  private Jobs() {}

  /**
   * Runs some. When a task refuses a value, Spark wraps the reason in its own account of the failed
   * job; the user should read the reason. When the thread is interrupted, the jobs end, which Spark
   * by itself lets go on.
   *
   * @param stage with which messages begin
   * @throws IllegalArgumentException with the task's message, if that is why a job failed
   * @throws IllegalStateException if the thread is interrupted, which it stays
   */
  static <T> T run(SparkContext spark, String stage, Supplier<T> jobs) {
    String tag = "fragua-" + UUID.randomUUID();
    spark.addJobTag(tag);
    try {
      return jobs.get();
    } catch (Exception e) { // SparkException is checked, but no Scala method declares it
      if (e instanceof InterruptedException) { // as a cause it would be that of a task
        spark.cancelJobsWithTag(tag);
        Thread.currentThread().interrupt();
        throw new IllegalStateException(stage + " fit: interrupted; fit again", e);
      }
      for (Throwable t = e.getCause(); t != null; t = t.getCause()) {
        if (t instanceof IllegalArgumentException) {
          throw new IllegalArgumentException(stage + ": " + t.getMessage(), e);
        }
      }
      throw e;
    } finally {
      spark.removeJobTag(tag);
    }
  }
}
