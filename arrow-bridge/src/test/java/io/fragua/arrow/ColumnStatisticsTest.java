package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.arrow.ColumnStatistics.Column;
import io.fragua.arrow.ColumnStatistics.Request;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.unsafe.types.UTF8String;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Statistics against Spark SQL's own aggregates. */
final class ColumnStatisticsTest {
  private static final List<String> NUMBERS =
      List.of("i", "l", "sh", "by", "f", "d", "bo", "de", "far", "none", "one");
  private static final List<String> CATEGORIES =
      List.of("few", "many", "i", "sh", "by", "l", "bo", "nil");

  private static Dataset<Row> data;

  @BeforeAll
  static void write() {
    data =
        Session.parquet(
            Session.get()
                .range(0, 20_000, 1, 1)
                .selectExpr(
                    "cast(if(id % 7 = 0, null, id % 11) as int) as i",
                    "id * 1000000007 as l",
                    "cast(id % 300 as short) as sh",
                    "cast(id % 100 - 50 as byte) as by",
                    "if(id % 5 = 0, float('NaN'), if(id % 5 = 1, null, float(id))) as f",
                    "if(id = 3, double('-Infinity'), sin(id)) as d",
                    "id % 3 = 0 as bo",
                    "cast(id % 1000 / 7 as decimal(12, 4)) as de",
                    "1e9D + id % 2 as far",
                    "cast(null as double) as none",
                    "if(id = 7, 3.5D, null) as one",
                    "if(id % 9 = 0, null, concat('v', id % 13)) as few",
                    "concat('a longer value ', id % 7000) as many",
                    "cast(null as string) as nil"));
  }

  private static List<Request> requests() {
    List<Request> all = new ArrayList<>();
    for (String c : data.columns()) {
      all.add(new Request(c, CATEGORIES.contains(c), NUMBERS.contains(c)));
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7})
  void agreesWithSql(int partitions) {
    Dataset<Row> df = partitions == 0 ? data : data.repartition(partitions);
    Map<String, Column> got = ColumnStatistics.collect(df, requests());
    assertEquals(List.of(data.columns()), List.copyOf(got.keySet()));
    for (String c : NUMBERS) {
      Dataset<Row> finite =
          data.selectExpr("double(" + c + ") as v").filter("v is not null and abs(v) <= 1.7e308D");
      Row want =
          finite
              .selectExpr("avg(v)", "stddev_samp(v)", "min(v)", "max(v)", "count(v)")
              .collectAsList()
              .get(0);
      Column s = got.get(c);
      assertEquals(20_000, s.count());
      assertEquals(data.filter(c + " is null").count(), s.nulls(), c);
      assertEquals(20_000 - s.nulls() - want.getLong(4), s.nans(), c);
      if (want.isNullAt(0)) {
        assertTrue(Double.isNaN(s.mean()) && Double.isNaN(s.std()) && Double.isNaN(s.min()));
      } else {
        assertEquals(want.getDouble(0), s.mean(), Math.abs(want.getDouble(0)) * 1e-12, c);
        double std = want.getLong(4) < 2 ? 0 : want.getDouble(1);
        assertEquals(std, s.std(), std * 1e-9, c);
        assertEquals(want.getDouble(2), s.min(), c);
        assertEquals(want.getDouble(3), s.max(), c);
      }
    }
    for (String c : CATEGORIES) {
      Column s = got.get(c);
      List<Row> want =
          data.filter(c + " is not null")
              .groupBy(c.equals("bo") ? functions.expr("int(bo)").as("bo") : functions.col(c))
              .count()
              .sort(c)
              .collectAsList();
      assertEquals(want.size(), s.counts().length, c);
      for (int i = 0; i < want.size(); i++) {
        Row r = want.get(i);
        if (s.strings() != null) {
          assertEquals(r.getString(0), s.strings()[i]);
        } else {
          assertEquals(((Number) r.get(0)).longValue(), s.longs()[i]);
        }
        assertEquals(r.getLong(1), s.counts()[i]);
      }
    }
    assertNull(got.get("d").counts());
    assertTrue(Double.isNaN(got.get("few").mean()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"few", "sh"})
  void distinctValuesCountByTheirRowsWeights(String column) {
    Column got =
        ColumnStatistics.collect(
                data.repartition(3),
                List.of(new Request(column, true, false, "i"), new Request("i", false, true)))
            .get(column);
    List<Row> want =
        data.filter(column + " is not null")
            .groupBy(column)
            .agg(functions.expr("sum(i)"))
            .sort(column)
            .collectAsList();
    assertArrayEquals(want.stream().mapToDouble(r -> r.getLong(1)).toArray(), got.counts());
  }

  /** What is no UTF-8 is what Spark shows of it; a vocabulary finds it by its bytes. */
  @Test
  void textsThatAreNotUtf8AreAsSparkShowsThem() {
    Dataset<Row> df =
        Session.get().range(12).selectExpr("string(unhex('4D' || if(id < 5, 'E1', 'E2'))) as s");
    Column got =
        ColumnStatistics.collect(df.repartition(3), List.of(new Request("s", true, false)))
            .get("s");
    assertArrayEquals(new String[] {"M\ufffd"}, got.strings());
    assertArrayEquals(new double[] {12}, got.counts());
    Vocabulary v = got.vocabulary(0);
    assertEquals(1, v.id(UTF8String.fromBytes(new byte[] {'M', (byte) 0xe1})));
    assertEquals(1, v.id("M\ufffd"));
    assertEquals(0, v.id(UTF8String.fromBytes(new byte[] {'m', (byte) 0xe1})));
  }

  @Test
  void knowsNothingOfNothing() {
    for (Dataset<Row> df : List.of(data.filter("l < 0"), data.limit(0))) {
      Map<String, Column> got = ColumnStatistics.collect(df, requests());
      for (Column s : got.values()) {
        assertEquals(0, s.count());
        assertTrue(Double.isNaN(s.mean()) && Double.isNaN(s.max()));
      }
      assertArrayEquals(new String[0], got.get("few").strings());
      assertArrayEquals(new long[0], got.get("sh").longs());
    }
  }

  /** Of values whose sum, rounded, is no multiple of them: a model divides by the deviation. */
  @Test
  void aConstantHasNoDeviation() {
    Dataset<Row> df =
        Session.get()
            .range(0, 20_000, 1, 3)
            .selectExpr("0.1D as d", "cast(19.99 as decimal(9, 2)) as de", "-7e30D as far");
    List<Request> all = Arrays.stream(df.columns()).map(c -> new Request(c, false, true)).toList();
    Map<String, Column> got = ColumnStatistics.collect(df, all);
    got.forEach((c, s) -> assertEquals(0, s.std(), c));
    assertEquals(0.1, got.get("d").mean());
  }

  /** Spark's reader fills the vectors of its fields with zeros. */
  @Test
  void fieldsOfAStructThatAFileLacksAreNull() {
    Dataset<Row> ids = Session.get().range(0, 5, 1, 1).toDF();
    String path = Session.path();
    ids.write().parquet(path + "/part=1");
    ids.selectExpr("id", "struct(double(id) as x, struct(string(id) as s) as y) as info")
        .write()
        .parquet(path + "/part=2");
    Dataset<Row> both = Session.get().read().option("mergeSchema", true).parquet(path);
    assertEquals(5, both.filter("info.x is null").count());
    Map<String, Column> got =
        ColumnStatistics.collect(
            both,
            List.of(new Request("info.x", false, true), new Request("info.y.s", true, false)));
    got.forEach((c, s) -> assertEquals(5, s.nulls(), c));
    assertEquals(2, got.get("info.x").mean());
    assertArrayEquals(new double[] {1, 1, 1, 1, 1}, got.get("info.y.s").counts());
  }

  @Test
  void samePartitionsGiveTheSameBits() {
    Column a = ColumnStatistics.collect(data, requests()).get("d");
    Column b = ColumnStatistics.collect(data, requests()).get("d");
    assertEquals(Double.doubleToLongBits(a.mean()), Double.doubleToLongBits(b.mean()));
    assertEquals(Double.doubleToLongBits(a.std()), Double.doubleToLongBits(b.std()));
  }

  @Test
  void readsOnlyItsColumnsAndSurvivesSizes() {
    Column many =
        ColumnStatistics.collect(
                Session.get().range(0, 300_000, 1, 3).selectExpr("concat('k', id) as k"),
                List.of(new Request("k", true, false)))
            .get("k");
    assertEquals(300_000, many.strings().length);
    assertTrue(Arrays.stream(many.counts()).allMatch(c -> c == 1));
    String[] sorted = many.strings().clone();
    Arrays.sort(sorted);
    assertArrayEquals(sorted, many.strings());
  }

  @Test
  void refusesTooManyCategories() {
    for (int partitions : new int[] {1, 20}) {
      Throwable t =
          assertThrows(
              Exception.class, // from a task with one partition, from the driver with many
              () ->
                  ColumnStatistics.collect(
                      data.coalesce(1).repartition(partitions).selectExpr("i", "many"),
                      List.of(new Request("many", true, false)),
                      6_000));
      String m = Session.message(t);
      assertTrue(
          m.contains(
              "column many: a categorical column has at most 6000 distinct values: it has more;"
                  + " leave it out, hash it to fewer values, or use it as a number"),
          m);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "d|true|false|column d: a categorical column must be a string, an integer, a boolean, a"
            + " date or binary: it is double; cast it or choose another column",
        "few|false|true|column few: a numeric column must be a number, boolean, date or timestamp:"
            + " it is string; cast it or choose another column",
        "zz|false|true|statistics: an input column must be there: \"zz\" is not among",
      })
  void refusesWrongColumns(String column, boolean categories, boolean numeric, String message) {
    String m =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    ColumnStatistics.collect(
                        data, List.of(new Request(column, categories, numeric))))
            .getMessage();
    assertTrue(m.startsWith(message), m);
  }
}
