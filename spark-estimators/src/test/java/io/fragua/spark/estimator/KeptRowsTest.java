package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of invalid values where {@code handleInvalid} is skip or keep. */
class KeptRowsTest {
  private static NeuralClassifier classifier() {
    return new NeuralClassifier().setLabelCol("xor").setHiddenLayers(2).setEpochs(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"keep", "skip"})
  void aNumberBeyondF32IsInvalidAsOthersAre(String way) {
    Dataset<Row> huge =
        EstimatorCases.data()
            .withColumn("a", functions.expr("if(city = 'Lima' and flag, 1e300, a)"));
    long left = huge.filter("a < 1e38").count();
    NeuralClassificationModel m = classifier().setNumericCols("a").setHandleInvalid(way).fit(huge);
    assertEquals(way.equals("keep") ? 240 : left, m.summary().epochs().get(0).rows());
    double mean = huge.filter("a < 1e38").selectExpr("avg(a)").head().getDouble(0);
    assertEquals(mean, m.data().data().means()[0], 1e-6);
  }

  /** Nobody has learnt what the unseen mean; then they must not say what the seed drew. */
  @Test
  void whatNoRowHadSaysNothing() {
    NeuralClassificationModel m =
        classifier()
            .setCategoricalCols("city", "code")
            .setSparseCols("words")
            .setHandleInvalid("keep")
            .fit(EstimatorCases.data());
    for (String table : List.of("embedding", "sparse.embedding")) {
      var columns =
          table.equals("embedding") ? m.data().data().categories() : m.data().data().sparse();
      var t = m.data().weights().get("param:embedding." + table);
      float[] rows = t.toFloats();
      int width = t.shape().dim(1);
      for (var c : columns) {
        int unseen = c.vocabulary().offset();
        for (int i = 0; i < width; i++) {
          assertEquals(0, rows[unseen * width + i], 0, table + " of " + c.name());
          assertNotEquals(0, rows[(unseen + 1) * width + i], 0, table + " of " + c.name());
        }
      }
    }
  }

  private static final StructType IMAGE =
      new StructType()
          .add("origin", "string")
          .add("height", "int")
          .add("width", "int")
          .add("nChannels", "int")
          .add("mode", "int")
          .add("data", "binary");

  /** Shapes are those of most rows, whichever comes first. */
  @ParameterizedTest
  @CsvSource({
    "array<double>, '[2]', skip",
    "array<array<double>>, '[1, 2]', skip",
    "binary, '[2]', skip",
    "vector, '[2]', skip",
    "vector, '[2]', keep",
    "image, '[1, 2, 1]', skip",
    "image, '[1, 2, 1]', keep",
    "array<double>, '[2]', keep" // the largest
  })
  void anInvalidFirstRowDoesNotDecideTheShape(String type, String shape, String way) {
    Dataset<Row> rows =
        Spark.session()
            .range(0, 20, 1, 1)
            .selectExpr("id", "double(id % 2) as xor", "id < 4 as odd")
            .withColumn("x", value(type));
    NeuralClassificationModel m = classifier().setFeaturesCol("x").setHandleInvalid(way).fit(rows);
    assertEquals(shape, m.data().data().numbers().get(0).shape().toString());
    assertEquals(way.equals("keep") ? 20 : 16, m.summary().epochs().get(0).rows());
    assertEquals(way.equals("keep") ? 20 : 16, m.transform(rows).count());
  }

  /** Rows are dropped from micro-batches, or filled in them, as from a data set. */
  @ParameterizedTest
  @ValueSource(strings = {"keep", "skip"})
  void aStreamKeepsTheRowsThatABatchKeeps(String way) throws Exception {
    Dataset<Row> holes =
        EstimatorCases.data()
            .withColumn("a", functions.expr("if(b % 7 = 0, null, a)"))
            .withColumn("city", functions.expr("if(b % 7 = 1, 'Rome', city)"))
            .withColumn("words", functions.expr("if(b % 7 = 2, map('unseen', 1D), words)"))
            .select("b", "code", "xor", "a", "city", "words");
    NeuralClassificationModel m =
        classifier()
            .setNumericCols("a")
            .setCategoricalCols("city")
            .setSparseCols("words")
            .setHandleInvalid(way)
            .fit(EstimatorCases.data());
    String path = Spark.folder("holes").toString();
    holes.repartition(3).write().parquet(path);
    Dataset<Row> stream =
        Spark.session()
            .readStream()
            .schema(holes.schema())
            .option("maxFilesPerTrigger", 1)
            .parquet(path);
    String table = "holes_" + way;
    StreamingQuery query =
        m.transform(stream).writeStream().format("memory").queryName(table).start();
    try {
      query.processAllAvailable();
    } finally {
      query.stop();
    }
    List<String> kept = texts(m.transform(holes));
    assertEquals(kept, texts(Spark.session().table(table)));
    long valid = holes.filter("b % 7 > 2").count();
    assertTrue(valid > 0 && valid < 240, valid + " rows are valid");
    assertEquals(way.equals("keep") ? 240 : valid, kept.size());
  }

  private static List<String> texts(Dataset<Row> rows) {
    return rows.collectAsList().stream().map(Row::toString).sorted().toList();
  }

  private static org.apache.spark.sql.Column value(String type) {
    return switch (type) {
      case "array<double>" -> functions.expr("if(odd, array(id), array(id, 1D))");
      case "array<array<double>>" ->
          functions.expr("if(odd, array(array(double(id))), array(array(id, 1D)))");
      case "binary" -> functions.expr("if(odd, X'00', X'0001')");
      case "image" ->
          functions
              .expr(
                  "if(odd, named_struct('origin', '', 'height', -1, 'width', -1, 'nChannels', -1,"
                      + " 'mode', -1, 'data', X''), named_struct('origin', '', 'height', 1,"
                      + " 'width', 2, 'nChannels', 1, 'mode', 0, 'data', X'0001'))")
              .cast(IMAGE);
      default ->
          functions
              .udf(
                  (Boolean odd, Long id) -> odd ? Vectors.dense(id) : Vectors.dense(id, 1),
                  SQLDataTypes.VectorType())
              .apply(functions.col("odd"), functions.col("id"));
    };
  }
}
