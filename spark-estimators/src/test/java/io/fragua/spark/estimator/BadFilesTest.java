package io.fragua.spark.estimator;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A wrong value in a file: what {@code fit} says names value, row and file. */
class BadFilesTest {
  private static final int BAD = 37; // the row of the first file that is wrong
  private static final String ROW = " in row 37 of partition "; // of which Spark decides
  private static final String FILE = " (both counted from 0), file file:";

  /** Two files of rows in order, the first of which holds the value, as do later rows of it. */
  private static Dataset<Row> file(String column, String value) {
    Path folder = Spark.folder("bad");
    Spark.session()
        .range(0, 200, 1, 2)
        .selectExpr("double(id) as x", "double(id % 2) as y", "1D as w")
        .withColumn("id", functions.monotonically_increasing_id())
        .withColumn(
            column,
            functions.expr("if(id = " + BAD + " or id = 90, " + value + ", " + column + ")"))
        .drop("id")
        .write()
        .parquet(folder.toString());
    return Spark.session().read().parquet(folder.toString());
  }

  private static NeuralClassifier classifier() {
    return new NeuralClassifier()
        .setNumericCols("x")
        .setLabelCol("y")
        .setHiddenLayers(2)
        .setEpochs(1);
  }

  private static Mistake mistake(
      String name, NeuralEstimator<?, ?> e, String column, String value, String says) {
    return Mistake.fit(
        name, e, file(column, value), says + ROW, FILE, "/bad/part-00000-", ".parquet;");
  }

  @TestFactory
  Stream<DynamicTest> valueRowAndFileAreNamed() {
    NeuralClassifier c = classifier();
    NeuralRegressor r =
        new NeuralRegressor().setNumericCols("x").setLabelCol("y").setHiddenLayers(2).setEpochs(1);
    return Stream.of(
            mistake("a null", c, "x", "null", "first null"),
            mistake("a NaN", c, "x", "double('NaN')", "first NaN"),
            mistake("a null label", c, "y", "null", "first null"),
            mistake("a number beyond f32", c, "x", "1e300", "\"x\" holds 1.0E300"),
            mistake("a number below f32", c, "x", "-1e300", "\"x\" holds -1.0E300"),
            mistake("an amount beyond f32", r, "y", "1e39", "\"y\" holds 1.0E39"),
            mistake("a label between classes", c, "y", "0.5", "\"y\" holds 0.5"),
            mistake("a negative label", c, "y", "-1", "\"y\" holds -1"),
            mistake("a label out of range", c, "y", "3e9", "\"y\" holds 3000000000"),
            mistake(
                "a negative weight", classifier().setWeightCol("w"), "w", "-2", "\"w\" holds -2.0"))
        .map(Mistake::test);
  }

  @TestFactory
  Stream<DynamicTest> aClassThatTheMetadataDoNotHave() {
    Dataset<Row> rows = file("y", "2");
    var two = NominalAttribute.defaultAttr().withName("y").withNumValues(2).toMetadata();
    Dataset<Row> named = rows.withColumn("y", functions.col("y").as("y", two));
    return Stream.of(Mistake.fit("a class", classifier(), named, "\"y\" holds 2" + ROW, FILE))
        .map(Mistake::test);
  }
}
