package io.fragua.spark.estimator;

import static org.apache.spark.ml.functions.array_to_vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.delta.sql.DeltaSparkSessionExtension;
import io.fragua.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Learning from and scoring tables and rows of every origin: results do not depend on it. */
final class TablesTest {
  private static final int ROWS = 600;
  private static final int MORE = 100;

  private static SparkSession spark;
  private static NeuralClassificationModel model; // learnt from plain rows
  private static final Map<Boolean, NeuralClassificationModel> EVERY = new HashMap<>(); // so too
  private static final String BATCHES = "spark.sql.parquet.enableVectorizedReader";

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
    return classifier().setNumericCols("x", "n").setCategoricalCols("city").fit(data);
  }

  private static NeuralClassifier classifier() {
    return new NeuralClassifier()
        .setEmbeddingDim(2)
        .setLabelCol("late")
        .setHiddenLayers(8)
        .setBatchSize(32)
        .setEpochs(4)
        .setLearningRate(0.02)
        .setNumWorkers(1);
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
        String plan = Spark.plan(model.transform(then));
        assertFalse(plan.contains("RowsToColumns"), plan);
      }
    }
    assertScores(spark.table(f.table), want.get(2));
  }

  // --- other origins

  /**
   * Columns of every kind that an origin can hold.
   *
   * @param role the parameter that names them
   * @param flat whether a table of texts holds them
   */
  private record Kinds(String role, boolean flat, Map<String, String> sqlByName) {}

  private static final List<Kinds> KINDS =
      List.of(
          new Kinds(
              "numericCols",
              true,
              Map.of(
                  "a_byte", "tinyint(n)",
                  "a_short", "smallint(n)",
                  "a_long", "id * 1000000007",
                  "a_float", "float(x)",
                  "a_decimal", "cast(x as decimal(9, 2))",
                  "a_long_decimal", "cast(x as decimal(30, 6))",
                  "a_truth", "n > 5",
                  "a_date", "date_add('2020-01-01', n)",
                  "a_time", "timestamp_millis(1577836800000 + id * 3600001)",
                  "a_time_ntz", "cast(timestamp_millis(id * 3600001) as timestamp_ntz)")),
          new Kinds(
              "categoricalCols",
              true,
              Map.of(
                  "a_day", "date_add('2020-01-01', n)",
                  "a_code", "smallint(n)",
                  "a_class", "n > 3")),
          new Kinds("numericCols", false, Map.of("in_struct", "named_struct('of', x)")),
          new Kinds(
              "categoricalCols",
              false,
              Map.of("in_deep", "named_struct('of', named_struct('n', n))", "bytes", "unhex(n)")),
          new Kinds("featuresCol", false, Map.of("grid", "array(array(x, n), array(x * x, 1))")),
          new Kinds("sparseCols", false, Map.of("words", "map('k' || n, x)")),
          // Texts as Latin-1 writes them: no UTF-8, and alike as Spark shows them.
          new Kinds("categoricalCols", false, Map.of("latin", "string(unhex('4DE' || n % 3))")),
          new Kinds(
              "sparseCols", false, Map.of("latin_words", "map(string(unhex('4DE' || n % 3)), x)")));

  private static Dataset<Row> every(boolean flat) {
    Dataset<Row> d = rows(0, ROWS);
    for (Kinds k : KINDS) {
      for (Map.Entry<String, String> c : new TreeMap<>(k.sqlByName).entrySet()) {
        d = flat && !k.flat ? d : d.withColumn(c.getKey(), functions.expr(c.getValue()));
      }
    }
    return flat ? d : d.withColumn("vector", array_to_vector(functions.expr("array(x, 0, n)")));
  }

  /** The names given to a parameter, fields of structs in full. */
  private static String[] named(String role, boolean flat, String... more) {
    Stream<String> all =
        KINDS.stream()
            .filter(k -> k.role.equals(role) && (k.flat || !flat))
            .flatMap(k -> k.sqlByName.keySet().stream())
            .map(n -> n.equals("in_struct") ? "in_struct.of" : n)
            .map(n -> n.equals("in_deep") ? "in_deep.of.n" : n)
            .sorted();
    return Stream.concat(Stream.of(more), all).toArray(String[]::new);
  }

  private static NeuralClassifier ofEvery(boolean flat) {
    NeuralClassifier c =
        classifier()
            .setNumericCols(named("numericCols", flat, "x", "n"))
            .setCategoricalCols(named("categoricalCols", flat, "city"));
    if (!flat) {
      c.setFeaturesCol("grid").setSparseCols(named("sparseCols", false, "vector"));
    }
    return c;
  }

  private static NeuralClassificationModel fitEvery(Dataset<Row> data, boolean flat) {
    return ofEvery(flat).fit(data);
  }

  static Stream<Arguments> origins() {
    return Stream.of(
        origin("JSON", d -> file(d, "json")),
        Arguments.of("CSV", true, (UnaryOperator<Dataset<Row>>) d -> file(d, "csv")),
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
        origin("a temporary view", TablesTest::view));
  }

  private static Arguments origin(String name, UnaryOperator<Dataset<Row>> from) {
    return Arguments.of(name, false, from);
  }

  private static Dataset<Row> view(Dataset<Row> d) {
    d.createOrReplaceTempView("every_kind");
    return spark.table("every_kind");
  }

  private static Dataset<Row> file(Dataset<Row> d, String format) {
    String path = Spark.folder(format).toString();
    d.write().format(format).save(path);
    return spark.read().schema(d.schema()).format(format).load(path);
  }

  private static Dataset<Row> byRow(Dataset<Row> d) {
    spark.conf().set(BATCHES, "false");
    return file(d, "parquet");
  }

  @AfterEach
  void batchesAgain() {
    spark.conf().unset(BATCHES);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("origins")
  void rowsOfAnyOrigin(String name, boolean flat, UnaryOperator<Dataset<Row>> from) {
    Dataset<Row> plain = every(flat);
    Dataset<Row> data = from.apply(plain);
    NeuralClassificationModel learnt = fitEvery(data, flat);
    assertEquals(ROWS, learnt.summary().epochs().get(0).rows());
    scores(learnt, data);
    NeuralClassificationModel byPlain = EVERY.computeIfAbsent(flat, f -> fitEvery(every(f), f));
    assertEquals(scores(byPlain, plain), scores(byPlain, data));
  }

  /** Every kind of column has an order that follows from what it holds, and travels whole. */
  @Test
  void everyKindLearnsAlikeOnTwoWorkers() {
    Dataset<Row> data = every(false);
    Dataset<Row> cut = data.repartition(5).cache(); // else Spark makes one exchange of two
    NeuralClassifier c = ofEvery(false).setDeterministic(true);
    Map<String, Tensor> one = c.fit(data).data().weights();
    Map<String, Tensor> two = c.setNumWorkers(2).fit(cut).data().weights();
    cut.unpersist();
    assertEquals(one.keySet(), two.keySet());
    one.forEach((n, w) -> assertArrayEquals(w.toFloats(), two.get(n).toFloats(), n));
  }
}
