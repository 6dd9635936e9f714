package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.arrow.ColumnCases.Case;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.apache.spark.SparkException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.AtomicType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tiles against the rows that plain Spark reads, for every column type and every kind of vector.
 */
final class TileReaderTest {
  private static final int ROWS = 9_000; // two full Parquet batches and a part
  private static final Map<Boolean, Dataset<Row>> WRITTEN = new HashMap<>();

  private static Dataset<Row> written(boolean nulls) {
    return WRITTEN.computeIfAbsent(
        nulls, n -> Session.parquet(ColumnCases.data(ColumnCases.all(n), ROWS)));
  }

  private static TileSpec tile(List<Case> cases, DType dtype, boolean keep) {
    return new TileSpec(
        "x",
        dtype,
        cases.stream().map(Case::input).toList(),
        keep,
        Collections.nCopies(cases.size(), ColumnCases.FILL));
  }

  private static void assertTile(
      Dataset<Row> data, List<Case> cases, DType dtype, boolean keep, int piece) {
    TileSpec tile = tile(cases, dtype, keep);
    double[] got = TileDump.dump(data, tile, piece);
    List<Row> rows =
        data.select(
                cases.stream()
                    .map(c -> ColumnPath.column(data.schema(), c.name()))
                    .toArray(org.apache.spark.sql.Column[]::new))
            .collectAsList();
    assertEquals(rows.size() * tile.width(), got.length);
    int at = 0;
    for (int r = 0; r < rows.size(); r++) {
      for (int c = 0; c < cases.size(); c++) {
        Case one = cases.get(c);
        for (int e = 0; e < one.width(); e++) {
          double want = one.expected(rows.get(r).get(c), e, dtype == DType.F32);
          int row = r;
          assertEquals(want, got[at++], () -> one.name() + " row " + row);
        }
      }
    }
  }

  static Stream<Arguments> sources() {
    UnaryOperator<Dataset<Row>> same = d -> d;
    UnaryOperator<Dataset<Row>> rows = d -> d.filter("id >= 0");
    UnaryOperator<Dataset<Row>> none = d -> d.filter("id < 0");
    UnaryOperator<Dataset<Row>> cached = Dataset::cache;
    UnaryOperator<Dataset<Row>> json = d -> text(d.limit(2000), "json");
    UnaryOperator<Dataset<Row>> csv = d -> text(d.limit(2000), "csv");
    UnaryOperator<Dataset<Row>> view =
        d -> {
          d.createOrReplaceTempView("every_kind");
          return d.sparkSession().table("every_kind");
        };
    return Stream.of(false, true)
        .flatMap(
            nulls ->
                Stream.of(
                    Arguments.of("parquet", nulls, same, false),
                    Arguments.of("parquet off-heap", nulls, same, true),
                    Arguments.of("rows", nulls, rows, false),
                    Arguments.of("cached", nulls, cached, false),
                    Arguments.of("JSON", nulls, json, false),
                    Arguments.of("CSV", nulls, csv, false),
                    Arguments.of("a view", nulls, view, false),
                    Arguments.of("nothing", nulls, none, false)));
  }

  /** The columns that a format of texts can hold, written and read back. */
  private static Dataset<Row> text(Dataset<Row> data, String format) {
    Dataset<Row> held =
        data.select(
            Stream.of(data.schema().fields())
                .filter(f -> holds(f.dataType(), format))
                .map(f -> functions.col(f.name()))
                .toArray(org.apache.spark.sql.Column[]::new));
    String path = Session.path();
    held.coalesce(1).write().format(format).save(path);
    return Session.get().read().schema(held.schema()).format(format).load(path);
  }

  private static boolean holds(DataType t, String format) {
    return format.equals("csv")
        ? t instanceof AtomicType && !t.equals(DataTypes.BinaryType)
        : !(t instanceof MapType m) || m.keyType().equals(DataTypes.StringType);
  }

  @ParameterizedTest(name = "{0}, nulls {1}")
  @MethodSource("sources")
  void readsEveryKind(
      String name, boolean nulls, UnaryOperator<Dataset<Row>> source, boolean offHeap) {
    Session.get().conf().set("spark.sql.columnVector.offheap.enabled", offHeap);
    Dataset<Row> data = source.apply(written(nulls));
    try {
      Set<String> held = Set.of(data.columns());
      List<Case> all =
          ColumnCases.all(nulls).stream()
              .filter(c -> held.contains(c.name().replaceFirst("\\..*", "")))
              .toList();
      assertTrue(all.size() > 30, "cases: " + all.size());
      assertTile(data, all.stream().filter(Case::real).toList(), DType.F32, true, 1000);
      assertTile(data, all.stream().filter(Case::whole).toList(), DType.I32, true, 5000);
    } finally {
      Session.get().conf().unset("spark.sql.columnVector.offheap.enabled");
      data.unpersist(true);
    }
  }

  @Test
  void readsEachColumnAlone() {
    for (boolean nulls : new boolean[] {false, true}) {
      for (Case c : ColumnCases.all(nulls)) {
        if (c.real()) {
          assertTile(written(nulls).limit(700), List.of(c), DType.F32, true, 256);
        }
        if (c.whole()) {
          assertTile(written(nulls).limit(700), List.of(c), DType.I32, true, 700);
        }
      }
    }
  }

  @Test
  void readsManyColumns() {
    String[] exprs = new String[300];
    for (int i = 0; i < exprs.length; i++) {
      exprs[i] = "cast(id * 3 + " + i + " as float) as c" + i;
    }
    Dataset<Row> data = Session.parquet(Session.get().range(0, 5000, 1, 1).selectExpr(exprs));
    TileSpec tile =
        new TileSpec(
            "x", DType.F32, Stream.of(data.columns()).map(InputColumn::scalar).toList(), false);
    double[] got = TileDump.dump(data, tile, 4096);
    for (int r = 0; r < 5000; r++) {
      for (int c = 0; c < 300; c++) {
        assertEquals(r * 3 + c, got[r * 300 + c]);
      }
    }
  }

  @Test
  void readsPartitionColumnsAndMissingColumns() {
    String path = Session.path();
    Session.get()
        .range(0, 100, 1, 1)
        .selectExpr("id", "'b' as p", "3 as q", "1.5D as r")
        .write()
        .partitionBy("p", "q", "r")
        .parquet(path);
    Dataset<Row> data =
        Session.get()
            .read()
            .schema("id long, extra float, more array<float>, p string, q int, r double")
            .parquet(path);
    TileSpec tile =
        new TileSpec(
            "x",
            DType.F32,
            List.of(
                InputColumn.category("p", Vocabulary.of(new String[] {"a", "b"}, 5)),
                InputColumn.scalar("q"),
                InputColumn.scalar("r"),
                InputColumn.scalar("extra"),
                InputColumn.array("more", 2)),
            true,
            List.of(0.0, 0.0, 0.0, 9.0, 8.0));
    double[] got = TileDump.dump(data, tile, 64);
    assertEquals(600, got.length);
    for (int r = 0; r < 100; r++) {
      double[] want = {7, 3, 1.5, 9, 8, 8};
      for (int c = 0; c < 6; c++) {
        assertEquals(want[c], got[r * 6 + c]);
      }
    }
  }

  // --- what is invalid

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "if(id = 5, 3000000000, 1)|false|whole numbers must fit an i32: 3000000000 in row 5",
        "if(id = 5, null, 1)|false|values must not be null: null in row 5",
      })
  void namesWholeNumbersThatDoNotFit(String sql, boolean keep, String message) {
    Dataset<Row> data = Session.get().range(0, 10, 1, 1).selectExpr(sql + " as v");
    TileSpec tile = new TileSpec("x", DType.I32, List.of(InputColumn.scalar("v")), keep);
    String m =
        Session.message(assertThrows(SparkException.class, () -> TileDump.dump(data, tile, 100)));
    assertTrue(m.contains("column v: " + message + " of partition 0 (both counted from 0)"), m);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "SCALAR|F32|s|column s: must be a number, boolean, date or timestamp: it is string; cast it"
            + " or choose another column",
        "SCALAR|I32|d|column d: must be a number, boolean, date or timestamp, whole in an i32 tile:"
            + " it is double; cast it or choose another column",
        "ARRAY|F32|d|column d: must be an array of numbers or booleans: it is double; cast it or"
            + " choose another column",
        "VECTOR|F32|d|column d: must be a Spark ML vector: it is double; cast it or choose another"
            + " column",
        "MATRIX|F32|d|column d: must be a Spark ML matrix of shape [1, 1]: it is double; cast it or"
            + " choose another column",
        "IMAGE|F32|n|column n: must be an image as Spark's image source reads it of shape [1, 1,"
            + " 1]: it is struct<x:string>; cast it or choose another column",
        "BYTES|F32|s|column s: must be binary: it is string; cast it or choose another column",
        "CATEGORY|I32|d|column d: must be a string, as in fit: it is double; cast it or choose"
            + " another column",
        "SCALAR|F32|n.x|column n.x: must be a number, boolean, date or timestamp: it is string;"
            + " cast it or choose another column",
        "SCALAR|F32|zz|tile x: an input column must be there: \"zz\" is not among [s, d, n];"
            + " correct the name",
        "SCALAR|F32|n.y|tile x: an input column must be there: \"n.y\" is not among [s, d, n];"
            + " correct the name",
      })
  void refusesWrongTypesOnTheDriver(
      InputColumn.Kind kind, DType dtype, String name, String message) {
    StructType schema =
        new StructType()
            .add("s", "string")
            .add("d", "double")
            .add("n", new StructType().add("x", "string"));
    Vocabulary v = kind == InputColumn.Kind.CATEGORY ? Vocabulary.of(new String[] {"a"}, 0) : null;
    int axes = kind == InputColumn.Kind.IMAGE ? 3 : kind == InputColumn.Kind.MATRIX ? 2 : 1;
    List<Integer> shape = kind.hasShape() ? Collections.nCopies(axes, 1) : List.of();
    TileSpec tile =
        new TileSpec("x", dtype, List.of(new InputColumn(name, kind, shape, 0, v)), false);
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> TileSpec.check(schema, List.of(tile)))
            .getMessage());
  }

  @Test
  void subtractsTheOriginBeforeRounding() {
    Dataset<Row> data =
        Session.get()
            .range(0, 100, 1, 1)
            .selectExpr(
                "timestamp_micros(1700000000000000 + id * 250000) as t",
                "if(id = 3, null, 1e15D + id) as d",
                "id + 9007199254740993 as l",
                "cast(id + 1e30BD as decimal(38,2)) as m");
    TileSpec tile =
        new TileSpec(
            "x",
            DType.F32,
            List.of(
                InputColumn.scalar("t").withOrigin(1.7e9),
                InputColumn.scalar("d").withOrigin(1e15),
                InputColumn.scalar("l").withOrigin(9007199254740992.0),
                InputColumn.scalar("m").withOrigin(1e30)),
            true,
            List.of(0.0, 1e15 + 7, 0.0, 0.0));
    for (Dataset<Row> df : List.of(data, Session.parquet(data))) {
      double[] got = TileDump.dump(df, tile, 64);
      for (int r = 0; r < 100; r++) {
        assertEquals(r * 0.25, got[4 * r]);
        assertEquals(r == 3 ? 7 : r, got[4 * r + 1]);
        assertEquals(r + 1, got[4 * r + 2], 1); // an i64 of this size as f64
        assertEquals(r, got[4 * r + 3], 1.5e14);
      }
    }
  }

  @Test
  void refusesRowsOutsideBatchAndBuffer() {
    TileSpec tile = new TileSpec("x", DType.F32, List.of(InputColumn.scalar("a")), false);
    var v =
        new org.apache.spark.sql.execution.vectorized.OnHeapColumnVector(
            4, org.apache.spark.sql.types.DataTypes.FloatType);
    var batch =
        new org.apache.spark.sql.vectorized.ColumnarBatch(
            new org.apache.spark.sql.vectorized.ColumnVector[] {v}, 4);
    TileReader reader = new TileReader(List.of(tile), new int[] {0});
    Buffer[] buffer = {Buffer.collected(12)};
    assertEquals(
        "tile reader: rows must lie in the batch: [2, 5) of 4; correct the range",
        assertThrows(IllegalArgumentException.class, () -> reader.read(batch, 2, 3, buffer, 0))
            .getMessage());
    assertEquals(
        "tile x: the rows must fit its buffer: rows [2, 4) of 1 numbers, 12 bytes; allocate more",
        assertThrows(IllegalArgumentException.class, () -> reader.read(batch, 0, 2, buffer, 2))
            .getMessage());
    reader.read(batch, 0, 0, buffer, 3);
  }

  /** Rows of 4 MB: one batch of all of them would take as much memory as 4 MB times 10,000. */
  @Test
  void wideRowsAreFewToABatch() {
    int width = 600_000;
    Dataset<Row> rows =
        Session.get()
            .range(0, 20, 1, 1)
            .selectExpr("if(id = 7, null, array_repeat(double(id), " + width + ")) as v");
    InputColumn v = InputColumn.array("v", width);
    long batches =
        ColumnarMap.replace(
                rows,
                List.of("v"),
                new StructType().add("bytes", "binary"),
                new TileDump(new TileSpec("x", DType.F32, List.of(v), true), 1),
                "dump")
            .selectExpr("length(bytes) as n")
            .count();
    assertEquals(3, batches); // 32 MiB are seven
    TileSpec strict = new TileSpec("x", DType.F32, List.of(v), false);
    assertEquals(19, TileSpec.withoutInvalid(rows, List.of(strict)).count());
  }
}
