package io.fragua.arrow;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.sum;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.OutputMode;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.streaming.Trigger;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

/**
 * The operator in a streaming query, whose session is a clone and whose sources change by batch.
 */
final class StreamingTest {
  private static final StructType SUM = new StructType().add("sum", "double", false);

  private static void write(String path, long from, long to) {
    Session.get()
        .range(from, to, 1, 1)
        .selectExpr(
            "id", "cast(id % 7 as float) as a", "cast(id % 11 as float) as b", "'x' as unused")
        .write()
        .mode("append")
        .parquet(path);
  }

  private static Dataset<Row> stream(String path) {
    Dataset<Row> in =
        Session.get()
            .readStream()
            .schema("id long, a float, b float, unused string")
            .option("maxFilesPerTrigger", 1)
            .parquet(path);
    return ColumnarMap.append(in, List.of("a", "b"), SUM, new AddFunction(), "add");
  }

  @Test
  void scoresEveryMicroBatch() throws Exception {
    String path = Session.path();
    write(path, 0, 5_000);
    write(path, 5_000, 6_000);
    Dataset<Row> out = stream(path);
    assertTrue(out.isStreaming());
    String result = Session.path();
    String checkpoint = Session.path();
    for (int run = 0; run < 2; run++) {
      StreamingQuery q =
          out.filter("id % 2 = 0")
              .select("id", "sum")
              .writeStream()
              .format("parquet")
              .option("checkpointLocation", checkpoint)
              .trigger(Trigger.AvailableNow())
              .start(result);
      q.awaitTermination();
      List<Row> rows = Session.get().read().parquet(result).sort("id").collectAsList();
      assertEquals(run == 0 ? 3_000 : 3_500, rows.size());
      for (Row r : rows) {
        assertEquals(r.getLong(0) % 7 + r.getLong(0) % 11, r.getDouble(1));
      }
      write(path, 6_000, 7_000); // for the second run, from the checkpoint
    }
  }

  @Test
  void feedsStatefulAggregates() throws Exception {
    String path = Session.path();
    write(path, 0, 500);
    write(path, 500, 1_500);
    StreamingQuery q =
        stream(path)
            .groupBy(col("id").mod(org.apache.spark.sql.functions.lit(3)).as("k"))
            .agg(sum("sum").as("total"))
            .writeStream()
            .format("memory")
            .queryName("totals")
            .outputMode(OutputMode.Complete())
            .trigger(Trigger.AvailableNow())
            .start();
    q.awaitTermination();
    double[] want = new double[3];
    for (int id = 0; id < 1_500; id++) {
      want[id % 3] += id % 7 + id % 11;
    }
    List<Row> rows = Session.get().sql("select k, total from totals order by k").collectAsList();
    assertEquals(3, rows.size());
    for (int k = 0; k < 3; k++) {
      assertEquals(want[k], rows.get(k).getDouble(1));
    }
  }

  @Test
  void scoresAModelInForeachBatch() throws Exception {
    String path = Session.path();
    Session.get()
        .range(0, 3_000, 1, 1)
        .selectExpr(
            "id", "float(id % 17) as a", "double(id % 5 - 2) as b", "concat('v', id % 5) as s")
        .write()
        .parquet(path);
    Dataset<Row> in =
        Session.get().readStream().schema("id long, a float, b double, s string").parquet(path);
    Dataset<Row> out =
        ModelScorer.append(in, Models.scorer(Models.model("stream", 64, false), "cpu"));
    List<Row> want =
        ModelScorer.append(
                Session.get().read().parquet(path),
                Models.scorer(Models.model("batch", 64, false), "cpu"))
            .sort("id")
            .collectAsList();
    List<Row> got = new java.util.concurrent.CopyOnWriteArrayList<>();
    out.writeStream()
        .trigger(Trigger.AvailableNow())
        .foreachBatch((Dataset<Row> b, Long id) -> got.addAll(b.sort("id").collectAsList()))
        .start()
        .awaitTermination();
    assertEquals(want, List.copyOf(got));
    assertTrue(SparkSession.getActiveSession().isDefined());
  }
}
