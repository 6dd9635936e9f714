package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

/** Two thousand columns of single numbers, named one by one. */
class WideTest {
  private static final int COLUMNS = 2000;

  @Test
  void planFitAndScore() {
    String[] sql =
        IntStream.range(0, COLUMNS)
            .mapToObj(i -> "double((id * 31 + " + i + " * 17) % 23) as c" + i)
            .toArray(String[]::new);
    Dataset<Row> numbers = Spark.session().range(0, 300, 1, 2).selectExpr(sql);
    // The label is in one of the columns, in the middle.
    String path = Spark.folder("wide").toString();
    numbers.selectExpr("*", "double(c1000 > 11) as y").write().parquet(path);
    Dataset<Row> data = Spark.session().read().parquet(path);
    NeuralClassificationModel model =
        new NeuralClassifier()
            .setNumericCols(numbers.columns())
            .setLabelCol("y")
            .setHiddenLayers(4)
            .setBatchSize(64)
            .setEpochs(15)
            .setLearningRate(0.02)
            .fit(data);
    assertEquals(COLUMNS, model.numFeatures());
    Dataset<Row> scored = model.transform(data);
    assertEquals(0, scored.filter("prediction <> y").count());
    assertFalse(Spark.plan(scored).contains("RowsToColumns"), () -> Spark.plan(scored));
  }

  /** As many numbers as an image of 450 by 450 points has: what is held at once are few rows. */
  @Test
  void rowsAsWideAsAnImage() {
    Dataset<Row> data =
        Spark.session()
            .range(0, 12, 1, 2)
            .selectExpr("array_repeat(float(id % 2), 600000) as x", "double(id % 2) as y");
    NeuralClassificationModel model =
        new NeuralClassifier()
            .setFeaturesCol("x")
            .setLabelCol("y")
            .setHandleInvalid("skip")
            .setHiddenLayers(1)
            .setBatchSize(4)
            .setEpochs(1)
            .fit(data);
    assertEquals(600_000, model.numFeatures());
    assertEquals(12, model.transform(data).select("prediction").count());
  }
}
