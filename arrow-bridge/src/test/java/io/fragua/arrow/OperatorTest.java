package io.fragua.arrow;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.sum;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.WholeStageCodegenExec;
import org.apache.spark.sql.execution.adaptive.AQEShuffleReadExec;
import org.apache.spark.sql.execution.columnar.InMemoryTableScanExec;
import org.apache.spark.sql.execution.exchange.Exchange;
import org.apache.spark.sql.execution.exchange.ShuffleExchangeLike;
import org.apache.spark.sql.execution.joins.BroadcastHashJoinExec;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What Spark may do around the operator: how little is scored, and that nothing is done twice. */
final class OperatorTest {
  private static final StructType SUM = new StructType().add("sum", "double", false);
  private static final int ROWS = 40_000;
  private static final int BATCH = 4096; // of Spark's Parquet reader
  private static final int FILES = 8;

  private static Dataset<Row> data;

  @BeforeAll
  static void write() {
    String path = Session.path();
    source().write().parquet(path);
    data = Session.get().read().parquet(path);
  }

  /** Rows in as many partitions as there are files. */
  private static Dataset<Row> source() {
    return Session.get()
        .range(0, ROWS, 1, FILES)
        .selectExpr("id", "float(id % 7) a", "float(id % 11) b", "concat('k', id % 5) s");
  }

  private static Dataset<Row> append(Dataset<Row> df) {
    return ColumnarMap.append(df, List.of("a", "b"), SUM, new AddFunction(), "add");
  }

  private static void assertSums(List<Row> rows) {
    for (Row r : rows) {
      long id = r.<Long>getAs("id");
      assertEquals(id % 7 + id % 11, r.<Double>getAs("sum"));
    }
  }

  // --- limits

  /** A query, the rows it returns, and the most rows it may score. */
  static Stream<Arguments> limits() {
    Dataset<Row> all = append(data);
    Dataset<Row> one = append(data.coalesce(1));
    Dataset<Row> other = data.selectExpr("id as other", "s as t");
    return Stream.of(
        Arguments.of("at the top", all.limit(10), 10, BATCH),
        Arguments.of("over a projection", all.select("id", "sum").limit(10), 10, BATCH),
        Arguments.of("of more than a batch of rows", one.limit(10_001), 10_001, 20_000),
        Arguments.of("below an exchange", all.limit(10).repartition(2), 10, 10),
        Arguments.of("below a filter", all.limit(10).filter("sum >= 0"), 10, 10),
        Arguments.of(
            "below a join", all.limit(10).join(other, col("id").equalTo(col("other"))), 10, 10),
        Arguments.of(
            "below a projection",
            all.selectExpr("id", "sum", "sum * 2 as d").limit(10).repartition(2),
            10,
            10),
        Arguments.of(
            "of each side of a union", all.union(all).limit(10).repartition(2), 10, 2 * FILES * 10),
        Arguments.of("of sorted rows", all.sort(col("id").desc()).limit(10), 10, 10),
        Arguments.of("of rows sorted by a result", all.sort("sum").limit(10), 10, ROWS),
        Arguments.of(
            "of filtered results",
            all.filter("sum > 15").limit(10).repartition(2),
            10,
            FILES * BATCH),
        Arguments.of("that reads on", all.limit(20_000).repartition(2), 20_000, ROWS),
        Arguments.of("behind an offset", all.offset(5).limit(10), 10, FILES * BATCH));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("limits")
  void scoresNoMoreThanALimitNeeds(String name, Dataset<Row> query, int rows, int most) {
    List<Row> got = query.collectAsList();
    assertEquals(rows, got.size());
    assertSums(got);
    long scored =
        Session.plan(query, ColumnarMapExec.class).stream().mapToLong(OperatorTest::rows).sum();
    assertTrue(scored <= most, () -> scored + " rows scored by " + Session.physical(query));
    assertTrue(scored >= rows, () -> scored + " rows scored by " + Session.physical(query));
  }

  private static long rows(ColumnarMapExec map) {
    return map.metrics().apply("numOutputRows").value();
  }

  @Test
  void aLimitKeepsTheOrder() {
    List<Row> got = append(data).sort(col("s"), col("id").desc()).limit(3).collectAsList();
    assertEquals(List.of(39_995L, 39_990L, 39_985L), got.stream().map(r -> r.getLong(0)).toList());
  }

  // --- partitioning and ordering

  @Test
  void keepsPartitioningAndOrder() {
    Dataset<Row> parts = append(data.repartition(3, col("s")).sortWithinPartitions("s", "id"));
    assertExchanges(1, parts);
    assertExchanges(1, parts.groupBy("s").agg(sum("sum")));
    assertExchanges(1, parts.sortWithinPartitions("s", "id"));
    assertEquals(1, sorts(parts.sortWithinPartitions("s", "id")));
    assertEquals(1, sorts(parts.sortWithinPartitions("s")));
    assertEquals(2, sorts(parts.sortWithinPartitions("sum")));
    Dataset<Row> other = append(data.filter("id < 50").repartition(3, col("s")));
    Dataset<Row> join = parts.hint("merge").join(other.selectExpr("s", "sum as right"), "s");
    assertExchanges(2, join); // one for each side's repartition, none for the join
    assertEquals(2, sorts(join)); // the left side is sorted by s already
    assertEquals(400_000, join.count());
    assertExchanges(2, parts.groupBy("sum").count());
  }

  @Test
  void replacedColumnsArePartitionedAnew() {
    Dataset<Row> parts = data.repartition(3, col("a"));
    Dataset<Row> replaced =
        ColumnarMap.replace(parts, List.of("a", "b"), SUM, new AddFunction(), "add");
    assertExchanges(2, replaced.groupBy("sum").count());
  }

  private static void assertExchanges(int n, Dataset<Row> df) {
    withoutAdaptive(df, p -> assertEquals(n, Session.find(p, Exchange.class).size(), p::toString));
  }

  private static int sorts(Dataset<Row> df) {
    int[] n = new int[1];
    withoutAdaptive(
        df, p -> n[0] = Session.find(p, org.apache.spark.sql.execution.SortExec.class).size());
    return n[0];
  }

  /** Adaptive execution plans exchanges when it runs; without it the plan is whole beforehand. */
  private static void withoutAdaptive(Dataset<Row> df, java.util.function.Consumer<SparkPlan> f) {
    Session.get().conf().set("spark.sql.adaptive.enabled", false);
    try {
      Dataset<Row> same = df.select("*"); // a query that was not planned before
      f.accept(Session.executed(same));
    } finally {
      Session.get().conf().unset("spark.sql.adaptive.enabled");
    }
  }

  // --- adaptive execution

  @Test
  void adaptiveExecutionPlansAround() {
    Dataset<Row> small = append(data.filter("id < 20")).selectExpr("id", "sum as right");
    Dataset<Row> out =
        append(data.repartition(col("s"))) // exchanged below, with partitions that are coalesced
            .join(small, "id")
            .groupBy("s")
            .agg(sum(col("sum").multiply(col("right"))).as("total")) // and above
            .sort("s");
    List<Row> got = out.collectAsList();
    assertEquals(5, got.size());
    double total = 0;
    for (int id = 0; id < 20; id++) {
      total += (id % 7 + id % 11) * (id % 7 + id % 11);
    }
    assertEquals(total, got.stream().mapToDouble(r -> r.getDouble(1)).sum());
    assertFalse(Session.plan(out, BroadcastHashJoinExec.class).isEmpty(), Session.physical(out));
    List<AQEShuffleReadExec> reads = Session.plan(out, AQEShuffleReadExec.class);
    assertTrue(
        reads.stream().anyMatch(r -> r.hasCoalescedPartition() && below(out, r)),
        Session.physical(out));
  }

  /** Whether an operator of ours reads from this node. */
  private static boolean below(Dataset<Row> df, SparkPlan node) {
    return Session.plan(df, ColumnarMapExec.class).stream()
        .anyMatch(m -> Session.find(m, AQEShuffleReadExec.class).contains(node));
  }

  @Test
  void oneOperatorFeedsTwoExchanges() {
    // Both sides are one scoring: its exchange is used twice.
    Dataset<Row> sums = append(data).groupBy("s").agg(sum("sum").as("x"));
    Dataset<Row> both = sums.hint("merge").join(sums.selectExpr("s", "x as y"), "s");
    assertEquals(5, both.filter("x = y").collectAsList().size());
    Dataset<Row> again = both.select("*");
    again.collectAsList();
    long scored =
        Session.plan(again, ColumnarMapExec.class).stream().mapToLong(OperatorTest::rows).sum();
    assertEquals(2 * ROWS, scored); // two nodes that show the same metrics
  }

  @Test
  void standsBesideABroadcastJoin() {
    Dataset<Row> names = Session.get().range(0, 5).selectExpr("concat('k', id) s", "id as n");
    Dataset<Row> below = append(data.join(broadcast(names), "s"));
    Dataset<Row> above = append(data).join(broadcast(names), "s");
    for (Dataset<Row> df : List.of(below, above)) {
      List<Row> rows = df.collectAsList();
      assertEquals(ROWS, rows.size());
      assertSums(rows);
      assertFalse(Session.plan(df, BroadcastHashJoinExec.class).isEmpty());
      assertTrue(Session.plan(df, ShuffleExchangeLike.class).isEmpty(), Session.physical(df));
    }
  }

  // --- caching

  @Test
  void readsACacheAsColumns() {
    Dataset<Row> numbers = data.select("id", "a", "b").cache();
    try {
      Dataset<Row> out = append(numbers);
      assertSums(out.collectAsList());
      InMemoryTableScanExec scan = Session.plan(out, InMemoryTableScanExec.class).get(0);
      assertTrue(scan.supportsColumnar());
      assertFalse(Session.physical(out).contains("RowToColumnar"), Session.physical(out));
      assertSums(append(data.cache()).collectAsList()); // of texts Spark's cache gives rows
    } finally {
      numbers.unpersist(true);
      data.unpersist(true);
    }
  }

  @Test
  void isComputedOnceForACache() {
    Dataset<Row> out = append(data).cache();
    try {
      AddFunction.ROWS.set(0);
      assertEquals(ROWS, out.count());
      assertSums(out.collectAsList());
      assertSums(out.filter("sum > 3").groupBy("id", "sum").count().collectAsList());
      assertEquals(ROWS, AddFunction.ROWS.get());
    } finally {
      out.unpersist(true);
    }
  }

  // --- generated code

  @Test
  void codeIsGeneratedOnBothSides() {
    Dataset<Row> out =
        append(data.filter("id % 2 = 0"))
            .filter("sum > 3")
            .selectExpr("upper(s) as u", "sum")
            .groupBy("u")
            .agg(sum("sum"));
    out.collectAsList();
    ColumnarMapExec map = Session.plan(out, ColumnarMapExec.class).get(0);
    String below = Session.find(map, WholeStageCodegenExec.class).get(0).toString();
    assertTrue(below.contains("Filter") && below.contains("ColumnarToRow"), below);
    // What is above the operator up to the exchange is one generated function.
    WholeStageCodegenExec above =
        Session.plan(out, WholeStageCodegenExec.class).stream()
            .filter(w -> !Session.find(w, ColumnarMapExec.class).isEmpty())
            .reduce((a, b) -> b)
            .orElseThrow();
    String code = above.toString();
    int filter = code.indexOf("Filter");
    assertTrue(code.indexOf("HashAggregate") < filter, code);
    assertTrue(filter < code.indexOf("ColumnarToRow"), code);
    assertTrue(code.indexOf("ColumnarToRow") < code.indexOf("ColumnarMap"), code);
  }

  // --- the SQL tab

  @Test
  void metricsAreInTheSqlTab() throws Exception {
    Dataset<Row> out = append(data).repartition(2);
    out.collectAsList();
    java.util.Map<String, String> shown = Session.sqlTab("ColumnarMap");
    assertEquals("40,000", shown.get("number of output rows"));
    assertEquals(
        String.valueOf(FILES * ((ROWS / FILES + BATCH - 1) / BATCH)),
        shown.get("number of output batches"));
    assertTrue(shown.get("time computing").matches("(?s).*\\d+ (ms|s).*"), shown::toString);
    assertTrue(shown.containsKey("time waiting for input"), shown::toString);
    assertTrue(shown.containsKey("time copying columns"), shown::toString);
  }
}
