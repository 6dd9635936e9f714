package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.arrow.ColumnarMapExec;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.SparkEnv;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.storage.BlockId;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/** What transform sends to the executors, and how many rows they score at once. */
class TransformTest {
  private static NeuralClassificationModel model;
  private static Dataset<Row> rows;

  @BeforeAll
  static void fit() {
    model =
        new NeuralClassifier()
            .setLabelCol("xor")
            .setNumericCols("a", "b")
            .setHiddenLayers(4)
            .setEpochs(1)
            .fit(EstimatorCases.data());
    String path = Spark.folder("rows").toString();
    EstimatorCases.data().select("a", "b").coalesce(1).write().parquet(path);
    rows = Spark.session().read().parquet(path);
  }

  // --- what is sent

  /** The broadcasts that the driver has: plans need none, and no job runs meanwhile. */
  private static Set<Object> broadcasts() {
    Set<Object> all = new HashSet<>();
    SparkEnv.get()
        .blockManager()
        .getMatchingBlockIds(
            new AbstractFunction1<BlockId, Object>() {
              @Override
              public Object apply(BlockId b) {
                return b.isBroadcast() && all.add(b.name().split("_")[1]);
              }
            });
    return all;
  }

  private static void assertSends(int models, NeuralClassificationModel m, Dataset<Row> d) {
    Set<Object> before = broadcasts();
    m.transform(d);
    Set<Object> sent = broadcasts();
    sent.removeAll(before); // which the collector may free meanwhile
    assertEquals(models, sent.size(), () -> "broadcasts " + sent);
  }

  @Test
  void transformingAgainSendsNothing() {
    NeuralClassificationModel m = model.copy(new ParamMap()).setInferenceBatchSize(77);
    assertSends(1, m, rows);
    assertSends(0, m, rows);
    m.transform(rows).collectAsList();
    assertSends(0, m, rows.filter("a > 0.5"));
    assertSends(0, m.copy(new ParamMap()), EstimatorCases.data());
    assertSends(1, m.setThresholds(0.2, 0.8), rows);
    assertSends(1, m.setInferenceBatchSize(78), rows);
    assertSends(0, m.setInferenceBatchSize(77), rows);
  }

  /** Of many settings only the last few stay, and what a plan still needs. */
  @Test
  void settingsThatNobodyUsesAreFreed() throws Exception {
    NeuralClassificationModel m = model.copy(new ParamMap()).setInferenceBatchSize(79);
    Set<Object> before = broadcasts();
    Dataset<Row> first = m.setThresholds(0.5, 0.5).transform(rows);
    for (int i = 1; i <= 20; i++) {
      m.setThresholds(i, 1).transform(rows);
    }
    Set<Object> sent = Set.of();
    for (int i = 0; i < 300 && (i == 0 || sent.size() > 5); i++) {
      System.gc(); // Spark's cleaner learns from it what nobody refers to
      Thread.sleep(100);
      sent = broadcasts();
      sent.removeAll(before);
    }
    assertEquals(5, sent.size(), "the first plan's and the last four");
    assertSends(0, m.setThresholds(17, 1), rows);
    assertSends(1, m.setThresholds(16, 1), rows);
    assertEquals(rows.count(), first.filter("prediction >= 0").count());
  }

  // --- how many rows at once

  @Test
  void theInferenceBatchSizeIsUsed() throws Exception {
    List<Row> expected = model.transform(rows).select("prediction").collectAsList();
    long less = 0;
    for (int size : new int[] {1, 50, 4096}) {
      NeuralClassificationModel set = model.copy(new ParamMap()).setInferenceBatchSize(size);
      String path = Spark.folder("model").toString();
      set.save(path);
      long memory = 0;
      for (NeuralClassificationModel m : List.of(set, NeuralClassificationModel.load(path))) {
        Dataset<Row> scored = m.transform(rows).select("prediction");
        String plan = Spark.plan(scored);
        assertTrue(plan.contains(", batches of " + size + "\n"), plan);
        assertEquals(expected, scored.collectAsList());
        memory = nativeMemory(scored);
        assertTrue(memory > 2 * less, memory + " bytes of " + size + " rows, fewer: " + less);
      }
      less = memory;
    }
  }

  /** What the only task of a query that was run has taken. */
  private static long nativeMemory(Dataset<Row> scored) {
    SparkPlan plan = Spark.executed(scored);
    while (!(plan instanceof ColumnarMapExec)) {
      plan = CollectionConverters.asJava(plan.children()).get(0);
    }
    return plan.metrics().apply("nativeMemory").value();
  }
}
