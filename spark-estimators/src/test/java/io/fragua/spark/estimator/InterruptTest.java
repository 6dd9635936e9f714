package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.train.Patience;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A {@code fit} that is interrupted while it looks at the data says so and ends its jobs. */
class InterruptTest {
  /** Which job reads rows that never end. */
  private enum Job {
    STATISTICS(c -> c.setNumericCols("a")),
    COUNTS_OF_PAIRS(c -> c.setSparseCols("m")),
    ROWS_IN_ORDER(c -> c.setNumericCols("a").setDeterministic(true));

    final UnaryOperator<NeuralClassifier> with;

    Job(UnaryOperator<NeuralClassifier> with) {
      this.with = with;
    }
  }

  @ParameterizedTest
  @EnumSource(Job.class)
  void endsItsJobs(Job job) throws Exception {
    SparkContext spark = Spark.session().sparkContext();
    Dataset<Row> endless =
        Spark.session()
            .range(0, 1L << 40, 1, 2)
            .selectExpr("sin(id) as a", "map('k', id) as m", "cast(id % 2 as int) as label");
    NeuralClassifier c = job.with.apply(new NeuralClassifier().setLabelCol("label"));
    boolean[] stays = new boolean[1];
    FutureTask<?> fit =
        new FutureTask<>(
            () -> {
              try {
                return c.fit(endless);
              } finally {
                stays[0] = Thread.currentThread().isInterrupted();
              }
            });
    Thread caller = new Thread(fit, "caller");
    caller.start();
    assertTrue(Patience.until(() -> active(spark) > 0), "a job began");
    caller.interrupt();
    Throwable e =
        assertThrows(ExecutionException.class, () -> fit.get(30, TimeUnit.SECONDS)).getCause();
    assertEquals(IllegalStateException.class, e.getClass());
    assertEquals("NeuralClassifier fit: interrupted; fit again", e.getMessage());
    assertTrue(stays[0], "the thread stays interrupted");
    assertTrue(Patience.until(() -> active(spark) == 0), "its jobs ended");
  }

  private static int active(SparkContext spark) {
    return spark.statusTracker().getActiveJobIds().length;
  }
}
