package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.nn.ParamTree;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** End to end in one process: one or two workers are tasks of {@code local[2]}. */
class BarrierTrainerTest {
  @BeforeAll
  static void start() {
    TestSpark.get();
  }

  @AfterEach
  void nothingIsLeft() {
    Leftovers.assertNone();
  }

  static float[] flat(ParamTree p) {
    float[] all = new float[(int) p.elements()];
    int i = 0;
    for (var t : p.leaves()) {
      for (float f : t.toFloats()) {
        all[i++] = f;
      }
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource({"1,3", "2,1", "2,5"})
  void theLossFalls(int workers, int partitions) {
    Task t = new Task(TestSpark.rows(2000, partitions));
    t.workers = workers;
    TrainResult r = t.train();
    assertEquals(3, r.history().size());
    for (int e = 0; e < 3; e++) {
      EpochMetrics m = r.history().get(e);
      assertEquals(e, m.epoch());
      assertEquals(2000, m.rows());
      assertNull(m.validationLoss());
      assertTrue(m.seconds() > 0);
    }
    assertTrue(r.history().get(0).trainLoss() < 0.69, "first " + r.history());
    assertTrue(
        r.history().get(2).trainLoss() < r.history().get(0).trainLoss() - 0.02,
        "last " + r.history());
    assertEquals(List.of("w", "bias", "table"), r.params().names());
    assertEquals(List.of("mean"), r.state().names());
  }

  /** Gradient descent on all rows at once, written down plainly in double precision. */
  static double[] descend(List<Row> rows, Task t) {
    int n = Task.D + 1 + Task.CATEGORIES;
    double[] p = new double[n];
    double[] v = new double[n];
    for (int e = 0; e < t.epochs; e++) {
      double[] g = new double[n];
      double weights = 0;
      for (Row r : rows) {
        double[] x = features(r);
        double z = 0;
        for (int i = 0; i < n; i++) {
          z += p[i] * x[i];
        }
        double w = t.weighted ? r.<Double>getAs("weight") : 1;
        double d = w * (1 / (1 + Math.exp(-z)) - r.<Double>getAs("label"));
        for (int i = 0; i < n; i++) {
          g[i] += d * x[i];
        }
        weights += w;
      }
      for (int i = 0; i < n; i++) {
        v[i] = t.momentum * v[i] + g[i] / weights;
        p[i] -= t.rate * v[i];
      }
    }
    return p;
  }

  private static double[] features(Row r) {
    double[] x = new double[Task.D + 1 + Task.CATEGORIES];
    x[0] = r.<Double>getAs("a");
    x[1] = r.<Double>getAs("b");
    List<Float> v = r.getList(r.fieldIndex("v"));
    x[2] = v.get(0);
    x[3] = v.get(1);
    x[4] = 1;
    x[5 + r.<Integer>getAs("c")] = 1;
    return x;
  }

  static void assertClose(double[] expected, float[] given, double tolerance) {
    assertEquals(expected.length, given.length);
    for (int i = 0; i < given.length; i++) {
      assertEquals(expected[i], given[i], tolerance, "parameter " + i);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,300,600",
    "1,4,300,600",
    "2,1,300,600",
    "2,3,301,602",
    "2,3,301,301", // an odd batch is cut into halves that differ
    "2,7,5,10",
    "2,7,5,5",
    "2,2,1,2"
  })
  void fullBatchesEqualAPlainLoop(int workers, int partitions, int rows, int batch) {
    Dataset<Row> data = TestSpark.rows(rows, partitions);
    Task t = new Task(data);
    t.workers = workers;
    t.batch = batch;
    t.epochs = 20;
    assertClose(descend(data.collectAsList(), t), flat(t.train().params()), 2e-5);
  }

  @Test
  void unevenAndEmptyPartitionsCountEveryRowOnce() {
    Dataset<Row> data =
        TestSpark.rows(997, 10).where("id < 3 or id > 350 and id < 352 or id > 700");
    Task t = new Task(data);
    t.workers = 2;
    t.batch = 32;
    t.rate = 0; // all losses are of the first parameters
    TrainResult r = t.train();
    assertEquals(3 + 1 + 296, r.history().get(0).rows());
    assertEquals(Math.log(2), r.history().get(2).trainLoss(), 1e-6);
  }

  @Test
  void aWorkerWithoutRowsTakesPart() {
    Dataset<Row> data = TestSpark.rows(1, 1);
    Task t = new Task(data);
    t.workers = 2;
    t.batch = 8;
    TrainResult r = t.train();
    assertEquals(1, r.history().get(0).rows());
    assertClose(descend(data.collectAsList(), t), flat(r.params()), 1e-6);
    double a = data.first().<Double>getAs("a");
    double mean = a * (1 - Math.pow(0.9, 3));
    assertEquals(mean, r.state().get("mean").toFloats()[0], 1e-6, "statistics of real rows only");
  }

  @Test
  void statisticsAreAveragedOverWorkersByRows() {
    Dataset<Row> data = TestSpark.rows(101, 3);
    Task t = new Task(data);
    t.workers = 2;
    t.batch = 256;
    t.epochs = 1;
    double mean = data.selectExpr("avg(a)").first().getDouble(0);
    assertEquals(0.1 * mean, t.train().state().get("mean").toFloats()[0], 1e-6);
  }

  @Test
  void twoWorkersAreCloseToOneAndARepeatGivesTheSameBits() {
    Dataset<Row> data = TestSpark.rows(3000, 4);
    Task t = new Task(data);
    t.epochs = 2;
    t.rate = 0.2;
    float[] one = flat(t.train().params());
    t.workers = 2;
    float[] two = flat(t.train().params());
    for (int i = 0; i < one.length; i++) {
      assertEquals(one[i], two[i], 0.15, "parameter " + i);
    }
    assertArrayEquals(two, flat(t.train().params()), 0f);
    t.seed = 6;
    assertFalse(java.util.Arrays.equals(two, flat(t.train().params())), "another seed");
  }

  @Test
  void swappedRowsAreLearntFromOnceAnEpochAndGiveOtherBitsThanRowsThatStay() {
    Task t = new Task(TestSpark.rows(1003, 7));
    t.workers = 2;
    t.epochs = 4;
    TrainResult stay = t.train();
    t.distribution = new Distribution(0, 0, false, true, 0, 0);
    TrainResult swapped = t.train();
    assertArrayEquals(flat(swapped.params()), flat(t.train().params()), "a repeat");
    assertFalse(java.util.Arrays.equals(flat(stay.params()), flat(swapped.params())));
    for (EpochMetrics m : swapped.history()) {
      assertEquals(1003, m.rows());
    }
    assertEquals(
        stay.history().get(3).trainLoss(), swapped.history().get(3).trainLoss(), 0.02, "the loss");
    t.workers = 1; // has nobody to swap with
    TrainResult alone = t.train();
    t.distribution = Distribution.PLAIN;
    assertArrayEquals(flat(t.train().params()), flat(alone.params()));
  }

  @Test
  void aRowOfWeightTwoIsTheRowTwice() {
    Dataset<Row> rows = TestSpark.rows(200, 3);
    Task t = new Task(rows.withColumn("weight", rows.col("c").mod(3).cast("double")));
    t.weighted = true;
    t.workers = 2;
    t.batch = 1000;
    t.epochs = 5;
    float[] weighted = flat(t.train().params());
    t.weighted = false;
    t.data = rows.where("c % 3 > 0").union(rows.where("c % 3 = 2"));
    float[] doubled = flat(t.train().params());
    assertClose(descend(((Dataset<?>) t.data).toDF().collectAsList(), t), weighted, 1e-5);
    assertArrayEquals(doubled, weighted, 1e-5f);
  }

  @ParameterizedTest
  @CsvSource({"1", "2"})
  void earlyStoppingRestoresTheBestEpoch(int workers) {
    // The held rows say the opposite of the others, so each epoch makes them worse.
    Dataset<Row> data =
        TestSpark.rows(1200, 3)
            .withColumn("held", org.apache.spark.sql.functions.expr("id % 4 = 0"))
            .withColumn("label", org.apache.spark.sql.functions.expr("if(held, 1 - label, label)"));
    Task t = new Task(data);
    t.workers = workers;
    t.held = "held";
    t.epochs = 50;
    t.patience = 2;
    TrainResult stopped = t.train();
    assertEquals(3, stopped.history().size());
    assertEquals(900, stopped.history().get(0).rows());
    double first = stopped.history().get(0).validationLoss();
    assertTrue(first < stopped.history().get(1).validationLoss(), "" + stopped.history());
    t.epochs = 1;
    t.patience = 0;
    TrainResult once = t.train();
    assertArrayEquals(flat(once.params()), flat(stopped.params()), 0f);
    assertArrayEquals(flat(once.state()), flat(stopped.state()), 0f);
    assertEquals(first, once.history().get(0).validationLoss(), 0);
    assertEquals(loss(data.where("held").collectAsList(), flat(once.params())), first, 1e-6);
  }

  private static double loss(List<Row> rows, float[] p) {
    double sum = 0;
    for (Row r : rows) {
      double[] x = features(r);
      double z = 0;
      for (int i = 0; i < x.length; i++) {
        z += p[i] * x[i];
      }
      sum += Math.log1p(Math.exp(z)) - r.<Double>getAs("label") * z;
    }
    return sum / rows.size();
  }

  @Test
  void theListenerHearsEverythingInOrder() {
    List<String> heard = new ArrayList<>();
    Task t = new Task(TestSpark.rows(500, 2));
    t.workers = 2;
    t.epochs = 2;
    t.listener =
        new TrainListener() {
          @Override
          public void phase(String name) {
            heard.add(name);
          }

          @Override
          public void step(int epoch, int epochs, long done, long total, double loss) {
            assertEquals(2, epochs);
            assertEquals(500, total);
            assertTrue(Double.isFinite(loss));
            if (done == total) {
              heard.add("all rows of " + epoch);
            }
          }

          @Override
          public void epoch(EpochMetrics m) {
            heard.add("epoch " + m.epoch());
          }
        };
    t.train();
    assertEquals(
        List.of(
            "reading",
            "loading",
            "training",
            "all rows of 0",
            "epoch 0",
            "all rows of 1",
            "epoch 1"),
        heard);
  }

  @Test
  void aListenerThatThrowsStopsTheTraining() {
    RuntimeException enough = new RuntimeException("enough");
    Task t = new Task(TestSpark.rows(500, 2));
    t.epochs = 1_000_000;
    t.listener =
        new TrainListener() {
          @Override
          public void epoch(EpochMetrics m) {
            throw enough;
          }
        };
    assertSame(enough, assertThrows(RuntimeException.class, t::train));
  }

  @Test
  void aFailingWorkerIsNamedWithItsCause() {
    // Category 9 lies outside the table, and only one row has it: its worker fails.
    Dataset<Row> data = TestSpark.rows(400, 2).where("c < 9 or id = 9");
    Task t = new Task(data);
    t.workers = 2;
    t.table = 9;
    t.epochs = 1000;
    String m = assertThrows(IllegalStateException.class, t::train).getMessage();
    assertTrue(
        m.matches(
            "(?s)train: every worker must live until the training ends: rank [01] \\(host .*,"
                + " executor driver\\) failed: .*[Ii]ndex.*; remove the cause and fit again"),
        m);
  }

  /** Requests that must be refused, by name, and the beginning of the error. */
  @Test
  void badRequestsAreRefusedBeforeAnyJob() throws Exception {
    AtomicInteger jobs = new AtomicInteger();
    SparkListener counter =
        new SparkListener() {
          @Override
          public void onJobStart(SparkListenerJobStart e) {
            jobs.incrementAndGet();
          }
        };
    var sc = TestSpark.get().sparkContext();
    sc.listenerBus().waitUntilEmpty(60_000); // else it hears of jobs that began before
    sc.addSparkListener(counter);
    try {
      Task t = new Task(TestSpark.rows(10, 1));
      t.workers = 3;
      refused(
          t,
          "train: all workers run at once, each in a slot of its own (spark.task.cpus cores): 3"
              + " workers, 2 slots with master local[2]; set numWorkers to at most 2 or add"
              + " executors");
      t.workers = 1;
      t.distribution = new Distribution(0, 0, false, false, 2, 0);
      refused(
          t,
          "train: cores and GPUs of a worker need a cluster that schedules stages by their own"
              + " resources: 2 cores and 0 GPUs with master local[2] (");
      t.distribution = Distribution.PLAIN;
      t.epochs = 0;
      refused(t, "train: epochs must be at least 1: 0; correct it");
      t.epochs = 1;
      t.patience = 1;
      refused(t, "train: early stopping needs validation rows: patience 1, no validation column");
      t.patience = 0;
      t.held = "label";
      refused(t, "train: validation column label must be boolean: double; cast it");
      t.held = "helt";
      refused(t, "train: validation column helt must be in the data: ");
      t.held = null;
      t.data = t.data.drop("label");
      refused(t, "tile label");
      sc.listenerBus().waitUntilEmpty(60_000);
      assertEquals(0, jobs.get());
    } finally {
      sc.removeSparkListener(counter);
    }
  }

  private static void refused(Task t, String start) {
    String m = assertThrows(IllegalArgumentException.class, t::train).getMessage();
    assertTrue(m.startsWith(start), m);
  }

  @Test
  void dataThatCannotBeLearntFromIsRefused() {
    Dataset<Row> rows = TestSpark.rows(100, 2);
    Task t = new Task(rows.where("id < 0"));
    t.workers = 2;
    refused(
        t,
        "train: there must be rows to learn from: 0 training rows, 0 validation rows; check the");
    t.data = rows;
    t.held = "held";
    t.patience = 1;
    refused(
        t, "train: early stopping needs validation rows: 100 training rows, 0 validation rows; ");
    t.patience = 0;
    t.data = rows.selectExpr("*", "if(id = 5, null, id % 2 = 0) as maybe");
    t.held = "maybe";
    refused(
        t, "train: validation column maybe must say true or false: null at row 5 of partition 0");
    t.held = null;
    t.weighted = true;
    t.data = rows.withColumn("weight", org.apache.spark.sql.functions.lit(0.0));
    refused(t, "train: the weights of the rows must add up to more than 0: 0.0; ");
    t.weighted = false;
    t.data = rows;
    t.rate = 1e39;
    t.epochs = 100;
    refused(t, "train: the loss must stay a finite number: it did not in epoch ");
    t.rate = 1;
    t.data = rows.withColumn("b", org.apache.spark.sql.functions.expr("if(id = 7, null, b)"));
    String m = assertThrows(IllegalArgumentException.class, t::train).getMessage();
    assertTrue(m.contains("column b") && m.contains("null"), m);
  }
}
