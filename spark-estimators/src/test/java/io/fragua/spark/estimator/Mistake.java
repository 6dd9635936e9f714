package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.train.TrainListener;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.function.Executable;

/**
 * Something that a user does wrong, and what is said of it.
 *
 * @param whole whether the first part is all of the message
 * @param parts of the message, in order
 */
record Mistake(String name, Executable action, boolean whole, List<String> parts) {
  /** A mistake of which these parts are said, in order, among other things. */
  static Mistake of(String name, Executable action, String... parts) {
    return new Mistake(name, action, false, List.of(parts));
  }

  /** A mistake of which exactly this is said. */
  static Mistake exactly(String name, Executable action, String message) {
    return new Mistake(name, action, true, List.of(message));
  }

  /** As {@link #of}; {@code fit} must find it before the training. */
  static Mistake fit(String name, NeuralEstimator<?, ?> e, Dataset<Row> d, String... parts) {
    return of(
        name,
        () -> e.copy(new org.apache.spark.ml.param.ParamMap()).setListener(new NoTraining()).fit(d),
        parts);
  }

  /** As {@link #exactly}; {@code fit} must find it before the training. */
  static Mistake fitExactly(String name, NeuralEstimator<?, ?> e, Dataset<Row> d, String message) {
    return new Mistake(name, fit(name, e, d).action(), true, List.of(message));
  }

  /** Fails the test if the mistake is not found before the training. */
  private static final class NoTraining implements TrainListener {
    @Override
    public void phase(String name) {
      assertTrue(List.of("statistics", "compile").contains(name), () -> "too late: " + name);
    }
  }

  /** The test that this is said. */
  DynamicTest test() {
    return DynamicTest.dynamicTest(name, () -> check(assertThrows(Exception.class, action)));
  }

  /** The test that this is said, and that Spark has not run a job until then. */
  DynamicTest testWithoutJobs() {
    return DynamicTest.dynamicTest(
        name,
        () -> {
          AtomicInteger jobs = new AtomicInteger();
          SparkListener counter =
              new SparkListener() {
                @Override
                public void onJobStart(SparkListenerJobStart e) {
                  jobs.incrementAndGet();
                }
              };
          SparkContext context = Spark.session().sparkContext();
          context.listenerBus().waitUntilEmpty(60_000);
          context.addSparkListener(counter);
          try {
            check(assertThrows(Exception.class, action));
            context.listenerBus().waitUntilEmpty(60_000);
          } finally {
            context.removeSparkListener(counter);
          }
          assertEquals(0, jobs.get(), "jobs");
        });
  }

  /**
   * Found on the driver it is thrown as it is, found in a task it is the cause of Spark's error.
   */
  private void check(Throwable thrown) {
    Throwable e = thrown;
    while (!(e instanceof IllegalArgumentException) && e.getCause() != null) {
      e = e.getCause();
    }
    assertEquals(IllegalArgumentException.class, e.getClass(), () -> "" + thrown);
    String message = e.getMessage();
    if (whole) {
      assertEquals(parts.get(0), message);
      return;
    }
    int at = 0;
    for (String part : parts) {
      int found = message.indexOf(part, at);
      assertTrue(found >= 0, () -> parts + " in\n" + message);
      at = found;
    }
  }
}
