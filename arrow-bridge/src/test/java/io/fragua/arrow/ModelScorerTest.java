package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Precision;
import io.fragua.graph.GraphJson;
import io.fragua.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.spark.SparkException;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Scoring against the same arithmetic on rows, and what it leaves behind. */
final class ModelScorerTest {
  private static final int ROWS = 9_000;
  private static Dataset<Row> data;

  @BeforeAll
  static void write() {
    data = Session.parquet(source(ROWS));
  }

  static Dataset<Row> source(long rows) {
    return Session.get()
        .range(0, rows, 1, 1)
        .selectExpr(
            "id",
            "cast(id % 17 as float) as a",
            "cast(id % 5 - 2 as double) as b",
            "concat('v', id % 5) as s");
  }

  static void assertScores(Dataset<Row> out, int rows) {
    List<Row> got =
        out.select("id", "a", "b", "s", "score", "score32", "raw", "best").collectAsList();
    assertEquals(rows, got.size());
    for (Row r : got) {
      long id = r.getLong(0);
      assertEquals(id % 17, r.getFloat(1));
      assertEquals(id % 5 - 2, r.getDouble(2));
      assertEquals("v" + id % 5, r.getString(3));
      double[] raw = new double[3];
      int best = 0;
      double sum = 0;
      for (int k = 0; k < 3; k++) {
        raw[k] = r.getFloat(1) * Models.KERNEL[k] + r.getDouble(2) * Models.KERNEL[3 + k];
        best = raw[k] > raw[best] ? k : best;
        sum += raw[k];
      }
      int word = Arrays.asList(Models.WORDS).indexOf(r.getString(3));
      double score = sum * Models.TABLE[word + 1];
      assertEquals(score, r.getDouble(4), 1e-4);
      assertEquals((float) r.getDouble(4), r.getFloat(5));
      assertArrayEquals(raw, ((Vector) r.get(6)).toArray(), 1e-4);
      assertEquals(best, r.getInt(7));
    }
  }

  static Stream<Arguments> backendsAndBatches() {
    return Stream.of("reference", "cpu")
        .flatMap(b -> Stream.of(1, 7, 64, 1024, 20_000).map(n -> Arguments.of(b, n)))
        .filter(a -> !(a.get()[0].equals("reference") && (Integer) a.get()[1] == 20_000));
  }

  @ParameterizedTest
  @MethodSource("backendsAndBatches")
  void scoresEveryRow(String backend, int batch) {
    Dataset<Row> some = batch == 1 ? data.limit(300) : data;
    ModelScorer scorer = Models.scorer(Models.model("m", batch, false), backend);
    assertScores(ModelScorer.append(some, scorer), batch == 1 ? 300 : ROWS);
    assertUnused();
  }

  private static final AtomicInteger RUNS = new AtomicInteger();

  /** Spark's reader gives the rows in batches of 4096, 4096 and 808. */
  @ParameterizedTest
  @CsvSource({"1, 9000", "7, 1288", "1024, 9", "20000, 3"})
  void oneRunForEachBatch(int batch, int runs) {
    RUNS.set(0);
    ScoreModel m = Models.model("runs", batch, false);
    Dataset<Row> out =
        ColumnarMap.append(
            data,
            m.inputs(),
            m.schema(),
            new EachRun(Models.scorer(m, "cpu"), () -> RUNS.incrementAndGet()),
            "counted");
    assertScores(out, ROWS);
    assertEquals(runs, RUNS.get());
  }

  @Test
  void scoresRowsOfEverySource() {
    ModelScorer scorer = Models.scorer(Models.model("m", 100, false), "cpu");
    assertScores(ModelScorer.append(source(ROWS), scorer), ROWS);
    assertScores(ModelScorer.append(data.repartition(5), scorer), ROWS);
    assertScores(ModelScorer.append(data.filter("id % 3 = 0"), scorer), ROWS / 3);
    assertScores(ModelScorer.append(data.filter("id < 0"), scorer), 0);
    assertScores(ModelScorer.append(data, scorer).repartition(2).sort("id"), ROWS);
    Dataset<Row> cached = ModelScorer.append(data, scorer).cache();
    assertScores(cached, ROWS);
    assertScores(cached, ROWS);
    cached.unpersist(true);
    String path = Session.path();
    ModelScorer.append(data, scorer).write().parquet(path);
    assertScores(Session.get().read().parquet(path), ROWS);
    assertUnused();
  }

  @Test
  void paddingDoesNotReachOtherRows() {
    // The same row alone, last in a batch, and after a longer batch.
    ModelScorer scorer = Models.scorer(Models.model("m", 50, false), "cpu");
    List<Row> all = ModelScorer.append(data, scorer).sort("id").collectAsList();
    for (String filter : List.of("id = 8999", "id >= 8950", "id < 51")) {
      for (Row r : ModelScorer.append(data.filter(filter), scorer).collectAsList()) {
        assertEquals(all.get((int) r.getLong(0)), r);
      }
    }
  }

  @Test
  void showsItself() {
    Dataset<Row> out = ModelScorer.append(data, Models.broadcast(Models.model("nice", 64, false)));
    String p = Session.physical(out.select("score"));
    assertTrue(p.contains("ColumnarMap score nice, [a#"), p);
    assertTrue(p.contains("cpu, STRICT, batches of 64"), p);
    assertTrue(p.contains("ReadSchema: struct<a:float,b:double,s:string>"), p);
    out.select("score", "raw").collectAsList();
    Dataset<Row> run = out.select("id", "score");
    run.collectAsList();
    var m = Session.metrics(run);
    assertEquals(ROWS, m.get("numOutputRows"));
    assertTrue(m.get("loadTime") > 0 && m.get("copyTime") > 0 && m.get("computeTime") > 0, m + "");
  }

  @Test
  void sharesOneProgramPerModel() {
    ScoreModel one = Models.model("shared", 64, false);
    assertEquals(
        Models.scorer(one, "cpu"), Models.scorer(Models.model("shared", 64, false), "cpu"));
    assertNotEquals(Models.scorer(one, "cpu"), Models.scorer(one, "reference"));
    assertNotEquals(
        Models.scorer(one, "cpu"), Models.scorer(Models.model("shared", 65, false), "cpu"));
    assertNotEquals(
        Models.scorer(one, "cpu"), Models.scorer(Models.model("other", 64, false), "cpu"));
    assertNotEquals(
        Models.scorer(one, "cpu"), Models.scorer(Models.model("shared", 64, true), "cpu"));
    ScoreModel other =
        new ScoreModel(
            one.uid(),
            one.graphJson(),
            one.nextGraphJson(),
            Models.weights(
                Map.of(
                    "table", Tensor.of(Models.TABLE, 4, 1),
                    "kernel", Tensor.of(new float[] {1, 2, 3, 4, 5, 7}, 2, 3))),
            one.tiles(),
            one.outputs(),
            one.batchRows(),
            one.precision(),
            one.threads());
    assertNotEquals(Models.scorer(one, "cpu"), Models.scorer(other, "cpu"));
    for (int i = 0; i < 12; i++) {
      ModelScorer s = Models.scorer(Models.model("many" + i, 64, false), "cpu");
      ModelScorer.append(data.repartition(3), s).select("score").collectAsList();
    }
    assertUnused();
    assertTrue(ModelCache.counts()[0] <= ModelCache.MAX_IDLE, () -> ModelCache.counts()[0] + "");
  }

  private static LoadedModel loaded(ScoreModel m, ModelKey key) {
    LoadedModel loaded = ModelCache.acquire(m, key);
    ModelCache.release(key);
    return loaded;
  }

  @Test
  void aSecondQueryLoadsNothing() {
    ModelCache.clear();
    ScoreModel m = Models.model("again", 64, false);
    ModelScorer.append(data, Models.broadcast(m)).collectAsList();
    ModelKey key = ModelKey.of(m, "cpu").withThreads(1); // spark.task.cpus
    LoadedModel first = loaded(m, key);
    Sent<ScoreModel> sentAgain = Models.broadcast(Models.model("again", 64, false));
    for (Dataset<Row> rows : List.of(data, data.repartition(4), data.filter("id % 3 = 0"))) {
      ModelScorer.append(rows, sentAgain).collectAsList();
    }
    assertUnused();
    assertSame(first, loaded(m, key));
    assertArrayEquals(new int[] {1, 0}, ModelCache.counts(), "nothing beside it");
  }

  // --- what it leaves behind

  static void assertUnused() {
    // The last tasks of a cancelled or limited job end a little after the job.
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (ModelCache.counts()[1] > 0 && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    assertEquals(0, ModelCache.counts()[1]);
  }

  @Test
  void aFailedTaskFreesWhatItHeld() {
    Dataset<Row> bad = source(ROWS).selectExpr("id", "if(id = 5000, null, a) as a", "b", "s");
    ModelScorer scorer = Models.scorer(Models.model("fails", 64, false), "cpu");
    String m =
        Session.message(
            assertThrows(
                SparkException.class, () -> ModelScorer.append(bad, scorer).collectAsList()));
    assertTrue(m.contains("column a: values must not be null: null in row 5000 of partition 0"), m);
    assertFalse(m.contains("leaked"), m);
    assertUnused();
    assertEquals(
        ROWS,
        ModelScorer.append(bad, Models.scorer(Models.model("keeps", 64, true), "cpu"))
            .select("score")
            .collectAsList()
            .size());
  }

  // --- models that do not fit

  @Test
  void refusesModelsThatDoNotFit() {
    ScoreModel m = Models.model("m", 8, false);
    TileSpec narrow =
        new TileSpec("x", io.fragua.tensor.DType.F32, List.of(InputColumn.scalar("a")), false);
    assertRefused(
        with(m, List.of(narrow, m.tiles().get(1)), m.outputs(), m.safetensors()),
        "model m: a tile must have the type of its graph input: tile x is f32[8, 1], the input"
            + " f32[8, 2]; trace the graph for this batch size and these columns");
    assertRefused(
        with(
            m,
            m.tiles(),
            List.of(new OutputSpec("o", "raw", OutputSpec.Kind.FLOAT)),
            m.safetensors()),
        "model m: column o (FLOAT) needs a result of shape [8]: \"raw\" is f32[8, 3]; reshape or"
            + " cast it in the graph");
    assertRefused(
        with(
            m,
            m.tiles(),
            List.of(new OutputSpec("o", "score", OutputSpec.Kind.INT)),
            m.safetensors()),
        "model m: column o (INT) needs a result of shape [8]: \"score\" is f32[8]; reshape or cast"
            + " it in the graph");
    String missing =
        Session.message(
            assertThrows(
                SparkException.class,
                () ->
                    ModelScorer.append(
                            data,
                            Models.broadcast(
                                with(
                                    m,
                                    m.tiles(),
                                    m.outputs(),
                                    Models.weights(
                                        Map.of("table", Tensor.of(Models.TABLE, 4, 1))))))
                        .collectAsList()));
    assertTrue(
        missing.contains(
            "model m: the weights must hold every input that is no tile: \"kernel\" f32[2, 3],"
                + " found none; the model is damaged"),
        missing);
    assertUnused();
    assertEquals(
        "column b: must be a number, boolean, date or timestamp: it is string; cast it or choose"
            + " another column",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    ModelScorer.append(
                        data.selectExpr("a", "string(b) as b", "s"), Models.broadcast(m)))
            .getMessage());
    assertEquals(GraphJson.write(Models.graph(8)), m.graphJson());
    assertEquals(Precision.STRICT, m.precision());
  }

  private static ScoreModel with(
      ScoreModel m, List<TileSpec> tiles, List<OutputSpec> outputs, byte[] weights) {
    return new ScoreModel(
        m.uid(),
        m.graphJson(),
        m.nextGraphJson(),
        weights,
        tiles,
        outputs,
        m.batchRows(),
        m.precision(),
        0);
  }

  private static void assertRefused(ScoreModel m, String message) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> new ModelScorer(Models.broadcast(m)))
            .getMessage());
  }
}
