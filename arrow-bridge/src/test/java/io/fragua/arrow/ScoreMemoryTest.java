package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.Precision;
import io.fragua.graph.Graph;
import io.fragua.graph.GraphJson;
import io.fragua.graph.Tracer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.spark.SparkEnv;
import org.apache.spark.SparkException;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.storage.BlockId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import scala.runtime.AbstractFunction1;

/** What scoring takes, what it does with less, and that it gives everything back. */
final class ScoreMemoryTest {
  private static final int ROWS = 3_000;

  /** Memory of the tests before is none of these tests' own: all that is counted here is ours. */
  @BeforeEach
  void nothingRuns() {
    ModelScorerTest.assertUnused();
  }

  @AfterEach
  void unset() {
    Session.get().conf().unset(TaskMemory.KEY);
  }

  /** Native memory, without what models hold that wait for their next use. */
  private static long held() {
    ModelCache.clear();
    return Allocator.held();
  }

  private static Dataset<Row> score(ScoreModel m) {
    return ModelScorer.append(ModelScorerTest.source(ROWS), Models.broadcast(m));
  }

  private static Map<String, Long> metrics(Dataset<Row> df) {
    Dataset<Row> same = df.select("score", "raw"); // a plan of its own, with metrics of its own
    same.collectAsList();
    return Session.metrics(same);
  }

  // --- batches that do not fit

  @Test
  void halvesABatchUntilItFits() {
    ScoreModel m = Models.model("halved", 1024, false);
    long whole = metrics(score(m)).get("nativeMemory");
    assertEquals(0, metrics(score(m)).get("numHalvings"));
    // A quarter of the rows needs a third: some memory is the same for all sizes.
    long limit = whole * 2 / 5;
    Session.get().conf().set(TaskMemory.KEY, limit + "b");
    Dataset<Row> out = score(m);
    Session.get().conf().unset(TaskMemory.KEY); // it was read by transform
    ModelScorerTest.assertScores(out, ROWS);
    Map<String, Long> got = metrics(out);
    assertEquals(2, got.get("numHalvings"));
    assertTrue(got.get("nativeMemory") <= limit, () -> got + " of " + limit);
    assertTrue(got.get("nativeMemory") > limit / 2, () -> got + " of " + limit);
    ModelScorerTest.assertUnused();
  }

  @Test
  void halvesABatchThatSparkHasNoMemoryFor() {
    // Off-heap execution memory is 32 MB in the tests' session.
    ScoreModel m = Models.model("large", 1 << 20, false);
    Map<String, Long> got = metrics(score(m));
    assertTrue(got.get("numHalvings") > 0, got::toString);
    assertTrue(got.get("nativeMemory") <= Session.OFF_HEAP, got::toString);
    assertTrue(got.get("nativeMemory") > Session.OFF_HEAP / 4, got::toString);
    ModelScorerTest.assertScores(score(m), ROWS);
    assertEquals(0, SparkEnv.get().memoryManager().offHeapExecutionMemoryUsed());
  }

  @Test
  void saysWhatToSetWhereOneRowDoesNotFit() {
    long held = held();
    Session.get().conf().set(TaskMemory.KEY, "16");
    ScoreModel m = Models.model("tight", 1024, false);
    String text =
        Session.message(assertThrows(SparkException.class, () -> score(m).collectAsList()));
    assertTrue(
        text.matches(
            "(?s).*model tight: a batch must fit the memory of a task: one of 1 row does not, 1024"
                + " are set: allocator score tight, stage \\d+, partition 0: must stay in its"
                + " budget: \\d+ bytes more than the \\d+ in use, budget 16 bytes a task; raise or"
                + " unset spark.fragua.score.memory, and what Spark grants the task of 33554432"
                + " bytes; raise spark.memory.offHeap.size\n.*"),
        text);
    ScoreModel whole =
        new ScoreModel(
            "whole",
            m.graphJson(),
            "",
            m.safetensors(),
            m.tiles(),
            m.outputs(),
            m.batchRows(),
            m.precision(),
            m.threads());
    text = Session.message(assertThrows(SparkException.class, () -> score(whole).collectAsList()));
    assertTrue(text.contains("task: one of 1024 rows does not, 1024 are set: "), text);
    ModelScorerTest.assertUnused();
    assertTrue(held() <= held);
  }

  @Test
  void refusesAWrongSetting() {
    for (String wrong : List.of("much", "-1", "0")) {
      Session.get().conf().set(TaskMemory.KEY, wrong);
      assertEquals(
          "spark.fragua.score.memory: must be a number of bytes from 1 up, as 512m: \""
              + wrong
              + "\"; correct or unset it",
          assertThrows(IllegalArgumentException.class, () -> score(Models.model("m", 8, false)))
              .getMessage());
    }
  }

  // --- what tasks share

  @Test
  void tasksShareWhatIsMadeOfTheWeights() {
    int rows = 100_000;
    ScoreModel like = Models.model("shared", 64, false);
    ScoreModel m =
        new ScoreModel(
            "shared",
            GraphJson.write(sums(64, rows)),
            GraphJson.write(sums(65, rows)),
            Models.weights(Map.of("table", Tensor.of(new float[rows], rows, 1))),
            like.tiles().subList(1, 2),
            like.outputs().subList(0, 1),
            64,
            Precision.STRICT,
            0);
    long held = held();
    Dataset<Row> in = ModelScorerTest.source(ROWS).repartition(4);
    Dataset<Row> out = ModelScorer.append(in, Models.broadcast(m));
    Dataset<Row> scored = out.select("score");
    scored.collectAsList();
    long tasks = Session.metrics(scored).get("nativeMemory");
    assertTrue(tasks < rows * 4, tasks + " bytes in all tasks");
    ModelScorerTest.assertUnused();
    long model = Allocator.held() - held;
    assertTrue(model >= rows * 4 && model < rows * 6, model + " bytes in the model");
    assertTrue(held() <= held, "freed with it");
  }

  /** Looks up in what depends on the weights alone. */
  private static Graph sums(int batch, int rows) {
    return Tracer.trace(
        List.of(
            new Graph.Input("table", TensorType.of(DType.F32, rows, 1)),
            new Graph.Input("ids", TensorType.of(DType.I32, batch, 1))),
        List.of("score"),
        in -> List.of(in.get(0).cumsum(0).gather(in.get(1).reshape(batch)).reshape(batch)));
  }

  // --- kills

  private static final AtomicInteger RUNS = new AtomicInteger();

  /** Kills the job from outside during the fifth run of the program. */
  private static void kill() {
    if (RUNS.incrementAndGet() == 5) {
      Session.get().sparkContext().cancelJobGroup("kill");
      await(TaskContext.get()::isInterrupted);
    }
  }

  private static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean() && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    assertTrue(condition.getAsBoolean(), "waited for a minute");
  }

  @Test
  void aKilledTaskStopsAfterTheBatchItIsAt() {
    long held = held();
    RUNS.set(0);
    // One batch of Spark's is many of the model's; the task's thread is not interrupted.
    ScoreModel m = Models.model("stops", 8, false);
    Dataset<Row> out =
        ColumnarMap.append(
            ModelScorerTest.source(1 << 20),
            m.inputs(),
            m.schema(),
            new EachRun(Models.scorer(m, "cpu"), ScoreMemoryTest::kill),
            "killed");
    Session.get().sparkContext().setJobGroup("kill", "stops", false);
    try {
      String text = Session.message(assertThrows(Exception.class, out::collectAsList));
      assertTrue(text.contains("cancelled"), text);
    } finally {
      Session.get().sparkContext().clearJobGroup();
    }
    ModelScorerTest.assertUnused();
    assertEquals(5, RUNS.get());
    assertTrue(held() <= held);
  }

  @Test
  void aKilledJobEndsSoonAndFreesWhatItHeld() throws Exception {
    long held = held();
    Dataset<Row> endless =
        Session.get()
            .range(0, 1L << 40, 1, 2)
            .selectExpr("id", "cast(1 as float) as a", "2D as b", "'v1' as s");
    ModelScorer scorer = Models.scorer(Models.model("killed", 1024, false), "cpu");
    CompletableFuture<Void> job =
        CompletableFuture.runAsync(
            () -> {
              Session.get().sparkContext().setJobGroup("kill", "endless", true);
              ModelScorer.append(endless, scorer).agg(functions.sum("score")).collectAsList();
            });
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (ModelCache.counts()[1] < 2 && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    assertEquals(2, ModelCache.counts()[1]);
    Session.get().sparkContext().cancelJobGroup("kill");
    assertThrows(ExecutionException.class, () -> job.get(60, TimeUnit.SECONDS));
    ModelScorerTest.assertUnused();
    assertTrue(held() <= held);
  }

  // --- leaks

  private static long direct() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(b -> b.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  private static int broadcasts() {
    return SparkEnv.get()
        .blockManager()
        .getMatchingBlockIds(
            new AbstractFunction1<BlockId, Object>() {
              @Override
              public Object apply(BlockId b) {
                return b.isBroadcast();
              }
            })
        .size();
  }

  private static int threads() {
    return ManagementFactory.getThreadMXBean().getThreadCount();
  }

  @Test
  void aThousandQueriesLeaveNothing() {
    Session.get().conf().set("spark.sql.adaptive.enabled", false); // plans faster
    try {
      // Half a megabyte of tiles and results a task: a thousand leaks of it would be over 500 MB.
      var model = Models.broadcast(Models.model("often", 20_000, false));
      queries(model, 10);
      ModelScorerTest.assertUnused();
      int models = ModelCache.counts()[0];
      long held = held();
      long direct = direct();
      int threads = threads();
      int broadcasts = broadcasts();
      for (int i = 0; i < 5; i++) { // of 9 queries, 23 times: 1,035
        queries(model, 23);
      }
      ModelScorerTest.assertUnused();
      assertEquals(models, ModelCache.counts()[0]);
      assertTrue(held() <= held);
      assertTrue(direct() - direct < 64L << 20, () -> direct() - direct + " bytes more");
      // Spark's and the JVM's own come and go; of ours there would be one for each query.
      assertTrue(threads() <= threads + 100, () -> threads() + " threads after " + threads);
      // Spark's own of each job are freed when the collector has found them.
      await(
          () -> {
            System.gc();
            return broadcasts() <= broadcasts + 100;
          });
    } finally {
      Session.get().conf().unset("spark.sql.adaptive.enabled");
    }
  }

  /** Plans nine queries and runs them so many times, and one that fails once. */
  private static void queries(Sent<ScoreModel> model, int times) {
    List<Dataset<Row>> queries = new ArrayList<>();
    Dataset<Row> rows = ModelScorerTest.source(100);
    for (int i = 0; i < 9; i++) {
      Dataset<Row> scored = ModelScorer.append(rows, model);
      queries.add(i == 0 ? scored.limit(3) : scored.select("id", i % 2 == 0 ? "score" : "raw"));
    }
    for (int t = 0; t < times; t++) {
      for (Dataset<Row> q : queries) {
        assertEquals(q == queries.get(0) ? 3 : 100, q.collectAsList().size());
      }
      if (t == 0) {
        Dataset<Row> bad = rows.selectExpr("id", "if(id = 50, null, a) as a", "b", "s");
        assertThrows(SparkException.class, () -> ModelScorer.append(bad, model).collectAsList());
      }
    }
  }
}
