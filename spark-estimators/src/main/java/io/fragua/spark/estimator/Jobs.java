package io.fragua.spark.estimator;

import java.util.function.Supplier;

/** Jobs that {@code fit} runs to look at the data. */
final class Jobs {
  private Jobs() {}

  /**
   * Runs one. When a task refuses a value, Spark wraps the reason in its own account of the failed
   * job; the user should read the reason.
   *
   * @param stage with which the message begins
   * @throws IllegalArgumentException with the task's message, if that is why the job failed
   */
  static <T> T run(String stage, Supplier<T> job) {
    try {
      return job.get();
    } catch (Exception e) { // SparkException is checked, but no Scala method declares it
      for (Throwable t = e.getCause(); t != null; t = t.getCause()) {
        if (t instanceof IllegalArgumentException) {
          throw new IllegalArgumentException(stage + ": " + t.getMessage(), e);
        }
      }
      throw e;
    }
  }
}
