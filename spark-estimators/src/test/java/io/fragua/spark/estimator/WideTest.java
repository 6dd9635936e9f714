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
}
