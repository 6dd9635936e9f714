package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.delta.sql.DeltaSparkSessionExtension;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Learning from and scoring tables and rows of every origin: results do not depend on it. */
final class TablesTest {
  private static final int ROWS = 600;
  private static final int MORE = 100;

  private static SparkSession spark;
  private static NeuralClassificationModel model; // learnt from plain rows

  /** A session on the shared context that has the table formats' extensions and catalogs. */
  @BeforeAll
  static void session() {
    SparkSession shared = Spark.session();
    SparkSession.clearActiveSession();
    SparkSession.clearDefaultSession();
    try {
      spark =
          SparkSession.builder()
              .withExtensions(new DeltaSparkSessionExtension())
              .withExtensions(new IcebergSparkSessionExtensions())
              .config(
                  "spark.sql.catalog.spark_catalog",
                  "org.apache.spark.sql.delta.catalog.DeltaCatalog")
              .config("spark.sql.catalog.ice", "org.apache.iceberg.spark.SparkCatalog")
              .config("spark.sql.catalog.ice.type", "hadoop")
              .config("spark.sql.catalog.ice.warehouse", Spark.folder("iceberg").toString())
              .config("spark.databricks.delta.snapshotPartitions", "1")
              .getOrCreate();
      SparkSession.setActiveSession(spark);
      rows(0, ROWS).createOrReplaceTempView("first");
      rows(ROWS, ROWS + MORE).createOrReplaceTempView("more");
      model = fit(rows(0, ROWS));
    } finally {
      SparkSession.setDefaultSession(shared);
    }
  }

  @AfterAll
  static void leave() {
    SparkSession.setActiveSession(Spark.session());
  }

  private static Dataset<Row> rows(long from, long to) {
    return spark
        .range(from, to, 1, 2)
        .selectExpr(
            "id",
            "id % 2 = 1 as late",
            "(id % 2) * 2 - 1 + (id % 7) / 10.0D as x",
            "int(id % 11) as n",
            "concat('city ', id % 3) as city");
  }

  private static NeuralClassificationModel fit(Dataset<Row> data) {
    return new NeuralClassifier()
        .setNumericCols("x", "n")
        .setCategoricalCols("city")
        .setEmbeddingDim(2)
        .setLabelCol("late")
        .setHiddenLayers(8)
        .setBatchSize(32)
        .setEpochs(4)
        .setLearningRate(0.02)
        .setNumWorkers(1)
        .fit(data);
  }

  private static Map<Long, Object> scores(NeuralClassificationModel by, Dataset<Row> data) {
    Map<Long, Object> byId = new TreeMap<>();
    for (Row r :
        by.transform(data).select("id", "late", "prediction", "probability").collectAsList()) {
      byId.put(r.getLong(0), List.of(r.get(2), r.get(3)));
      assertEquals(r.getBoolean(1) ? 1.0 : 0.0, r.getDouble(2), "row " + r.getLong(0));
    }
    return byId;
  }

  /** Learns from the data, which must hold these rows. */
  private static void assertLearns(Dataset<Row> data, Dataset<Row> same) {
    NeuralClassificationModel learnt = fit(data);
    assertEquals(same.count(), learnt.summary().epochs().get(0).rows());
    scores(learnt, data);
  }

  private static void assertScores(Dataset<Row> data, Dataset<Row> same) {
    assertEquals(scores(model, same), scores(model, data));
  }

  // --- tables

  /**
   * A table format.
   *
   * @param create makes a table of the rows of the view {@code first}
   * @param history a query that yields a row for each version
   * @param version the column of it that names the version, and {@code time} the one that orders
   * @param marks an expression of it: what was deleted by a mark, not by writing files anew
   */
  record Format(
      String name,
      String table,
      String create,
      String history,
      String version,
      String time,
      String marks) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Format> formats() {
    return Stream.of(
        new Format(
            "Delta Lake, deletion vectors",
            "delta.`" + Spark.folder("delta") + "`",
            "create table %s using delta tblproperties('delta.enableDeletionVectors' = 'true')"
                + " as select * from first",
            "describe history %s",
            "version",
            "version",
            "operationMetrics['numDeletionVectorsAdded']"),
        iceberg(2, "Iceberg 2, position deletes"),
        iceberg(3, "Iceberg 3, deletion vectors"));
  }

  private static Format iceberg(int version, String name) {
    return new Format(
        name,
        "ice.db.v" + version,
        "create table %s using iceberg tblproperties('format-version' = '"
            + version
            + "', 'write.delete.mode' = 'merge-on-read') as select * from first",
        "select * from %s.snapshots",
        "snapshot_id",
        "committed_at",
        "summary['added-position-deletes']");
  }

  @ParameterizedTest
  @MethodSource("formats")
  void everyVersionOfATable(Format f) {
    spark.sql(f.create.formatted(f.table));
    spark.sql("delete from %s where id %% 5 = 0".formatted(f.table));
    spark.sql("insert into %s select * from more".formatted(f.table));
    Dataset<Row> history = spark.sql(f.history.formatted(f.table)).sort(f.time);
    List<Row> versions = history.select(f.version).collectAsList();
    assertEquals(3, versions.size());
    assertTrue(
        history.selectExpr("sum(int(" + f.marks + "))").first().getLong(0) > 0,
        "files were written anew");
    Dataset<Row> kept = rows(0, ROWS).filter("id % 5 != 0");
    List<Dataset<Row>> want = List.of(rows(0, ROWS), kept, kept.union(rows(ROWS, ROWS + MORE)));
    for (int v = 0; v < 3; v++) {
      String at = " version as of " + versions.get(v).get(0);
      Dataset<Row> then = spark.sql("select * from " + f.table + at);
      assertScores(then, want.get(v));
      if (v == 1) {
        assertLearns(then, want.get(v)); // neither the first nor the last
      }
      // Delta leaves out what is marked by a filter of Spark's, which takes rows.
      if (v == 0 || f.table.startsWith("ice")) {
        String plan = plan(model.transform(then));
        assertFalse(plan.contains("RowToColumnar"), plan);
      }
    }
    assertScores(spark.table(f.table), want.get(2));
  }

  private static String plan(Dataset<Row> df) {
    return ((org.apache.spark.sql.classic.Dataset<Row>) df)
        .queryExecution()
        .executedPlan()
        .toString();
  }

  // --- other origins

  static Stream<Arguments> origins() {
    return Stream.of(
        origin("JSON", d -> file(d, "json")),
        origin("CSV", d -> file(d, "csv")),
        origin("ORC", d -> file(d, "orc")),
        origin("Parquet read row by row", TablesTest::byRow),
        origin("local rows", d -> spark.createDataFrame(d.collectAsList(), d.schema())),
        origin(
            "an RDD of rows",
            d ->
                spark.createDataFrame(
                    JavaSparkContext.fromSparkContext(spark.sparkContext())
                        .parallelize(d.collectAsList(), 3),
                    d.schema())),
        origin("a temporary view", d -> spark.table("first")));
  }

  private static Arguments origin(String name, Function<Dataset<Row>, Dataset<Row>> from) {
    return Arguments.of(name, from);
  }

  private static Dataset<Row> file(Dataset<Row> d, String format) {
    String path = Spark.folder(format).toString();
    d.write().format(format).save(path);
    return spark.read().schema(d.schema()).format(format).load(path);
  }

  private static Dataset<Row> byRow(Dataset<Row> d) {
    // More fields than Spark's columnar reader takes.
    Dataset<Row> wide = d;
    List<String> more =
        Stream.iterate(0, i -> i + 1).limit(100).map(i -> i + " as more" + i).toList();
    wide = wide.selectExpr(Stream.concat(Stream.of("*"), more.stream()).toArray(String[]::new));
    return file(wide, "parquet");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("origins")
  void rowsOfAnyOrigin(String name, Function<Dataset<Row>, Dataset<Row>> from) {
    Dataset<Row> data = from.apply(rows(0, ROWS));
    assertLearns(data, rows(0, ROWS));
    assertScores(data, rows(0, ROWS));
  }
}
