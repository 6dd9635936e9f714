package io.fragua.arrow;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.rand;
import static org.apache.spark.sql.functions.sum;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.SparkException;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The operator as Spark sees it: plans, pushing, and every way of feeding and consuming it. */
final class ColumnarMapTest {
  static final StructType SUM = new StructType().add("sum", "double", false);
  private static final int ROWS = 10_000;

  private static Dataset<Row> data;

  @BeforeAll
  static void write() {
    data =
        Session.parquet(
            Session.get()
                .range(0, ROWS, 1, 1)
                .select(
                    col("id"),
                    col("id").mod(lit(7)).cast("float").as("a"),
                    col("id").mod(lit(11)).cast("float").as("b"),
                    col("id").cast("string").as("s"),
                    col("id").multiply(2).as("unused")));
  }

  private static Dataset<Row> append(Dataset<Row> df) {
    return ColumnarMap.append(df, List.of("a", "b"), SUM, new AddFunction(), "add");
  }

  private static double expected(long id) {
    return id % 7 + id % 11;
  }

  private static void assertSums(Dataset<Row> out, long count) {
    List<Row> rows = out.select("id", "sum").collectAsList();
    assertEquals(count, rows.size());
    rows.forEach(r -> assertEquals(expected(r.getLong(0)), r.getDouble(1)));
  }

  // --- plans

  @Test
  void showsItselfInThePlan() {
    String p = Session.physical(append(data));
    assertTrue(p.matches("(?s).*ColumnarMap add, \\[a#\\d+, b#\\d+], \\[sum#\\d+], on cpu.*"), p);
    assertFalse(p.contains("RowsToColumns"), p);
    assertFalse(p.contains("Project"), p);
  }

  @Test
  void readsOnlyWhatIsUsed() {
    String p = Session.physical(append(data).select("sum"));
    assertTrue(p.contains("ReadSchema: struct<a:float,b:float>"), p);
    assertFalse(p.contains("RowsToColumns"), p);
    p = Session.physical(append(data).groupBy("s").agg(sum("sum")));
    assertTrue(p.contains("ReadSchema: struct<a:float,b:float,s:string>"), p);
    assertFalse(p.contains("RowsToColumns"), p);
  }

  @Test
  void replaceReadsOnlyItsInputs() {
    Dataset<Row> out = ColumnarMap.replace(data, List.of("b", "a"), SUM, new AddFunction(), "add");
    assertEquals(List.of("sum"), List.of(out.columns()));
    String p = Session.physical(out);
    assertTrue(p.contains("ReadSchema: struct<a:float,b:float>"), p);
    assertFalse(p.contains("RowsToColumns"), p);
    double total = 0;
    for (long id = 0; id < ROWS; id++) {
      total += expected(id);
    }
    assertEquals(total, out.agg(sum("sum")).collectAsList().get(0).getDouble(0));
  }

  @Test
  void filterOnInputPassesBelow() {
    Dataset<Row> out = append(data).filter("id < 100 and sum > 3").select("id", "sum");
    String optimized = Session.optimized(out);
    int map = optimized.indexOf("ColumnarMap");
    assertTrue(optimized.indexOf("(id#") > map, optimized);
    assertTrue(optimized.indexOf("(sum#") < map, optimized);
    assertTrue(Session.physical(out).contains("LessThan(id,100)"), Session.physical(out));
    AddFunction.ROWS.set(0);
    long want = 0;
    for (long id = 0; id < 100; id++) {
      want += expected(id) > 3 ? 1 : 0;
    }
    assertSums(out, want);
    assertEquals(100, AddFunction.ROWS.get());
  }

  @Test
  void filterPassesBelowThroughOtherOperators() {
    Dataset<Row> out =
        append(data.withColumn("twice", col("id").multiply(2))).filter("twice < 20 and b >= 0");
    String p = Session.physical(out);
    assertTrue(p.contains("GreaterThanOrEqual(b,0.0)"), p);
    assertSums(out, 10);
  }

  @Test
  void randomFilterStaysAbove() {
    Dataset<Row> out = append(data).filter(rand(1).lt(0.5));
    String optimized = Session.optimized(out);
    assertTrue(optimized.indexOf("rand(") < optimized.indexOf("ColumnarMap"), optimized);
  }

  @Test
  void goesAwayWhereNothingUsesItsColumns() {
    AddFunction.ROWS.set(0);
    assertFalse(Session.optimized(append(data).select("id")).contains("ColumnarMap"));
    assertEquals(ROWS, append(data).count());
    assertEquals(0, AddFunction.ROWS.get());
  }

  @Test
  void limitComputesAtMostABatchMore() {
    AddFunction.ROWS.set(0);
    assertEquals(5, append(data).limit(5).collectAsList().size());
    assertTrue(AddFunction.ROWS.get() <= 5 + 4096, () -> AddFunction.ROWS.get() + " rows");
    AddFunction.ROWS.set(0);
    append(data).head();
    assertTrue(AddFunction.ROWS.get() <= 4096, () -> AddFunction.ROWS.get() + " rows");
  }

  // --- what it is fed from and who consumes it

  @Test
  void appendsToUntouchedColumns() {
    Dataset<Row> out = append(data);
    assertEquals(List.of("id", "a", "b", "s", "unused", "sum"), List.of(out.columns()));
    List<Row> got = out.collectAsList();
    List<Row> want = data.collectAsList();
    assertEquals(want.size(), got.size());
    for (int i = 0; i < got.size(); i++) {
      for (int c = 0; c < 5; c++) {
        assertEquals(want.get(i).get(c), got.get(i).get(c));
      }
      assertEquals(expected(got.get(i).getLong(0)), got.get(i).getDouble(5));
    }
  }

  @Test
  void takesRows() {
    Dataset<Row> rows = data.filter("id % 2 = 0");
    assertTrue(Session.physical(append(rows)).contains("RowsToColumns"));
    assertSums(append(rows), ROWS / 2);
    assertSums(append(data.repartition(3)), ROWS);
  }

  @Test
  void takesNothing() {
    assertSums(append(data.filter("id < 0")), 0);
    assertSums(append(data.limit(0)), 0);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void worksBelowShufflesJoinsAndUnions(boolean adaptive) {
    SparkSession s = Session.get();
    s.conf().set("spark.sql.adaptive.enabled", adaptive);
    try {
      Dataset<Row> out = append(data);
      assertSums(out.repartition(3).sort("id"), ROWS);
      assertSums(out.union(append(data)), 2 * ROWS);
      assertSums(out.union(out), 2 * ROWS);
      // The same columns twice: Spark must be able to tell them apart.
      Dataset<Row> other = out.select(col("id"), col("sum").as("right"));
      for (Dataset<Row> right : List.of(other, broadcast(other))) {
        Dataset<Row> joined = out.join(right, "id");
        assertEquals(ROWS, joined.filter("sum = right").count());
        assertSums(joined, ROWS);
      }
      Dataset<Row> self = out.as("l").join(out.as("r"), col("l.id").equalTo(col("r.id")));
      assertEquals(ROWS, self.filter(col("l.sum").equalTo(col("r.sum"))).count());
      assertSums(
          append(
              out.drop("sum")
                  .groupBy("id")
                  .agg(sum("a").as("a"), sum("b").as("b"))
                  .select(
                      col("id"), col("a").cast("float").as("a"), col("b").cast("float").as("b"))),
          ROWS);
      assertEquals(ROWS, data.filter(col("id").isin(0, 1)).union(out.drop("sum")).count() - 2);
    } finally {
      s.conf().unset("spark.sql.adaptive.enabled");
    }
  }

  @Test
  void appliesTwice() {
    Dataset<Row> once = append(data);
    Dataset<Row> twice =
        ColumnarMap.append(
            once.withColumn("c", col("sum").cast("float")),
            List.of("c", "a"),
            new StructType().add("more", "double", false),
            new AddFunction(),
            "more");
    for (Row r : twice.select("id", "more").collectAsList()) {
      assertEquals(expected(r.getLong(0)) + r.getLong(0) % 7, r.getDouble(1));
    }
  }

  @Test
  void canBeCached() {
    Dataset<Row> out = append(data).cache();
    try {
      assertSums(out, ROWS);
      AddFunction.ROWS.set(0);
      assertSums(out, ROWS);
      assertEquals(0, AddFunction.ROWS.get());
      assertSums(append(out.drop("sum")), ROWS);
    } finally {
      out.unpersist(true);
    }
  }

  @Test
  void sameFunctionUsesTheSameCache() {
    AddFunction f = new AddFunction();
    Dataset<Row> one = ColumnarMap.append(data, List.of("a", "b"), SUM, f, "add").cache();
    try {
      assertSums(one, ROWS);
      Dataset<Row> two = ColumnarMap.append(data, List.of("a", "b"), SUM, f, "add");
      assertTrue(Session.physical(two).contains("InMemoryTableScan"), Session.physical(two));
      assertFalse(Session.physical(append(data)).contains("InMemoryTableScan"));
    } finally {
      one.unpersist(true);
    }
  }

  @Test
  void takesAndPassesPartitionColumns() {
    String path = Session.path();
    data.withColumn("p", col("id").mod(lit(3)).cast("string"))
        .withColumn("q", col("id").mod(lit(2)).cast("int"))
        .write()
        .partitionBy("p", "q")
        .parquet(path);
    Dataset<Row> out = append(Session.get().read().parquet(path));
    for (Row r : out.select("id", "p", "q", "sum").collectAsList()) {
      assertEquals(String.valueOf(r.getLong(0) % 3), r.get(1).toString());
      assertEquals(r.getLong(0) % 2, r.getInt(2));
      assertEquals(expected(r.getLong(0)), r.getDouble(3));
    }
    String p = Session.physical(out.filter("p = 1").select("sum"));
    assertTrue(p.contains("PartitionFilters: [isnotnull(p#"), p);
  }

  @Test
  void passesVectorsAndStructs() {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      Vector v =
          i % 3 == 0
              ? null
              : i % 3 == 1
                  ? Vectors.dense(i, 1, 2)
                  : Vectors.sparse(3, new int[] {1}, new double[] {i});
      rows.add(RowFactory.create((long) i, (float) (i % 7), (float) (i % 11), v));
    }
    StructType schema =
        new StructType()
            .add("id", "long", false)
            .add("a", "float", false)
            .add("b", "float", false)
            .add("v", SQLDataTypes.VectorType());
    Dataset<Row> local = Session.get().createDataFrame(rows, schema);
    for (Dataset<Row> df : List.of(local, local.repartition(2), Session.parquet(local))) {
      Dataset<Row> out = append(df);
      assertEquals(rows, out.sort("id").drop("sum").collectAsList(), () -> Session.physical(out));
      assertSums(out, 50);
    }
    Dataset<Row> nested =
        append(Session.parquet(local.selectExpr("*", "struct(id, v) as st", "map(id, a) as m")));
    assertEquals(50, nested.selectExpr("st.id", "m", "sum").collectAsList().size());
  }

  // --- sessions

  @Test
  void otherSessionsPlanIt() {
    SparkSession other = Session.get().newSession();
    Dataset<Row> out = append(other.read().parquet(data.inputFiles()[0]));
    assertSums(out, ROWS);
  }

  @Test
  void sessionsMadeLaterPlanAGlobalView() {
    SparkSession first = Session.get().newSession();
    append(first.read().parquet(data.inputFiles()[0])).createOrReplaceGlobalTempView("summed");
    assertSums(first.newSession().table("global_temp.summed"), ROWS);
    assertSums(Session.get().newSession().newSession().table("global_temp.summed"), ROWS);
  }

  @Test
  void registersOnce() {
    append(data);
    append(data);
    var methods = ((org.apache.spark.sql.classic.SparkSession) Session.get()).experimental();
    assertEquals(
        1,
        ScalaLists.list(methods.extraStrategies()).stream()
            .filter(s -> s instanceof ColumnarMapRules.Strategy)
            .count());
    assertEquals(
        1,
        ScalaLists.list(methods.extraOptimizations()).stream()
            .filter(s -> s instanceof ColumnarMapRules.PushDown)
            .count());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void readsOnlyWhatIsUsedFromV2Sources(boolean extension) {
    Session.get();
    SparkSession.clearActiveSession();
    SparkSession.clearDefaultSession();
    try {
      SparkSession.Builder builder = SparkSession.builder();
      if (extension) {
        builder.withExtensions(new FraguaExtensions());
      }
      SparkSession s = builder.getOrCreate();
      s.conf().set("spark.sql.sources.useV1SourceList", "");
      Dataset<Row> v2 = s.read().parquet(data.inputFiles()[0]);
      String p = Session.physical(append(v2).select("sum"));
      assertTrue(p.contains("BatchScan"), p);
      assertTrue(p.contains("ReadSchema: struct<a:float,b:float>"), p);
      Dataset<Row> filtered = append(v2).filter("id < 100").select("id", "sum");
      assertEquals(
          extension, Session.physical(filtered).contains("LessThan(id,100)"), extension + p);
      String optimized = Session.optimized(filtered);
      assertTrue(optimized.indexOf("(id#") > optimized.indexOf("ColumnarMap"), optimized);
      assertSums(filtered, 100);
    } finally {
      SparkSession.setActiveSession(Session.get());
      SparkSession.setDefaultSession(Session.get());
    }
  }

  // --- metrics and errors

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void countsRowsBatchesAndTimes(boolean adaptive) {
    Session.get().conf().set("spark.sql.adaptive.enabled", adaptive);
    try {
      Dataset<Row> out = append(data).repartition(2);
      out.collectAsList();
      var m = Session.metrics(out);
      assertEquals(ROWS, m.get("numOutputRows"));
      assertEquals((ROWS + 4095) / 4096, m.get("numOutputBatches"));
      assertTrue(m.get("loadTime") > 0);
      assertTrue(m.get("computeTime") > 0);
      assertEquals(0, m.get("copyTime"));
    } finally {
      Session.get().conf().unset("spark.sql.adaptive.enabled");
    }
  }

  @Test
  void refusesWrongNames() {
    String m =
        assertThrows(
                IllegalArgumentException.class,
                () -> ColumnarMap.append(data, List.of("a", "zz"), SUM, new AddFunction(), "add"))
            .getMessage();
    assertEquals(
        "add: an input column must be there once: \"zz\" is not among [id, a, b, s, unused];"
            + " correct the name",
        m);
    m =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    ColumnarMap.append(
                        data.withColumn("SUM", lit(1)), List.of("a"), SUM, new AddFunction(), "x"))
            .getMessage();
    assertEquals(
        "x: an output column must be new: \"sum\" is there already; drop it or choose another name",
        m);
    Dataset<Row> twice = data.select(col("a"), col("b").as("a"));
    m =
        assertThrows(IllegalArgumentException.class, () -> append(twice.withColumn("b", lit(1f))))
            .getMessage();
    assertTrue(m.startsWith("add: an input column must be there once: \"a\" is 2 times"), m);
    assertSums(
        ColumnarMap.append(data, List.of("A", "B"), SUM, new AddFunction(), "any case"), ROWS);
  }

  /** Breaks the rule of one batch per batch. */
  private static final class Swallow implements BatchFunction {
    private static final long serialVersionUID = 1L;

    @Override
    public Iterator<ColumnarBatch> apply(
        Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
      in.next();
      return new AddFunction().apply(in, ordinals, metrics);
    }
  }

  @Test
  void refusesBatchesThatDoNotMatch() {
    Dataset<Row> out = ColumnarMap.append(data, List.of("a", "b"), SUM, new Swallow(), "swallow");
    String m = Session.message(assertThrows(SparkException.class, out::collectAsList));
    assertTrue(
        m.contains(
            "ColumnarMap swallow: a function that appends yields one batch per input batch, of its"
                + " size: after 2 input batches, the last of 4096 rows, it yielded batch 1 of 4096"
                + " rows; use replace, or correct io.fragua.arrow.ColumnarMapTest$Swallow"),
        m);
  }
}
