package io.fragua.spark.estimator;

import io.fragua.nn.Dense;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A layer that does not fit is found before any job where the columns' names say their width. */
class NetworkCheckTest {
  @TestFactory
  Stream<DynamicTest> saidBeforeAnyJob() {
    return networks().map(Mistake::testWithoutJobs);
  }

  /** A layer of the user's where names of columns alone say how wide a row is. */
  private static Stream<Mistake> networks() {
    NeuralClassifier c = new NeuralClassifier().setLabelCol("xor").setNumericCols("a", "b");
    NeuralRegressor r = new NeuralRegressor().setLabelCol("a").setNumericCols("b");
    return Stream.of(
        Mistake.of(
            "a layer of other axes",
            () -> c.setNetwork((s, x) -> x.reshape(x.shape().dim(0), 7)).fit(EstimatorCases.data()),
            "NeuralClassifier network: the layer must fit the 2 features and the label: reshape"),
        Mistake.of(
            "a layer for categories",
            () ->
                c.setCategoricalCols("city")
                    .setEmbeddingDim(3)
                    .setNetwork((s, x) -> x.sum(1))
                    .fit(EstimatorCases.data()),
            "NeuralClassifier network: the layer must fit the 5 features and the label: it must"
                + " give f32[",
            ", classes] for f32[",
            ", 5]: it gives f32["),
        Mistake.of(
            "a layer of two amounts",
            () -> r.setNetwork(new Dense(2)).fit(EstimatorCases.data()),
            "NeuralRegressor network: the layer must fit the 1 features and the label: it must give"
                + " f32[",
            ", 1] for f32[",
            ", 1]: it gives f32["),
        Mistake.of(
            "a layer of a given shape",
            () ->
                new NeuralRegressor()
                    .setLabelCol("a")
                    .setFeaturesCol("dense")
                    .setFeaturesShape(3)
                    .setNetwork(new Dense(2))
                    .fit(EstimatorCases.data()),
            "NeuralRegressor network: the layer must fit the 3 features and the label"));
  }
}
