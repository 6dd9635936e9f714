package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.fragua.spark.train.Leftovers;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.CrossValidatorModel;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import scala.jdk.javaapi.CollectionConverters;

/** Fits that run at the same time: they wait for each other's slots, and nothing else is shared. */
class FitsAtOnceTest {
  private static final int LIMIT_S = 60;

  @AfterEach
  void nothingIsLeft() {
    Leftovers.assertNone();
  }

  private static NeuralClassifier classifier(int units) {
    return new NeuralClassifier()
        .setLabelCol("xor")
        .setNumericCols("a", "b")
        .setHiddenLayers(units)
        .setBatchSize(32)
        .setEpochs(3)
        .setNumWorkers(2);
  }

  private static float[] fit(NeuralClassifier c) {
    return kernel(c.fit(EstimatorCases.data()));
  }

  private static float[] kernel(Model<?> m) {
    return ((NeuralModel<?>) m).data().weights().get("param:output.kernel").toFloats();
  }

  /** Those of a barrier need both slots of the session at once. */
  @Test
  void eachLearnsWhatItLearnsAlone() throws Exception {
    List<NeuralClassifier> all =
        List.of(classifier(4), classifier(5), classifier(6).setDistribution("localSgd"));
    List<float[]> alone = all.stream().map(FitsAtOnceTest::fit).toList();
    List<CompletableFuture<float[]>> together =
        all.stream()
            .map(c -> CompletableFuture.supplyAsync(() -> fit(c), r -> new Thread(r).start()))
            .toList();
    for (int i = 0; i < all.size(); i++) {
      assertArrayEquals(alone.get(i), together.get(i).get(LIMIT_S, TimeUnit.SECONDS), "fit " + i);
    }
  }

  @Test
  void aCrossValidatorMayFitInParallel() throws Exception {
    CrossValidatorModel inTurn = validated(1);
    CrossValidatorModel together =
        CompletableFuture.supplyAsync(() -> validated(2)).get(LIMIT_S, TimeUnit.SECONDS);
    assertArrayEquals(inTurn.avgMetrics(), together.avgMetrics());
    assertArrayEquals(kernel(inTurn.bestModel()), kernel(together.bestModel()));
  }

  private static CrossValidatorModel validated(int parallelism) {
    NeuralClassifier c = classifier(4);
    return new CrossValidator()
        .setEstimator(c)
        .setEvaluator(
            new MulticlassClassificationEvaluator().setLabelCol("xor").setMetricName("accuracy"))
        .setNumFolds(2)
        .setParallelism(parallelism)
        .setEstimatorParamMaps(
            new ParamGridBuilder()
                .addGrid(
                    c.hiddenLayers(),
                    CollectionConverters.asScala(List.of(new int[] {4}, new int[] {8, 4})))
                .build())
        .fit(EstimatorCases.data());
  }
}
