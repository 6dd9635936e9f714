package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.nn.Dense;
import io.fragua.spark.train.EpochMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.apache.spark.ml.attribute.Attribute;
import org.apache.spark.ml.attribute.AttributeGroup;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.ml.evaluation.BinaryClassificationEvaluator;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.CrossValidatorModel;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What single parameters do. */
class BehaviourTest {
  private static NeuralClassifier xor() {
    return new NeuralClassifier()
        .setLabelCol("xor")
        .setNumericCols("a", "b")
        .setHiddenLayers(16, 8)
        .setBatchSize(32)
        .setEpochs(15)
        .setLearningRate(0.02);
  }

  private static NeuralClassificationModel once;

  /**
   * A copy of a model that was trained for one epoch: enough where learning is not the question.
   */
  private static synchronized NeuralClassificationModel quick() {
    if (once == null) {
      once = xor().setEpochs(1).fit(data());
    }
    return once.copy(new ParamMap());
  }

  private static Dataset<Row> data() {
    return EstimatorCases.data();
  }

  private static List<Row> rows(Dataset<Row> d, String... columns) {
    return d.orderBy("a")
        .select(columns[0], java.util.Arrays.copyOfRange(columns, 1, columns.length))
        .collectAsList();
  }

  @Test
  void crossValidatorPicksTheNetworkThatLearns() {
    NeuralClassifier c = xor();
    CrossValidatorModel best =
        new CrossValidator()
            .setEstimator(c)
            .setEvaluator(new BinaryClassificationEvaluator().setLabelCol("xor"))
            .setNumFolds(2)
            .setEstimatorParamMaps(
                new ParamGridBuilder()
                    .addGrid(c.hiddenLayers(), scalaList(new int[0], new int[] {16, 8}))
                    .build())
            .fit(data());
    assertTrue(best.avgMetrics()[1] > 0.95, java.util.Arrays.toString(best.avgMetrics()));
    assertTrue(best.avgMetrics()[0] < 0.8, java.util.Arrays.toString(best.avgMetrics()));
    NeuralClassificationModel model = (NeuralClassificationModel) best.bestModel();
    assertArrayEquals(new int[] {16, 8}, model.getHiddenLayers());
  }

  /** As a fold of a cross-validation may leave them. */
  @ParameterizedTest
  @ValueSource(strings = {"", "weights", "balance"})
  void classesWithoutRowsAreThoseThatAStringIndexerNames(String how) {
    Dataset<Row> indexed =
        new StringIndexer()
            .setInputCol("city")
            .setOutputCol("to")
            .setStringOrderType("alphabetAsc") // Lima, Málaga, Oslo
            .fit(data())
            .transform(data());
    NeuralClassifier c =
        new NeuralClassifier()
            .setCategoricalCols("city")
            .setLabelCol("to")
            .setHiddenLayers()
            .setEpochs(40)
            .setBatchSize(32)
            .setBalanceClasses(how.equals("balance"));
    if (how.equals("weights")) {
      c.setClassWeights(1, 2, 3);
    }
    Dataset<Row> two = indexed.filter("to != 1");
    NeuralClassificationModel model = c.fit(two);
    assertEquals(3, model.numClasses());
    Dataset<Row> scored = model.transform(two);
    assertEquals(0, scored.filter("prediction != to").count());
    assertEquals(3, scored.head().<Vector>getAs("probability").size());
  }

  /** Letters of another case, quotes around a dotted name, a field of a struct. */
  @Test
  void namesAreReadAsSparkSqlReadsThem() {
    Dataset<Row> d =
        data()
            .withColumn("corner", functions.struct("b"))
            .drop("b")
            .withColumnRenamed("city", "city.name")
            .withColumnRenamed("weight", "row.weight");
    NeuralClassifier sql =
        xor()
            .setNumericCols("A", "Corner.B")
            .setCategoricalCols("`City.name`")
            .setWeightCol("`row.Weight`")
            .setLabelCol("XOR")
            .setEpochs(2);
    NeuralClassifier exact =
        xor().setNumericCols("a", "b").setCategoricalCols("city").setWeightCol("weight");
    List<Row> expected = rows(exact.setEpochs(2).fit(data()).transform(data()), "probability");
    assertEquals(expected, rows(sql.fit(d).transform(d), "probability"));
    Spark.session().conf().set("spark.sql.caseSensitive", true);
    try {
      String message = assertThrows(IllegalArgumentException.class, () -> sql.fit(d)).getMessage();
      assertTrue(
          message.contains("numericCols: must name a column of the data set: \"A\""), message);
    } finally {
      Spark.session().conf().unset("spark.sql.caseSensitive");
    }
  }

  private static scala.collection.Iterable<int[]> scalaList(int[]... values) {
    return scala.jdk.javaapi.CollectionConverters.asScala(List.of(values));
  }

  @Test
  void rowsOfWeightZeroDoNotCount() {
    Dataset<Row> lies =
        data()
            .withColumn("xor", functions.lit(1).minus(functions.col("xor")))
            .withColumn("weight", functions.lit(0f));
    NeuralClassificationModel model = xor().setWeightCol("weight").fit(data().union(lies));
    assertTrue(accuracy(model) > 0.98, () -> "" + accuracy(model));
    // The same rows at equal weight cannot be learnt: the test above can fail.
    NeuralClassificationModel blind = xor().fit(data().union(lies));
    assertTrue(accuracy(blind) < 0.9, () -> "" + accuracy(blind));
  }

  @Test
  void aRowOfWeightThreeCountsThreeTimes() {
    Dataset<Row> d =
        data()
            .withColumn("one", functions.lit(1))
            .withColumn("amount", functions.col("xor").multiply(4))
            .withColumn("weight", functions.col("xor").multiply(2).plus(1));
    NeuralRegressor constant =
        new NeuralRegressor()
            .setNumericCols("one")
            .setLabelCol("amount")
            .setHiddenLayers()
            .setLearningRate(0.05)
            .setBatchSize(120)
            .setEpochs(60);
    // The best constant is the mean: half of the rows hold 0, half 4.
    assertEquals(2, constant.fit(d).transform(d).head().<Double>getAs("prediction"), 0.1);
    constant.setWeightCol("weight");
    assertEquals(3, constant.fit(d).transform(d).head().<Double>getAs("prediction"), 0.1);
  }

  private static double accuracy(NeuralClassificationModel model) {
    Dataset<Row> scored = model.transform(data());
    return (double) scored.filter("prediction = xor").count() / scored.count();
  }

  @Test
  void thresholdsWeighProbabilities() {
    NeuralClassificationModel model = quick();
    for (double[] t : new double[][] {{0.2, 0.8}, {0.8, 0.2}, {0, 1}, {-0.0, 1}}) {
      List<Row> scored =
          rows(model.setThresholds(t).transform(data()), "probability", "prediction");
      for (Row r : scored) {
        Vector p = r.getAs(0);
        double expected = p.apply(1) / t[1] > p.apply(0) / Math.abs(t[0]) ? 1 : 0;
        assertEquals(expected, r.getDouble(1), () -> p + " by " + java.util.Arrays.toString(t));
      }
    }
  }

  @Test
  void outputsAgreeWithEachOtherAndCanBeLeftOut() {
    NeuralClassificationModel model = quick();
    Dataset<Row> scored = model.transform(data());
    for (Row r : rows(scored, "rawPrediction", "probability", "prediction")) {
      Vector raw = r.getAs(0);
      Vector p = r.getAs(1);
      assertEquals(-raw.apply(0), raw.apply(1), 0);
      assertEquals(1 / (1 + Math.exp(-raw.apply(1))), p.apply(1), 1e-6);
      assertEquals(1, p.apply(0) + p.apply(1), 1e-6);
      assertEquals(raw.apply(1) > 0 ? 1 : 0, r.getDouble(2));
    }
    assertEquals(2, AttributeGroup.fromStructField(scored.schema().apply("probability")).size());
    NominalAttribute attribute =
        (NominalAttribute) Attribute.fromStructField(scored.schema().apply("prediction"));
    assertEquals(2, attribute.getNumValues().get());
    model.setProbabilityCol("").setRawPredictionCol("").setPredictionCol("p");
    StructType schema = model.transform(data()).schema();
    assertEquals(data().schema().size() + 1, schema.size());
    assertEquals(DataTypes.DoubleType, schema.apply("p").dataType());
  }

  @Test
  void amountsAreInTheLabelsUnits() {
    NeuralRegressionModel model =
        new NeuralRegressor()
            .setLabelCol("amount")
            .setNumericCols("a", "b")
            .setHiddenLayers(16)
            .setBatchSize(32)
            .setEpochs(15)
            .setLearningRate(0.02)
            .fit(data());
    for (Row r : rows(model.transform(data()), "prediction", "amount")) {
      assertEquals(r.getDouble(1), r.getDouble(0), 150);
    }
  }

  /** The loss of the only step is finite, the weights after it are not. */
  @Test
  void aModelThatHasDivergedIsNoModel() {
    NeuralRegressor r =
        new NeuralRegressor()
            .setLabelCol("amount")
            .setNumericCols("a", "b")
            .setHiddenLayers(4)
            .setOptimizer("sgd")
            .setLearningRate(3e38)
            .setStandardize(false)
            .setNumWorkers(1)
            .setBatchSize(4096)
            .setEpochs(1);
    String message = assertThrows(IllegalArgumentException.class, () -> r.fit(data())).getMessage();
    assertTrue(
        message.startsWith("NeuralRegressor fit: the weights must stay finite numbers: \"param:"),
        message);
    assertTrue(message.contains(" after the last step; lower learningRate"), message);
  }

  /** What a constant learns is the mean, the median, a quantile; between the first two by huber. */
  @Test
  void predictsASingleRowAsTransformDoes() {
    NeuralClassificationModel model =
        xor().setNumericCols().setFeaturesCol("dense").setEpochs(5).fit(data());
    for (Row r : rows(model.transform(data().limit(20)), "dense", "prediction")) {
      assertEquals(r.getDouble(1), model.predict(r.getAs(0)));
    }
    assertEquals(3, model.numFeatures());
    assertEquals(2, model.numClasses());
  }

  @Test
  void handleInvalid() {
    Dataset<Row> holes =
        data()
            .withColumn("hole", functions.when(functions.col("b").gt(40), functions.col("a")))
            .withColumn("nan", functions.expr("if(b > 1040, double('NaN'), a)"));
    NeuralClassifier c = xor().setNumericCols("hole", "nan", "b").setEpochs(1);
    long valid = holes.filter("hole is not null and not isnan(nan)").count();
    assertTrue(valid > 0 && valid < holes.count());
    NeuralClassificationModel skip = c.setHandleInvalid("skip").fit(holes);
    assertEquals(valid, skip.summary().epochs().get(0).rows());
    assertEquals(valid, skip.transform(holes).count());
    NeuralClassificationModel keep = c.setHandleInvalid("keep").fit(holes);
    assertEquals(holes.count(), keep.summary().epochs().get(0).rows());
    Dataset<Row> kept = keep.transform(holes);
    assertEquals(holes.count(), kept.count());
    assertEquals(0, kept.filter("prediction is null or isnan(prediction)").count());
    for (Row r : kept.select("rawPrediction").collectAsList()) {
      assertTrue(DoubleStream.of(((Vector) r.getAs(0)).toArray()).allMatch(Double::isFinite));
    }
    // An invalid number is scored as the column's mean.
    double mean = keep.data().data().means()[0];
    Dataset<Row> filled =
        holes.withColumn("hole", functions.coalesce(functions.col("hole"), functions.lit(mean)));
    assertEquals(
        rows(keep.transform(holes), "prediction"), rows(keep.transform(filled), "prediction"));
    NeuralClassificationModel strict = keep.setHandleInvalid("error");
    Exception e = assertThrows(Exception.class, () -> strict.transform(holes).collect());
    assertTrue(chain(e).contains("hole"), () -> chain(e));
  }

  static String chain(Throwable t) {
    return t == null ? "" : t.getMessage() + "\n" + chain(t.getCause());
  }

  @Test
  void unseenAndNullCategoriesShareAnId() {
    NeuralClassifier c =
        xor().setLabelCol("blob").setNumericCols().setCategoricalCols("city", "code").setEpochs(2);
    NeuralClassificationModel model = c.setHandleInvalid("keep").fit(data());
    Dataset<Row> one = data().limit(1);
    Vector unseen = raw(model, one.withColumn("city", functions.lit("Atlantis")));
    Vector none = raw(model, one.withColumn("city", functions.lit(null).cast("string")));
    Vector seen = raw(model, one);
    assertEquals(unseen, none);
    assertNotEquals(seen, unseen);
    Vector unknown = raw(model, one.withColumn("code", functions.lit(-5L)));
    assertEquals(unknown, raw(model, one.withColumn("code", functions.lit(null).cast("long"))));
    assertEquals((3 + 1) + (2 + 1), model.data().data().idCount());
  }

  private static Vector raw(NeuralClassificationModel model, Dataset<Row> one) {
    return model.transform(one).select("rawPrediction").head().getAs(0);
  }

  @Test
  void nullCategoriesAreLearntFrom() {
    // The class is 1 exactly where the city is not known.
    Dataset<Row> d = data().withColumn("city", functions.expr("if(xor = 1, null, city)"));
    NeuralClassificationModel model =
        xor().setNumericCols().setCategoricalCols("city").setHandleInvalid("keep").fit(d);
    Dataset<Row> scored = model.transform(d);
    assertEquals(0, scored.filter("prediction <> xor").count());
  }

  @Test
  void skippedRowsHaveAnInvalidCategory() {
    NeuralClassifier c = xor().setNumericCols().setCategoricalCols("city");
    Dataset<Row> holes = data().withColumn("city", functions.expr("if(b % 7 = 0, null, city)"));
    long without = holes.filter("city is null").count();
    assertTrue(without > 0);
    NeuralClassificationModel model = c.setHandleInvalid("skip").setEpochs(1).fit(holes);
    assertEquals(240 - without, model.summary().epochs().get(0).rows());
    Dataset<Row> others = holes.withColumn("city", functions.expr("if(b % 7 = 1, 'Rome', city)"));
    assertEquals(
        others.filter("city <> 'Rome'").select("a").collectAsList(),
        model.transform(others).select("a").collectAsList());
  }

  @Test
  void networksOfOnesOwnGetTheShapeOfAnOnlyColumn() {
    List<String> seen = new ArrayList<>();
    xor()
        .setNumericCols()
        .setFeaturesCol("deep")
        .setEpochs(1)
        .setNetwork(
            (s, x) -> {
              seen.add(x.shape().toString());
              return new Dense(1).apply(s, x.reshape(x.shape().dim(0), 2));
            })
        .fit(data());
    assertTrue(seen.stream().allMatch(t -> t.endsWith(", 2, 1]")), () -> "" + seen);
  }

  @Test
  void aDeclaredShapeIsKept() {
    NeuralClassificationModel model =
        xor()
            .setNumericCols()
            .setFeaturesCol("deep")
            .setFeaturesShape(3, 1)
            .setHandleInvalid("keep")
            .setEpochs(1)
            .fit(
                data()
                    .filter("a < 2")
                    .withColumn("deep", functions.expr("if(b < 9, deep || deep, deep)")));
    assertEquals(List.of(3, 1), model.data().data().numbers().get(0).shape());
    assertEquals(240, model.transform(data()).count());
  }

  @Test
  void columnsMayBeRenamedForScoring() {
    List<Row> expected = rows(quick().transform(data()), "rawPrediction");
    NeuralClassificationModel other = quick();
    other.put(other.numericCols(), new String[] {"a", "b.c"});
    assertEquals(
        expected, rows(other.transform(data().withColumnRenamed("b", "b.c")), "rawPrediction"));
  }

  @Test
  void earlyStoppingKeepsTheBestEpoch() {
    // A label of chance: what is learnt is wrong for other rows, so the validation loss rises.
    Dataset<Row> chance = data().withColumn("xor", functions.floor(functions.rand(3).multiply(2)));
    NeuralClassificationModel model =
        xor().setValidationFraction(0.3).setPatience(2).setEpochs(200).fit(chance);
    List<EpochMetrics> epochs = model.summary().epochs();
    assertTrue(epochs.size() < 200, () -> "" + epochs.size());
    assertTrue(epochs.stream().allMatch(m -> m.validationLoss() != null));
    int best = 0;
    for (int i = 1; i < epochs.size(); i++) {
      best = epochs.get(i).validationLoss() < epochs.get(best).validationLoss() ? i : best;
    }
    assertEquals(epochs.size() - 1 - 2, best);
    assertTrue(epochs.get(0).rows() < 240 && epochs.get(0).rows() > 120);
    assertNull(quick().summary().epochs().get(0).validationLoss());
  }

  @Test
  void seedsGiveOtherModels() {
    NeuralClassificationModel a = quick();
    NeuralClassificationModel b = xor().setEpochs(1).setSeed(2).fit(data());
    assertFalse(
        java.util.Arrays.equals(
            a.data().weights().get("param:output.kernel").toFloats(),
            b.data().weights().get("param:output.kernel").toFloats()));
  }

  @Test
  void withoutStandardizingTheNumbersStay() {
    NeuralClassificationModel raw = xor().setEpochs(1).setStandardize(false).fit(data());
    NeuralClassificationModel scaled = quick();
    assertTrue(
        raw.summary().epochs().get(0).trainLoss() > scaled.summary().epochs().get(0).trainLoss());
  }

  /** The columns that fit adds for itself stand beside those of the data. */
  @Test
  void columnsMayHaveTheNamesOfHelpersInAnotherCase() {
    String[] taken = {"Valid", "VALIDATION", "Xor_Class", "LEARNT_weight"};
    Dataset<Row> d = data();
    for (String name : taken) {
      d = d.withColumn(name, functions.expr("100 + a"));
    }
    NeuralClassificationModel model =
        xor()
            .setNumericCols(taken)
            .setWeightCol("weight")
            .setHandleInvalid("skip")
            .setValidationFraction(0.2)
            .setBalanceClasses(true)
            .setEpochs(1)
            .fit(d);
    double mean = d.selectExpr("avg(Valid)").first().getDouble(0);
    assertArrayEquals(
        new double[] {mean, mean, mean, mean}, model.data().data().means(), 1e-6 * mean);
  }

  @Test
  void listenerHearsEveryPhaseAndEpoch() {
    List<EpochMetrics> epochs = new ArrayList<>();
    Phases phases =
        new Phases() {
          @Override
          public void epoch(EpochMetrics m) {
            epochs.add(m);
          }
        };
    NeuralClassifier c = xor().setEpochs(3).setListener(phases);
    NeuralClassificationModel model = c.copy(new ParamMap()).fit(data());
    assertEquals(List.of("statistics", "compile"), phases.heard.subList(0, 2));
    assertTrue(phases.heard.size() > 2, () -> "" + phases.heard);
    assertEquals(model.summary().epochs(), epochs);
    assertEquals(240, epochs.get(0).rows());
  }
}
