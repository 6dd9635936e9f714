package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Derived columns below the operator: same values as Spark's rows give, without the rows. */
final class ColumnarProjectTest {
  private static final StructType SUM = new StructType().add("sum", "double", false);
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
                    "if(id % 3 = 0, null, cast(id % 11 AS float)) AS b",
                    "concat('s', id % 5) AS s",
                    "timestamp_seconds(id * 4001) AS t",
                    "array(id, id + 1) AS list"));
  }

  private static Dataset<Row> append(Dataset<Row> df) {
    return ColumnarMap.append(df, List.of("a", "c"), SUM, new AddFunction(), "add");
  }

  private static String plan(Dataset<Row> df) {
    return Session.physical(df);
  }

  /**
   * What the operator is given, seen above it, against what Spark alone makes of the same query.
   */
  private static void assertSame(Dataset<Row> derived) {
    List<Row> want = derived.collectAsList();
    Dataset<Row> mapped = append(derived);
    String p = plan(mapped);
    assertTrue(p.contains("ColumnarProject"), p);
    assertFalse(p.contains("RowsToColumns"), p);
    List<Row> got = mapped.collectAsList();
    assertEquals(ROWS, got.size());
    int width = derived.columns().length;
    int a = derived.schema().fieldIndex("a");
    int c = derived.schema().fieldIndex("c");
    for (int i = 0; i < ROWS; i++) {
      Row row = got.get(i);
      for (int j = 0; j < width; j++) {
        assertEquals(want.get(i).get(j), row.get(j), derived.columns()[j] + " of row " + i);
      }
      assertEquals(
          (double) row.getFloat(a) + row.getFloat(c), row.getDouble(width), "sum of row " + i);
    }
  }

  /** One expression of every type that is written in place, with nulls where b has them. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "b > 3",
        "cast(b AS tinyint)",
        "cast(b AS smallint)",
        "cast(b AS int)",
        "cast(b AS bigint) * 1000000007",
        "b / 3",
        "sin(a * pi() / 720)",
        "hour(t) * 60 + minute(t)",
        "if(b > 3, cast(t AS date), null)",
        "if(b > 3, t, null)",
        "cast(t AS timestamp_ntz)",
        "length(s)",
        "list[1]",
        "coalesce(b, a)"
      })
  void derivesWhatSparkDerives(String expression) {
    assertSame(
        data.selectExpr("*", "coalesce(b, cast(1 AS float)) AS c", expression + " AS derived"));
  }

  @Test
  void aProjectionOfAProjectionIsDoneToo() {
    assertSame(
        data.selectExpr("id", "s", "a AS c", "minute(t) AS minute", "b")
            .selectExpr("s", "cast(minute * minute AS float) AS a", "c", "minute", "s AS again"));
  }

  @Test
  void projectionsOfProjectionsBecomeOne() {
    Dataset<Row> derived =
        data.selectExpr("a", "a AS c", "minute(t) AS m").selectExpr("a", "c", "m * m + m AS d");
    assertSame(derived);
    assertEquals(1, count(plan(append(derived)), "ColumnarProject"));
  }

  /** Written out, the last of these would have a million terms. */
  @Test
  void projectionsThatWouldGrowStayApart() {
    Dataset<Row> derived = data.selectExpr("a", "a AS c", "length(s) AS d");
    for (int i = 0; i < 20; i++) {
      derived = derived.selectExpr("a", "c", "pmod(d + d * d, 1009) AS d");
    }
    assertSame(derived);
    int nodes = count(plan(append(derived)), "ColumnarProject");
    assertTrue(nodes > 1 && nodes < 21, nodes + " projections");
  }

  private static int count(String text, String word) {
    return text.split(word, -1).length - 1;
  }

  /** Counts how often it is called. */
  private static final class Counted implements UDF1<Float, Double> {
    private static final long serialVersionUID = 1L;
    private static final AtomicLong CALLS = new AtomicLong();

    @Override
    public Double call(Float x) {
      CALLS.incrementAndGet();
      return x == null ? null : Math.cbrt(x);
    }
  }

  @Test
  void computesOncePerDictionaryEntryOfABatch() {
    Session.get().udf().register("counted", new Counted(), DataTypes.DoubleType);
    Dataset<Row> derived = data.selectExpr("a", "a AS c", "counted(b) AS derived");
    Counted.CALLS.set(0);
    append(derived).collectAsList();
    long batches = (ROWS + 4095) / 4096;
    assertEquals(batches * 12, Counted.CALLS.get(), "calls for 11 numbers and null");
    assertSame(derived);
  }

  /** Parquet gives up a dictionary that grows too large in the middle of a column. */
  @Test
  void columnsMayLoseTheirDictionary() {
    String path = Session.path();
    data.selectExpr("a", "if(id % 5 = 4, null, id div 3 + 0.5D) AS x")
        .coalesce(1)
        .write()
        .option("parquet.dictionary.page.size", "2000")
        .option("parquet.page.size", "4000")
        .option("parquet.page.row.count.limit", "700")
        .parquet(path);
    assertSame(
        Session.get()
            .read()
            .parquet(path)
            .selectExpr("a", "a AS c", "x", "cast(x AS int) AS whole", "x * a AS product"));
  }

  private static Dataset<Row> wide; // made once

  private static Dataset<Row> wide() {
    if (wide != null) {
      return wide;
    }
    String[] all =
        Stream.concat(
                Stream.of(
                    "id", "cast(id % 7 AS float) AS a", "id % 3 AS b", "cast(id AS float) AS c"),
                IntStream.range(0, 2000).mapToObj(i -> "cast(id + " + i + " AS float) AS c" + i))
            .toArray(String[]::new);
    String deep = IntStream.range(0, 200).mapToObj(i -> "c" + i).collect(Collectors.joining(", "));
    wide =
        Session.parquet(
            Session.get()
                .range(0, 300, 1, 1)
                .selectExpr(all)
                .selectExpr("*", "struct(" + deep + ") AS named"));
    return wide;
  }

  /**
   * Spark itself reads rows of more than {@code spark.sql.codegen.maxFields} columns, or fields.
   */
  @ParameterizedTest
  @ValueSource(strings = {"*", "*, 2 * c1999 AS more", "a, b, c, named, id", "a, named.c7 AS c"})
  void tablesOfManyColumnsStayColumns(String select) {
    Dataset<Row> derived = wide().selectExpr(select.split(", "));
    Dataset<Row> out = append(derived);
    String p = plan(out);
    assertFalse(p.contains("RowsToColumns"), p);
    List<Row> want = derived.collectAsList();
    List<Row> got = out.collectAsList();
    for (int i = 0; i < 300; i++) {
      assertEquals(want.get(i), firstOf(got.get(i), want.get(i).size()), "row " + i);
    }
    assertEquals(300L, Session.metrics(out).get("numOutputRows"));
  }

  /** The reader of ORC as that of Parquet; Spark's cache yields rows of so many columns. */
  @ParameterizedTest
  @ValueSource(strings = {"orc", "cached"})
  void tablesOfManyColumnsOfOtherOrigins(String origin) {
    boolean cached = origin.equals("cached");
    Dataset<Row> table = wide().where("id % 2 = 0");
    String path = Session.path();
    if (cached) {
      table.cache();
    } else {
      table.write().orc(path);
    }
    Dataset<Row> given = cached ? table : Session.get().read().orc(path);
    try {
      Dataset<Row> out = append(given.selectExpr("*", "2 * c1999 AS more"));
      String p = plan(out);
      assertEquals(cached, p.contains("RowsToColumns"), p);
      assertTrue(p.contains(cached ? "InMemoryTableScan" : "Format: ORC"), p);
      List<Row> want =
          wide()
              .where("id % 2 = 0")
              .selectExpr("*", "2 * c1999 AS more", "double(a + c)")
              .collectAsList();
      List<Row> got = out.collectAsList();
      assertEquals(150, got.size());
      for (int i = 0; i < 150; i++) {
        assertEquals(want.get(i), got.get(i), "row " + i);
      }
    } finally {
      table.unpersist();
    }
  }

  private static Row firstOf(Row row, int n) {
    return RowFactory.create(IntStream.range(0, n).mapToObj(row::get).toArray());
  }

  @Test
  void aProjectionThatOnlyPicksColumnsCopiesNothing() {
    assertSame(data.selectExpr("s", "a AS c", "id", "a"));
  }

  @Test
  void onlyWhatIsUsedIsRead() {
    Dataset<Row> out = append(data.selectExpr("*", "cast(minute(t) AS float) AS c")).select("sum");
    String p = plan(out);
    assertTrue(p.contains("ReadSchema: struct<a:float,t:timestamp>"), p);
    assertTrue(p.contains("ColumnarProject"), p);
  }

  @Test
  void replaceTakesIt() {
    Dataset<Row> out =
        ColumnarMap.replace(
            data.selectExpr("a", "a * cast(2 AS float) AS c", "s"),
            List.of("a", "c"),
            SUM,
            new AddFunction(),
            "add");
    assertTrue(plan(out).contains("ColumnarProject"), plan(out));
    double want = data.selectExpr("sum(a * 3)").first().getDouble(0);
    assertEquals(want, out.selectExpr("sum(sum)").first().getDouble(0));
  }

  /** Rows stay where the vectors cannot be written in place, or where order or plans matter. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "upper(s)",
        "array(a)",
        "cast(a AS decimal(20, 2))",
        "rand(1)",
        "(SELECT max(id) FROM range(3))"
      })
  void leavesToSparkWhatItCannotDo(String expression) {
    Dataset<Row> derived = data.selectExpr("a", "a AS c", expression + " AS derived");
    Dataset<Row> out = append(derived);
    List<Row> want = derived.collectAsList();
    List<Row> got = out.collectAsList();
    assertEquals(ROWS, got.size());
    for (int i = 0; i < ROWS; i++) {
      assertEquals(want.get(i).get(2), got.get(i).get(2), "row " + i);
    }
    assertFalse(plan(out).contains("ColumnarProject"), plan(out));
  }

  @Test
  void rowsBelowStayRows() {
    Dataset<Row> out =
        append(data.filter("b > 1").selectExpr("a", "a + b AS c", "minute(t) AS minute"));
    assertTrue(plan(out).contains("RowsToColumns"), plan(out));
    assertEquals(data.filter("b > 1").count(), out.count());
  }

  @Test
  void worksAfterAnExchange() {
    Dataset<Row> counted =
        append(data.selectExpr("*", "cast(minute(t) AS float) AS c"))
            .groupBy("s")
            .sum("sum")
            .orderBy("s");
    List<Row> want =
        data.selectExpr("s", "cast(a AS double) + minute(t) AS sum")
            .groupBy("s")
            .sum("sum")
            .orderBy("s")
            .collectAsList();
    assertEquals(want, counted.collectAsList());
  }
}
