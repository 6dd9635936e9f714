package io.fragua.spark.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Training without a barrier: rounds of steps that workers make by themselves. */
class LocalSgdTest {
  /** Programs are kept for some seconds, for a next task. */
  @AfterEach
  void nothingIsLeft() {
    Leftovers.assertNone();
  }

  private static Task task(Dataset<Row> data, int workers, int batch, int localSteps) {
    Task t = new Task(data);
    t.workers = workers;
    t.batch = batch;
    t.distribution = new Distribution(0, localSteps, false, false, 0, 0);
    return t;
  }

  /** The mean of workers' steps on all their rows is the step on all rows. */
  @ParameterizedTest
  @CsvSource({"1, 300, 1", "2, 300, 3", "3, 301, 2", "2, 1, 1"})
  void oneStepOnAllRowsEqualsAPlainLoop(int workers, int rows, int partitions) {
    Dataset<Row> data = TestSpark.rows(rows, partitions);
    Task t = task(data, workers, 2 * workers * rows, 1);
    t.epochs = 5;
    TrainResult r = t.train();
    BarrierTrainerTest.assertClose(
        BarrierTrainerTest.descend(data.collectAsList(), t),
        BarrierTrainerTest.flat(r.params()),
        2e-5);
    assertEquals(rows, r.history().get(4).rows());
    double mean = data.selectExpr("avg(a)").first().getDouble(0);
    assertEquals(mean * (1 - Math.pow(0.9, 5)), r.state().get("mean").toFloats()[0], 1e-5);
  }

  @Test
  void manyRoundsLearnAndARepeatGivesTheSameBits() {
    Task t = task(TestSpark.rows(1500, 4), 2, 64, 3);
    t.rate = 0.2;
    TrainResult r = t.train();
    assertEquals(1500, r.history().get(2).rows());
    assertTrue(r.history().get(0).trainLoss() < 0.69, "first " + r.history());
    assertTrue(
        r.history().get(2).trainLoss() < r.history().get(0).trainLoss() - 0.02,
        "last " + r.history());
    float[] once = BarrierTrainerTest.flat(r.params());
    assertArrayEquals(once, BarrierTrainerTest.flat(t.train().params()), 0f);
    t.distribution = Distribution.PLAIN;
    float[] summed = BarrierTrainerTest.flat(t.train().params());
    for (int i = 0; i < once.length; i++) {
      assertEquals(summed[i], once[i], 0.3, "parameter " + i + " beside training in step");
    }
  }

  @Test
  void earlyStoppingRestoresTheBestEpoch() {
    // The held rows say the opposite of the others, so each epoch makes them worse.
    Dataset<Row> data =
        TestSpark.rows(400, 3)
            .withColumn("held", functions.expr("id % 4 = 0"))
            .withColumn("label", functions.expr("if(held, 1 - label, label)"));
    Task t = task(data, 2, 100, 4);
    t.held = "held";
    t.epochs = 50;
    t.patience = 2;
    TrainResult stopped = t.train();
    assertEquals(3, stopped.history().size());
    assertEquals(300, stopped.history().get(0).rows());
    t.epochs = 1;
    t.patience = 0;
    TrainResult once = t.train();
    assertArrayEquals(
        BarrierTrainerTest.flat(once.params()), BarrierTrainerTest.flat(stopped.params()), 0f);
    assertEquals(
        stopped.history().get(0).validationLoss(), once.history().get(0).validationLoss(), 0);
  }

  @Test
  void dataThatCannotBeLearntFromIsRefused() {
    Dataset<Row> rows = TestSpark.rows(100, 2);
    refused(task(rows.where("id < 0"), 2, 64, 2), "train: there must be rows to learn from: 0 tr");
    Task t = task(rows.withColumn("weight", functions.lit(0.0)), 2, 64, 2);
    t.weighted = true;
    refused(t, "train: the weights of the rows must add up to more than 0: 0.0; ");
    t = task(rows.withColumn("held", functions.lit(false)), 2, 64, 2);
    t.held = "held";
    assertNull(t.train().history().get(0).validationLoss());
    t.patience = 1;
    refused(t, "train: early stopping needs validation rows: 100 training rows, 0 validation rows");
    t = task(rows, 2, 64, 2);
    t.rate = 1e39; // infinite as a float
    refused(t, "train: the loss must stay a finite number: it did not in epoch ");
  }

  private static void refused(Task t, String start) {
    String m = assertThrows(IllegalArgumentException.class, t::train).getMessage();
    assertTrue(m.startsWith(start), m);
  }

  /** So it trains where a cluster lets executors open no ports of their own. */
  @Test
  void workersOpenNoSockets() throws Exception {
    Task t = task(TestSpark.rows(300, 2), 2, 64, 2);
    t.train(); // Spark opens some of its own once
    assertEquals(Set.of(), opened(t::train));
    t.distribution = Distribution.PLAIN;
    assertEquals(Set.of(), opened(t::train), "workers of a barrier that are in one process");
    assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")), "nobody lists sockets here");
    AtomicInteger looks = new AtomicInteger();
    Callable<Set<String>> look =
        () -> {
          Set<String> s = OpenFiles.sockets();
          looks.incrementAndGet();
          return s;
        };
    Runnable listen =
        () -> {
          Rendezvous r = Rendezvous.listen("127.0.0.1");
          int before = looks.get();
          Patience.until(() -> looks.get() > before + 1); // a whole look since it listens
          r.close();
        };
    assertNotEquals(Set.of(), OpenFiles.opened(look, listen), "a socket is seen");
  }

  private static Set<String> opened(Runnable r) throws Exception {
    return OpenFiles.opened(OpenFiles::sockets, r);
  }

  /** With dynamic allocation, in other processes, one of which is killed. */
  @Test
  void executorsMayComeAndGo(@TempDir Path temp) throws Exception {
    List<String> out = ChildJvm.cluster(temp, ElasticMain.class, 0);
    Map<String, String> said =
        out.stream()
            .filter(l -> l.matches("(BARRIER|UNBROKEN|KILLED|LEFT-OUT|LEFT-OUT-BARRIER) .*"))
            .collect(Collectors.toMap(l -> l.split(" ")[0], l -> l.split(" ", 2)[1]));
    assertEquals(5, said.size(), String.join("\n", out));
    assertTrue(said.get("BARRIER").contains("set distribution to localSgd"), said.get("BARRIER"));
    String[] unbroken = said.get("UNBROKEN").split(" ");
    String[] killed = said.get("KILLED").split(" ");
    assertEquals(unbroken[0], killed[0], "bits");
    assertEquals(unbroken[1], killed[1], "jobs: a lost task is repeated within its own");
    assertEquals("0", unbroken[2], "executors lost");
    assertEquals("1", killed[2], "executors lost");
    String[] leftOut = said.get("LEFT-OUT").split(" ");
    assertEquals("600", leftOut[1], "rows that an estimator without numWorkers learns from");
    assertNotEquals("0", leftOut[0], "jobs are seen");
    assertEquals("0 " + said.get("BARRIER"), said.get("LEFT-OUT-BARRIER"), "before any job");
  }
}
