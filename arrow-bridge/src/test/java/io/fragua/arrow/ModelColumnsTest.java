package io.fragua.arrow;

import static org.apache.spark.ml.functions.vector_to_array;
import static org.apache.spark.sql.functions.col;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.spark.SparkException;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a query does with the columns of a model: uses some, reads elements of vectors. */
final class ModelColumnsTest {
  private static final int ROWS = 5_000;
  private static Dataset<Row> scored;
  private static List<Row> all;

  @BeforeAll
  static void score() {
    Dataset<Row> data =
        Session.parquet(
            Session.get()
                .range(0, ROWS, 1, 1)
                .selectExpr(
                    "id",
                    "cast(id % 17 as float) / 3 as a",
                    "cast(id % 5 - 2 as double) / 7 as b",
                    "concat('v', id % 5) as s"));
    scored = ModelScorer.append(data, Models.broadcast(Models.model("m", 512, false)));
    all = scored.collectAsList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"score", "score32", "raw", "best"})
  void computesWhatIsUsed(String column) {
    Dataset<Row> one = scored.select("id", column);
    String p = Session.physical(one);
    assertTrue(p.matches("(?s).*ColumnarMap score m, [^\n]*, \\[" + column + "#\\d+], .*"), p);
    List<Row> got = one.collectAsList();
    int at = scored.schema().fieldIndex(column);
    for (int i = 0; i < ROWS; i++) {
      assertEquals(all.get(i).get(at), got.get(i).get(1), "row " + i);
    }
  }

  @Test
  void computesWhatIsUsedInAnyCombination() {
    Dataset<Row> two = scored.filter("best = 0").selectExpr("best", "score * 2 AS twice");
    String p = Session.physical(two);
    assertTrue(p.matches("(?s).*ColumnarMap score m, .*, \\[score#\\d+, best#\\d+], .*"), p);
    List<Row> want = all.stream().filter(r -> r.<Integer>getAs("best") == 0).toList();
    List<Row> got = two.collectAsList();
    assertEquals(want.size(), got.size());
    for (int i = 0; i < got.size(); i++) {
      assertEquals(want.get(i).<Double>getAs("score") * 2, got.get(i).getDouble(1));
    }
  }

  // --- vector_to_array

  private static void assertNoObjects(Dataset<Row> df) {
    assertFalse(Session.physical(df).contains("UDF("), () -> Session.physical(df));
  }

  @Test
  void readsElementsOfVectors() {
    Dataset<Row> read =
        scored.select(
            vector_to_array(col("raw"), "float64").as("all"),
            vector_to_array(col("raw"), "float64").getItem(2).as("third"),
            vector_to_array(col("raw"), "float32").getItem(1).as("second"));
    assertNoObjects(read);
    List<Row> got = read.collectAsList();
    for (int i = 0; i < ROWS; i++) {
      double[] v = all.get(i).<Vector>getAs("raw").toArray();
      assertEquals(List.of(v[0], v[1], v[2]), got.get(i).getList(0));
      assertEquals(v[2], got.get(i).getDouble(1));
      assertEquals((float) v[1], got.get(i).getFloat(2));
    }
  }

  @Test
  void readsElementsInFiltersAndAggregates() {
    Dataset<Row> some = scored.filter(vector_to_array(col("raw"), "float64").getItem(0).gt(2));
    assertNoObjects(some);
    long want = all.stream().filter(r -> r.<Vector>getAs("raw").apply(0) > 2).count();
    assertTrue(want > 0 && want < ROWS);
    assertEquals(want, some.collectAsList().size());
    Dataset<Row> largest =
        scored
            .selectExpr("raw")
            .agg(
                org.apache
                    .spark
                    .sql
                    .functions
                    .max(vector_to_array(col("raw"), "float32").getItem(1))
                    .as("largest"));
    assertNoObjects(largest);
    double max = all.stream().mapToDouble(r -> r.<Vector>getAs("raw").apply(1)).max().orElseThrow();
    assertEquals((float) max, largest.first().getFloat(0));
  }

  @Test
  void anElementThatIsNotThereIsSparksError() {
    Dataset<Row> read = scored.select(vector_to_array(col("raw"), "float32").getItem(3));
    String m = Session.message(assertThrows(Exception.class, read::collectAsList));
    assertTrue(m.contains("INVALID_ARRAY_INDEX"), m);
  }

  /** Beside the model's vectors lie others, sparse ones, in a column with the same identity. */
  @Test
  void otherVectorsAreReadAsTheyAre() {
    Dataset<Row> other =
        Session.get()
            .createDataFrame(
                List.of(
                    RowFactory.create(Vectors.sparse(3, new int[] {1}, new double[] {9})),
                    RowFactory.create(Vectors.dense(7, 8, 6))),
                scored.select("raw").schema());
    List<Row> got =
        scored
            .filter("id < 2")
            .select("raw")
            .union(other)
            .select(vector_to_array(col("raw"), "float64").getItem(1))
            .collectAsList();
    assertEquals(all.get(0).<Vector>getAs("raw").apply(1), got.get(0).getDouble(0));
    assertEquals(9, got.get(2).getDouble(0));
    assertEquals(8, got.get(3).getDouble(0));
  }

  @Test
  void aMissingVectorIsSparksError() {
    Dataset<Row> joined =
        Session.get()
            .range(ROWS - 1, ROWS + 1)
            .join(scored.select("id", "raw"), new String[] {"id"}, "left")
            .select(vector_to_array(col("raw"), "float64").getItem(1));
    String m = Session.message(assertThrows(SparkException.class, joined::collectAsList));
    assertTrue(m.contains("vector_to_array requires a non-null input"), m);
  }
}
