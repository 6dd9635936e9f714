package io.fragua.spark.estimator;

import io.fragua.nn.Activations;
import io.fragua.nn.BatchNorm;
import io.fragua.nn.Dense;
import io.fragua.nn.Dropout;
import io.fragua.nn.LayerNorm;
import io.fragua.nn.Sequential;
import io.fragua.nn.SinusoidalPositions;
import io.fragua.nn.TransformerEncoderLayer;
import java.util.List;
import java.util.function.Supplier;
import org.apache.spark.ml.evaluation.BinaryClassificationEvaluator;
import org.apache.spark.ml.evaluation.Evaluator;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.evaluation.RegressionEvaluator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * One row per way to use an estimator. {@link EstimatorTest} checks every row against every
 * property, so a new estimator or kind of input is one more row.
 */
final class EstimatorCases {
  private EstimatorCases() {}

  /**
   * A way to use an estimator.
   *
   * @param estimator a new one
   * @param evaluator Spark's own, which says how well it has learnt
   * @param reach the least metric on the training rows that proves learning
   * @param custom whether the network is code, so that the estimator itself cannot be saved
   */
  record Case(
      String name,
      Supplier<NeuralEstimator<?, ?>> estimator,
      Evaluator evaluator,
      double reach,
      boolean custom) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** What stands at place i: two kinds among others, whose order is {@code xor}. */
  private static final String TOKEN =
      "case i when if(xor = 1, early, late) then array(1F, 0, 0, 0)"
          + " when if(xor = 1, late, early) then array(0F, 1, 0, 0)"
          + " else array(0F, 0, 1, float(pmod(hash(i, a), 9)) / 9) end";

  private static Dataset<Row> data;

  static synchronized Dataset<Row> data() {
    if (data == null) {
      data =
          Frames.mixed(240)
              .selectExpr(
                  "*",
                  "array(array(a), array(double(b))) as deep",
                  "named_struct('b', decimal(b), 'in', named_struct('city', city, 'when',"
                      + " timestamp_micros(1700000000000000 + int(a * 10000000)))) as nested",
                  "named_struct('origin', '', 'height', 1, 'width', 2, 'nChannels', 1, 'mode', 0,"
                      + " 'data', unhex(if(a > 0.5, 'FF', '00') || if(b > 500, 'FF', '00'))) as"
                      + " image",
                  "binary(city || code) as raw",
                  "map('a' || int(a > 0.5), 1.0, 'b' || int(b > 500), -1.0, city, 0.5) as words",
                  "pmod(hash(a), 5) as early") // a place in a sequence of six, and one after it
              .selectExpr("*", "early + 1 + pmod(hash(b), 5 - early) as late")
              .selectExpr("*", "transform(sequence(0, 5), i -> " + TOKEN + ") as tokens")
              .drop("early", "late")
              .cache();
    }
    return data;
  }

  static List<Case> all() {
    return List.of(
        new Case("dense vectors", () -> xor().setFeaturesCol("dense"), auc("xor"), 0.99, false),
        new Case(
            "sparse vectors, momentum",
            () ->
                xor()
                    .setFeaturesCol("sparse")
                    .setOptimizer("sgd")
                    .setLearningRate(0.1)
                    .setMomentum(0.9)
                    .setActivation("tanh"),
            auc("xor"),
            0.99,
            false),
        new Case(
            "arrays, adamw, one worker",
            () ->
                xor()
                    .setFeaturesCol("array")
                    .setOptimizer("adamw")
                    .setWeightDecay(0.001)
                    .setNumWorkers(1)
                    .setActivation("gelu"),
            accuracy("xor"),
            0.99,
            false),
        new Case(
            "scalars, truth values as label and as number, cosine, clipping",
            () ->
                xor()
                    .setNumericCols("a", "flag")
                    .setLabelCol("xorFlag")
                    .setLearningRateSchedule("cosine")
                    .setClipNorm(1),
            accuracy("xor"),
            0.99,
            false),
        new Case(
            "string and integer categories, three classes",
            () ->
                classifier()
                    .setCategoricalCols("city", "code")
                    .setEmbeddingDim(4)
                    .setActivation("tanh") // of 8 relus so many may die that it depends on the seed
                    .setLabelCol("blob"),
            accuracy("blob"),
            0.99,
            false),
        new Case(
            "vectors, scalars and categories, weights, dropout, updates by row",
            () ->
                xor()
                    .setFeaturesCol("dense")
                    .setNumericCols("b")
                    .setCategoricalCols("city")
                    .setEmbeddingDim(2)
                    .setWeightCol("weight")
                    .setSparseUpdates(true)
                    .setDropout(0.1),
            auc("xor"),
            0.99,
            false),
        new Case(
            "fields of structs: times, decimals, texts",
            () ->
                xor()
                    .setNumericCols("nested.in.when", "nested.b")
                    .setCategoricalCols("nested.in.city"),
            auc("xor"),
            0.99,
            false),
        new Case("arrays of arrays", () -> xor().setFeaturesCol("deep"), auc("xor"), 0.99, false),
        new Case(
            "images and binary names",
            () -> xor().setFeaturesCol("image").setCategoricalCols("raw"),
            auc("xor"),
            0.99,
            false),
        new Case(
            "maps and numbers",
            () -> xor().setSparseCols("words").setNumericCols("a"),
            auc("xor"),
            0.99,
            false),
        new Case(
            "linear",
            () -> classifier().setNumericCols("a").setLabelCol("xor").setHiddenLayers(),
            auc("xor"),
            0.3,
            false),
        new Case(
            "a network of one's own with batch norm, two logits",
            () ->
                xor()
                    .setFeaturesCol("dense")
                    .setNetwork(
                        new Sequential(
                            new Dense(16),
                            new BatchNorm(),
                            Activations.get("relu"),
                            new Dropout(0.05),
                            new Dense(16),
                            new LayerNorm(),
                            Activations.get("relu"),
                            new Dense(2))),
            auc("xor"),
            0.99,
            true),
        new Case(
            "a transformer encoder over sequences whose order counts",
            () ->
                xor()
                    .setFeaturesCol("tokens")
                    .setStandardize(false)
                    .setNetwork(
                        new Sequential(
                            new Dense(8),
                            new SinusoidalPositions(),
                            new TransformerEncoderLayer(2, 16),
                            (s, x) -> x.mean(1),
                            new Dense(1))),
            auc("xor"),
            0.95,
            true),
        new Case(
            "amount from scalars", () -> regressor().setNumericCols("a", "b"), r2(), 0.5, false),
        new Case(
            "amount from scalars and categories, validation, early stopping",
            () ->
                regressor()
                    .setNumericCols("a", "b")
                    .setCategoricalCols("city")
                    .setEmbeddingDim(2)
                    .setValidationIndicatorCol("held")
                    .setPatience(10),
            r2(),
            0.9,
            false));
  }

  private static NeuralClassifier classifier() {
    return new NeuralClassifier()
        .setHiddenLayers(16, 8)
        .setBatchSize(32)
        .setEpochs(25)
        .setLearningRate(0.02)
        .setInferenceBatchSize(50);
  }

  private static NeuralClassifier xor() {
    return classifier().setLabelCol("xor");
  }

  private static NeuralRegressor regressor() {
    return new NeuralRegressor()
        .setLabelCol("amount")
        .setHiddenLayers(16)
        .setBatchSize(32)
        .setEpochs(25)
        .setLearningRate(0.02);
  }

  private static Evaluator auc(String label) {
    return new BinaryClassificationEvaluator().setLabelCol(label);
  }

  private static Evaluator accuracy(String label) {
    return new MulticlassClassificationEvaluator().setLabelCol(label).setMetricName("accuracy");
  }

  private static Evaluator r2() {
    return new RegressionEvaluator().setLabelCol("amount").setMetricName("r2");
  }
}
