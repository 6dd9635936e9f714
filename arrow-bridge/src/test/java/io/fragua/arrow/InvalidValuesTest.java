package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.arrow.InvalidCases.Bad;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Null, NaN, infinity, other shapes and categories that are not known, in columns of every kind:
 * each is an error, a row to skip, or filled, from files read as columns as from rows. Row i + 1 is
 * bad in the case number i.
 */
final class InvalidValuesTest {
  private static final List<Bad> CASES = InvalidCases.bad();

  /** The same columns, from a Parquet file and from rows. */
  private static final List<Dataset<Row>> SOURCES = sources();

  private static List<Dataset<Row>> sources() {
    ColumnCases.data(List.of(), 1); // registers the functions
    List<String> sql = new ArrayList<>(List.of("id"));
    for (int i = 0; i < CASES.size(); i++) {
      sql.add(
          "if(id = "
              + (i + 1)
              + ", "
              + CASES.get(i).bad()
              + ", "
              + CASES.get(i).good()
              + ") as v"
              + i);
    }
    Dataset<Row> data =
        Session.get().range(0, CASES.size() + 2, 1, 1).selectExpr(sql.toArray(String[]::new));
    Dataset<Row> columns = Session.parquet(data);
    return List.of(columns, columns.filter("id >= 0"));
  }

  private static boolean isIds(int i) {
    return CASES.get(i).input().kind() == InputColumn.Kind.SPARSE_IDS;
  }

  /** A tile of cases that all are ids of pairs, or none of them. */
  private static TileSpec tile(List<Integer> cases, boolean keep) {
    return new TileSpec(
        "x",
        isIds(cases.get(0)) ? DType.I32 : DType.F32,
        cases.stream().map(i -> CASES.get(i).input().withName(name(i))).toList(),
        keep,
        Collections.nCopies(cases.size(), ColumnCases.FILL));
  }

  private static List<TileSpec> tiles(boolean keep) {
    return Stream.of(true, false)
        .map(ids -> tile(all().stream().filter(i -> isIds(i) == ids).toList(), keep))
        .toList();
  }

  /** A case of a struct's field names it. */
  private static String name(int i) {
    String of = CASES.get(i).input().name();
    return "v" + i + (of.isEmpty() ? "" : "." + of);
  }

  private static List<Integer> all() {
    return IntStream.range(0, CASES.size()).boxed().toList();
  }

  @TestFactory
  Stream<DynamicTest> anErrorNamesColumnRowFileAndValue() {
    List<TileSpec> alone = all().stream().map(i -> tile(List.of(i), false)).toList();
    List<List<Row>> messages =
        SOURCES.stream()
            .map(
                df ->
                    ColumnarMap.replace(
                            df,
                            TileSpec.inputs(alone),
                            new StructType().add("message", "string"),
                            new Messages(alone),
                            "messages")
                        .collectAsList())
            .toList();
    return all().stream()
        .map(
            i ->
                DynamicTest.dynamicTest(
                    CASES.get(i).toString(),
                    () -> {
                      for (List<Row> of : messages) {
                        assertMessage(i, of.get(i).getString(0));
                      }
                    }));
  }

  private static void assertMessage(int i, String message) {
    String begin =
        "column "
            + name(i)
            + ": "
            + CASES.get(i).message()
            + " in row "
            + (i + 1)
            + " of partition 0 (both counted from 0), file file:/";
    assertEquals(begin, message.substring(0, Math.min(begin.length(), message.length())), message);
    String end = ".parquet; correct the data, or set handleInvalid to \"skip\" or \"keep\"";
    assertTrue(message.endsWith(end), message);
  }

  /** What each tile's reader says of the only batch. */
  private record Messages(List<TileSpec> tiles) implements BatchFunction {
    @Override
    public Iterator<ColumnarBatch> apply(
        Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
      ColumnarBatch batch = in.next();
      OnHeapColumnVector out = new OnHeapColumnVector(tiles.size(), DataTypes.StringType);
      for (int i = 0; i < tiles.size(); i++) {
        TileReader reader = new TileReader(tiles.subList(i, i + 1), new int[] {ordinals[i]});
        Buffer[] buffer = {Buffer.collected(4L * tiles.get(i).width() * batch.numRows())};
        String message = "no error";
        try {
          reader.read(batch, 0, batch.numRows(), buffer, 0);
        } catch (IllegalArgumentException e) {
          message = e.getMessage();
        }
        out.putByteArray(i, message.getBytes(StandardCharsets.UTF_8));
      }
      return List.of(new ColumnarBatch(new ColumnVector[] {out}, tiles.size())).iterator();
    }
  }

  @TestFactory
  Stream<DynamicTest> skippedRowsAreTheInvalidOnes() {
    return SOURCES.stream()
        .map(
            df ->
                DynamicTest.dynamicTest(
                    df == SOURCES.get(0) ? "columns" : "rows",
                    () -> {
                      Dataset<Row> valid = TileSpec.withoutInvalid(df, tiles(false));
                      assertArrayEquals(df.columns(), valid.columns());
                      List<Long> ids =
                          valid.select("id").collectAsList().stream()
                              .map(r -> r.getLong(0))
                              .toList();
                      assertEquals(List.of(0L, CASES.size() + 1L), ids);
                      for (TileSpec t : tiles(false)) {
                        assertEquals(2 * t.width(), TileDump.dump(valid, t, 100).length);
                      }
                    }));
  }

  @TestFactory
  Stream<DynamicTest> keptRowsAreFilled() {
    List<DynamicTest> tests = new ArrayList<>();
    for (TileSpec tile : tiles(true)) {
      List<double[]> dumps = SOURCES.stream().map(df -> TileDump.dump(df, tile, 7)).toList();
      assertArrayEquals(dumps.get(0), dumps.get(1));
      int at = 0;
      for (InputColumn c : tile.columns()) {
        int i = Integer.parseInt(c.name().replaceAll("^v|\\..*", ""));
        int from = (i + 1) * tile.width() + at;
        double[] got = Arrays.copyOfRange(dumps.get(0), from, from + c.width());
        tests.add(
            DynamicTest.dynamicTest(
                CASES.get(i).toString(),
                () -> assertArrayEquals(CASES.get(i).kept(), got, Arrays.toString(got))));
        at += c.width();
      }
    }
    return tests.stream();
  }
}
