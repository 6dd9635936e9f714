package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.estimator.NeuralRegressor;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A training that has ended, well or not, leaves no file of a shuffle behind, however long the
 * driver's garbage collector does not run. Of one that is cancelled that is in {@link CancelTest}.
 */
class ShuffleFilesTest {
  private static final String ADAPTIVE = "spark.sql.adaptive.enabled";

  private final List<Dataset<Row>> held = new ArrayList<>(); // nothing of theirs is collected

  @AfterEach
  void asItWas() {
    TestSpark.get().conf().unset(ADAPTIVE);
  }

  private static Set<String> found() {
    Set<String> all = new TreeSet<>();
    try {
      for (File dir : TestSpark.env().blockManager().diskBlockManager().localDirs()) {
        OpenFiles.below(dir.toPath(), "(temp_)?shuffle_.*").forEach(f -> all.add(f.toString()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return all;
  }

  /** Removal is asked for, and waited for by nobody. */
  private static void assertNoMore(Set<String> before, String when) {
    Set<String> more = new TreeSet<>();
    boolean none =
        Patience.until(
            () -> {
              more.clear();
              more.addAll(found());
              more.removeAll(before);
              return more.isEmpty();
            });
    assertTrue(none, () -> when + ": " + more);
  }

  /** Rows that a query of the user's has already shuffled once. */
  private Dataset<Row> rows() {
    Dataset<Row> d = TestSpark.rows(1500, 2).repartition(3, functions.col("id"));
    held.add(d);
    return d;
  }

  @ParameterizedTest
  @CsvSource({"0, true", "0, false", "2, true", "2, false"})
  void goneAfterATrainingAndAfterOneThatFails(int localSteps, boolean adaptive) {
    TestSpark.get().conf().set(ADAPTIVE, adaptive);
    Task t = new Task(rows());
    t.workers = 2;
    t.batch = 500;
    t.distribution = new Distribution(0, localSteps, false, false, 0, 0);
    TrainRequest good = t.request(); // counts the rows, which is the test's own job
    t.rate = 1e39; // infinite as a float
    TrainRequest bad = t.request();
    Set<String> before = found();
    assertEquals(3, BarrierTrainer.train(good).history().size());
    assertNoMore(before, "after a training");
    assertThrows(IllegalArgumentException.class, () -> BarrierTrainer.train(bad));
    assertNoMore(before, "after one that failed");
  }

  /** Also of what is looked at before; deterministic puts the rows in order by a shuffle. */
  @ParameterizedTest
  @CsvSource({"false, true", "true, true", "true, false"})
  void goneAfterFit(boolean deterministic, boolean adaptive) {
    TestSpark.get().conf().set(ADAPTIVE, adaptive);
    Dataset<Row> rows = rows();
    Set<String> before = found();
    NeuralRegressor r =
        new NeuralRegressor()
            .setNumericCols("a", "b")
            .setHiddenLayers(new int[] {4})
            .setEpochs(1)
            .setNumWorkers(2)
            .setDeterministic(deterministic);
    r.fit(rows);
    assertNoMore(before, "after fit");
    Dataset<Row> wrong = rows.withColumn("label", functions.expr("if(id = 7, null, label)"));
    assertThrows(IllegalArgumentException.class, () -> r.fit(wrong));
    assertNoMore(before, "after a fit that was refused");
  }

  /** What others may ask for again stays: what the user's own RDD has shuffled. */
  @Test
  void shufflesOfOthersStay() {
    SparkSession spark = TestSpark.get();
    Set<String> earlier = found(); // of other tests, which may go at any time
    Dataset<Row> own = rows();
    JavaRDD<Row> shuffled = own.javaRDD();
    Dataset<Row> read = spark.createDataFrame(shuffled, own.schema());
    held.add(read);
    shuffled.count(); // by itself shuffles nothing
    Set<String> before = found();
    Set<String> mine = new TreeSet<>(before);
    mine.removeAll(earlier);
    Task t = new Task(read);
    t.workers = 2;
    t.train();
    assertNoMore(before, "after a training");
    assertFalse(mine.isEmpty(), "the user's RDD has shuffled");
    mine.removeAll(found());
    assertEquals(Set.of(), mine, "files that went");
    assertEquals(1500, shuffled.count());
  }
}
