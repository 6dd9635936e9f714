package io.fragua.arrow;

import static org.apache.spark.ml.functions.vector_to_array;
import static org.apache.spark.sql.functions.col;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.DataFrameWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.QueryExecutionListener;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files written from columns: the same contents as from rows. */
final class FileWriteTest {
  private static final int ROWS = 10_000; // more than two batches of Parquet

  private static Dataset<Row> data;

  @BeforeAll
  static void write() {
    data =
        Session.parquet(
            Session.get()
                .range(0, ROWS, 1, 1)
                .selectExpr(
                    "id",
                    "cast(id % 7 AS float) AS a",
                    "cast(id % 11 AS float) AS b",
                    "if(id % 5 = 0, null, concat('s', id % 13)) AS s",
                    "concat('long string ', id) AS distinct",
                    "if(id % 6 = 0, null, cast(concat('b', id) AS binary)) AS bin",
                    "if(id % 4 = 0, null, id % 3 = 0) AS flag",
                    "cast(id % 100 AS tinyint) AS i8",
                    "cast(id % 1000 AS smallint) AS i16",
                    "if(id % 9 = 0, null, cast(id AS int)) AS i32",
                    "cast(date_add(date'2001-01-01', cast(id % 400 AS int)) AS date) AS day",
                    "timestamp_seconds(id * 4001) AS t",
                    "cast(timestamp_seconds(id * 4001) AS timestamp_ntz) AS ntz"));
  }

  private static Dataset<Row> append(Dataset<Row> df) {
    return ColumnarMap.append(df, List.of("a", "b"), ColumnarMapTest.SUM, new AddFunction(), "add");
  }

  /** Writes and gives the plan that did it. */
  private static String plan(DataFrameWriter<Row> writer, String path) throws Exception {
    CompletableFuture<String> plan = new CompletableFuture<>();
    QueryExecutionListener listener =
        new QueryExecutionListener() {
          @Override
          public void onSuccess(String name, QueryExecution query, long nanos) {
            if (query.executedPlan().toString().contains(path)) {
              plan.complete(query.executedPlan().toString());
            }
          }

          @Override
          public void onFailure(String name, QueryExecution query, Exception e) {
            // The writer throws, if it is ours; Spark may tell now of one that failed before.
          }
        };
    Session.get().listenerManager().register(listener);
    try {
      writer.save(path);
      return plan.get(60, TimeUnit.SECONDS);
    } finally {
      Session.get().listenerManager().unregister(listener);
    }
  }

  private static void assertSame(Dataset<Row> want, String format, String path) {
    StructType schema = want.schema();
    List<Row> got =
        Session.get().read().format(format).schema(schema).load(path).sort("id").collectAsList();
    assertEquals(want.sort("id").count(), got.size());
    List<Row> rows = want.sort("id").collectAsList();
    for (int i = 0; i < rows.size(); i++) {
      for (int c = 0; c < schema.length(); c++) {
        Object w = rows.get(i).get(c);
        Object g = got.get(i).get(c);
        assertTrue(
            w instanceof byte[] b ? java.util.Arrays.equals(b, (byte[]) g) : equal(w, g),
            schema.apply(c).name() + " of row " + i + ": " + w + ", " + g);
      }
    }
  }

  private static boolean equal(Object a, Object b) {
    return a == null ? b == null : a.equals(b);
  }

  @ParameterizedTest
  @ValueSource(strings = {"parquet", "orc", "json"})
  void everyTypeInEveryFormat(String format) throws Exception {
    Dataset<Row> out = append(data);
    String path = Session.path();
    String p = plan(out.write().format(format), path);
    assertTrue(p.contains("BatchRows"), p);
    assertFalse(p.contains("ColumnarToRow"), p);
    // From the same rows through a shuffle, which copies them.
    assertSame(out.repartition(3), format, path);
  }

  @Test
  void projectionsStayColumns() throws Exception {
    Dataset<Row> out =
        append(data).selectExpr("sum * 2 AS twice", "s", "id", "hour(t) AS hour", "s AS again");
    String path = Session.path();
    String p = plan(out.write().option("maxRecordsPerFile", 1000), path);
    assertTrue(p.contains("BatchRows"), p);
    assertFalse(p.contains("ColumnarToRow"), p);
    assertSame(out.repartition(3), "parquet", path);
  }

  @Test
  void scoresAreWritten() throws Exception {
    Dataset<Row> out =
        ModelScorer.append(data, Models.broadcast(Models.model("written", 512, false)))
            .select(col("id"), col("s"), vector_to_array(col("raw"), "float32").getItem(1).as("x"));
    String path = Session.path();
    String p = plan(out.write(), path);
    assertTrue(p.contains("BatchRows"), p);
    assertFalse(p.contains("ColumnarToRow"), p);
    assertSame(out.repartition(3), "parquet", path);
  }

  /** In the plan, or in the writer once it has as many files open as it may. */
  @ParameterizedTest
  @ValueSource(ints = {0, 2})
  void rowsAreCopiedForAWriterThatSorts(int filesAtOnce) throws Exception {
    Session.get().conf().set("spark.sql.maxConcurrentOutputFileWriters", filesAtOnce);
    try {
      Dataset<Row> out = append(data).select("id", "sum", "i8");
      String path = Session.path();
      String p = plan(out.write().partitionBy("i8"), path);
      assertFalse(p.contains("BatchRows"), p);
      assertSame(out, "parquet", path);
    } finally {
      Session.get().conf().unset("spark.sql.maxConcurrentOutputFileWriters");
    }
  }

  @Test
  void rowsAreMadeOfWhatAViewCannotRead() throws Exception {
    Dataset<Row> out =
        ModelScorer.append(data, Models.broadcast(Models.model("written", 512, false)))
            .select("id", "raw", "score");
    String path = Session.path();
    assertFalse(plan(out.write(), path).contains("BatchRows"));
    assertSame(out.repartition(3), "parquet", path);
    Dataset<Row> upper = append(data).selectExpr("id", "upper(s) AS up", "sum");
    path = Session.path();
    assertFalse(plan(upper.write(), path).contains("BatchRows"));
    assertSame(upper.repartition(3), "parquet", path);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anExchangeMayBeBelow(boolean adaptive) throws Exception {
    Session.get().conf().set("spark.sql.adaptive.enabled", adaptive);
    try {
      Dataset<Row> grouped =
          data.groupBy("id")
              .agg(
                  org.apache.spark.sql.functions.max("a").as("a"),
                  org.apache.spark.sql.functions.max("b").as("b"));
      Dataset<Row> out = append(grouped).selectExpr("id", "sum + 1 AS more");
      String path = Session.path();
      plan(out.write(), path);
      assertSame(out, "parquet", path);
      assertEquals(ROWS, Session.get().read().parquet(path).count());
    } finally {
      Session.get().conf().unset("spark.sql.adaptive.enabled");
    }
  }
}
