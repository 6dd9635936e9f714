package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a {@link NeuralRegressor} learns of amounts: by which loss, and of which size. */
class AmountsTest {
  @ParameterizedTest
  @CsvSource({"squared, 0.5, 25.35", "absolute, 0.5, 1", "quantile, 0.9, 100", "huber, 0.5, 7.6"})
  void lossesDecideWhatIsLearnt(String loss, double quantile, double expected) {
    Dataset<Row> d =
        Spark.session()
            .range(240)
            .selectExpr(
                "1 as one", "case id % 20 div 5 when 3 then 100 else id % 20 div 8 end as y");
    NeuralRegressionModel model =
        new NeuralRegressor()
            .setNumericCols("one")
            .setLabelCol("y")
            .setHiddenLayers()
            .setLearningRate(0.02)
            .setLearningRateSchedule("cosine")
            .setBatchSize(240)
            .setEpochs(400)
            .setNumWorkers(1)
            .setLoss(loss)
            .setQuantile(quantile)
            .setHuberDelta(0.5)
            .fit(d);
    assertEquals(expected, model.transform(d).head().<Double>getAs("prediction"), 2);
  }

  /** Workers send each sum as two floats, of which the second is what the first lacks. */
  @Test
  void aSquareBeyondF32IsInfinite() {
    Dataset<Row> d =
        EstimatorCases.data().withColumn("huge", functions.expr("amount * double('1e22')"));
    NeuralRegressionModel model =
        new NeuralRegressor()
            .setLabelCol("huge")
            .setNumericCols("a", "b")
            .setHiddenLayers(2)
            .setEpochs(1)
            .setValidationIndicatorCol("held")
            .fit(d);
    Map<String, Double> m = model.summary().epochs().get(0).validationMetrics();
    assertEquals(Double.POSITIVE_INFINITY, m.get("mse"));
    assertTrue(Double.isFinite(m.get("mae")), () -> "" + m);
  }

  /** As f32 numbers of this size are 128 apart. */
  @Test
  void largeAmountsKeepTheirDigits() {
    Dataset<Row> times =
        EstimatorCases.data()
            .withColumn("t", functions.expr("1.7e9 + 4 * int(a > 0.5) + 2 * int(b > 500)"));
    NeuralRegressionModel model =
        new NeuralRegressor()
            .setLabelCol("t")
            .setNumericCols("a", "b")
            .setHiddenLayers(16)
            .setBatchSize(32)
            .setEpochs(40)
            .setLearningRate(0.02)
            .setValidationIndicatorCol("held")
            .fit(times);
    double off = model.transform(times).selectExpr("avg(abs(prediction - t))").head().getDouble(0);
    assertTrue(off < 0.7, () -> "off by " + off);
    assertTrue(model.summary().epochs().get(39).validationMetrics().get("mae") < 0.7);
  }
}
