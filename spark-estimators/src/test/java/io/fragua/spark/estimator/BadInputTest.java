package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.DeviceUnavailableException;
import io.fragua.nn.Dense;
import io.fragua.spark.train.TrainListener;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** What is wrong is said on the driver, in four parts, before any training. */
class BadInputTest {
  /**
   * A mistake.
   *
   * @param parts of the message, in order
   */
  private record Mistake(String name, Executable action, String... parts) {}

  private static NeuralClassifier classifier() {
    return new NeuralClassifier().setLabelCol("xor").setHiddenLayers(2).setEpochs(1);
  }

  private static Dataset<Row> data() {
    return EstimatorCases.data();
  }

  private static Mistake param(String name, Executable set, String given) {
    return new Mistake(
        name, set, "NeuralClassifier " + name + ": must be ", given, "; set another value");
  }

  private static Mistake fit(
      String name, NeuralEstimator<?, ?> e, Dataset<Row> d, String... parts) {
    return new Mistake(name, () -> e.setListener(new NoTraining()).fit(d), parts);
  }

  /** Fails the test if the mistake is not found before the training. */
  private static final class NoTraining implements TrainListener {
    @Override
    public void phase(String name) {
      assertTrue(List.of("statistics", "compile").contains(name), () -> "too late: " + name);
    }
  }

  private static Stream<Mistake> params() {
    NeuralClassifier c = new NeuralClassifier();
    return Stream.of(
        param("hiddenLayers", () -> c.setHiddenLayers(256, 0), "[256, 0]"),
        param("hiddenLayers", () -> c.setHiddenLayers(-1), "[-1]"),
        param("activation", () -> c.setActivation("swoosh"), "\"swoosh\""),
        param("dropout", () -> c.setDropout(1), "1.0"),
        param("embeddingDim", () -> c.setEmbeddingDim(0), "0"),
        param("batchSize", () -> c.setBatchSize(0), "0"),
        param("epochs", () -> c.setEpochs(0), "0"),
        param("learningRate", () -> c.setLearningRate(Double.NaN), "NaN"),
        param("optimizer", () -> c.setOptimizer("Adam"), "one of adam, adamw, sgd: \"Adam\""),
        param("learningRateSchedule", () -> c.setLearningRateSchedule("step"), "\"step\""),
        param("momentum", () -> c.setMomentum(-0.1), "-0.1"),
        param("weightDecay", () -> c.setWeightDecay(-1), "-1.0"),
        param("clipNorm", () -> c.setClipNorm(-1), "-1.0"),
        param("validationFraction", () -> c.setValidationFraction(1), "1.0"),
        param("patience", () -> c.setPatience(-1), "-1"),
        param("numWorkers", () -> c.setNumWorkers(-2), "-2"),
        param("precision", () -> c.setPrecision("FP8"), "\"FP8\""),
        param("handleInvalid", () -> c.setHandleInvalid("ignore"), "error, skip, keep: \"ignore\""),
        param("device", () -> c.setDevice("My GPU"), "\"My GPU\""),
        param("inferenceBatchSize", () -> c.setInferenceBatchSize(0), "0"),
        param("labelCol", () -> c.setLabelCol(""), "\"\""),
        param("numericCols", () -> c.setNumericCols("a", "a"), "none twice: [a, a]"),
        param("thresholds", () -> c.setThresholds(0, 0), "[0.0, 0.0]"));
  }

  private static Stream<Mistake> schemas() {
    String all = "is not one of [dense, sparse, array, a, b, flag, city, code, xor";
    return Stream.of(
        fit(
            "a missing column",
            classifier().setNumericCols("a", "aa"),
            data(),
            "NeuralClassifier numericCols: must name a column of the data set: \"aa\" " + all,
            "; correct numericCols, or add the column"),
        fit("no features column", classifier(), data(), "featuresCol", "\"features\" " + all),
        fit(
            "a missing label",
            classifier().setNumericCols("a").setLabelCol("y"),
            data(),
            "NeuralClassifier labelCol: must name a column of the data set: \"y\" " + all),
        fit(
            "texts as numbers",
            classifier().setNumericCols("city"),
            data(),
            "NeuralClassifier numericCols: must hold numbers or truth values: \"city\" holds"
                + " string; cast it, or name it in featuresCol or categoricalCols"),
        fit(
            "numbers as categories",
            classifier().setCategoricalCols("a"),
            data(),
            "categoricalCols: must hold texts or integers: \"a\" holds double; cast it"),
        fit(
            "a scalar as features",
            classifier().setFeaturesCol("a"),
            data(),
            "featuresCol: must hold vectors or arrays of numbers: \"a\" holds double; make it with"
                + " a VectorAssembler"),
        fit(
            "a text as label",
            classifier().setNumericCols("a").setLabelCol("city"),
            data(),
            "labelCol: must hold numbers or truth values: \"city\" holds string; index the texts"
                + " with a StringIndexer"),
        fit(
            "the label as input",
            classifier().setNumericCols("a", "xor"),
            data(),
            "labelCol: must not be an input: \"xor\" is one of [a, xor]; take it out"),
        fit(
            "a column read twice",
            classifier().setNumericCols("b").setCategoricalCols("b"),
            data(),
            "inputs: a column is read once: \"b\" is named twice"),
        fit(
            "an output that is there",
            classifier().setNumericCols("a").setPredictionCol("weight"),
            data(),
            "predictionCol: must be a new column: \"weight\" is already one of"),
        fit(
            "two outputs of one name",
            classifier().setNumericCols("a").setProbabilityCol("p").setPredictionCol("p"),
            data(),
            "output columns need different names: \"p\" twice"),
        fit(
            "no output",
            classifier()
                .setNumericCols("a")
                .setRawPredictionCol("")
                .setProbabilityCol("")
                .setPredictionCol(""),
            data(),
            "outputs: at least one column must be appended"),
        fit(
            "an indicator of numbers",
            classifier().setNumericCols("a").setValidationIndicatorCol("b"),
            data(),
            "validationIndicatorCol: must hold truth values: \"b\" holds int"),
        fit(
            "indicator and fraction",
            classifier()
                .setNumericCols("a")
                .setValidationIndicatorCol("held")
                .setValidationFraction(0.1),
            data(),
            "validationFraction: is for data without an indicator: validationIndicatorCol is"
                + " \"held\" and validationFraction 0.1; set one"),
        fit(
            "patience alone",
            classifier().setNumericCols("a").setPatience(2),
            data(),
            "patience: needs validation rows: patience is 2 without any; set validationFraction"),
        fit(
            "more workers than rows of a batch",
            classifier().setNumericCols("a").setNumWorkers(3).setBatchSize(2),
            data(),
            "numWorkers: every worker needs a row of each batch: 3 workers, batchSize 2"),
        fit(
            "more workers than slots",
            classifier().setNumericCols("a").setNumWorkers(64),
            data(),
            "64 workers, 2 slots",
            "; set numWorkers to at most 2"));
  }

  private static Stream<Mistake> values() {
    StructType t = new StructType().add("x", DataTypes.DoubleType).add("xor", DataTypes.DoubleType);
    StructType v =
        new StructType()
            .add("x", DataTypes.createArrayType(DataTypes.DoubleType))
            .add("xor", DataTypes.IntegerType);
    NeuralClassifier x = classifier().setNumericCols("x");
    List<Mistake> m = new ArrayList<>();
    m.add(
        fit(
            "no rows",
            x,
            Frames.of(t),
            "NeuralClassifier: the data set must have rows: it has none; check the data or the"
                + " filters before fit"));
    m.add(
        fit(
            "no rows with vectors",
            classifier().setFeaturesCol("dense"),
            data().filter("a > 100"),
            "featuresCol: the data set must have rows: no row has a value in \"dense\""));
    m.add(
        fit(
            "no rows left",
            classifier().setNumericCols("x").setHandleInvalid("skip"),
            Frames.of(t, new Object[] {null, 0.0}),
            "it has none that handleInvalid=skip keeps"));
    m.add(
        fit(
            "a null",
            x,
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {null, 1.0}),
            "numericCols: must have a finite number in every row (handleInvalid=error): \"x\" is"
                + " null in 1 and NaN or infinite in 0 of 2 rows; fill them, or set handleInvalid"
                + " to skip or keep"));
    m.add(
        fit(
            "a NaN",
            x,
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {Double.NaN, 1.0}),
            "\"x\" is null in 0 and NaN or infinite in 1 of 2 rows"));
    m.add(
        fit(
            "a column of nothing",
            classifier().setNumericCols("x").setHandleInvalid("keep"),
            Frames.of(t, new Object[] {null, 0.0}, new Object[] {null, 1.0}),
            "must have a finite number in some row: \"x\" has none in 2 rows; leave the column"
                + " out"));
    m.add(
        fit(
            "a label of null",
            x,
            Frames.of(t, new Object[] {1.0, null}, new Object[] {2.0, 1.0}),
            "labelCol: must have a finite number in every row: \"xor\" is null in 1 and"));
    m.add(
        fit(
            "a label between classes",
            x,
            Frames.of(t, new Object[] {1.0, 0.5}, new Object[] {2.0, 1.0}),
            "labelCol: a classifier's labels must be whole numbers 0, 1, 2, ...: \"xor\" holds 0.5;"
                + " number the classes, or use a NeuralRegressor"));
    m.add(
        fit(
            "a negative label",
            x,
            Frames.of(t, new Object[] {1.0, -1.0}, new Object[] {2.0, 1.0}),
            "labels must lie from 0 to the number of classes - 1: \"xor\" holds -1; number"));
    m.add(
        fit(
            "a label out of range",
            x,
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {2.0, 3e9}),
            "labels must lie from 0 to the number of classes - 1: \"xor\" holds 3000000000"));
    m.add(
        fit(
            "a class with no rows",
            x,
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {2.0, 1.0}, new Object[] {2.0, 3.0}),
            "every class from 0 to 3 must have rows: class 2 has none among 3 rows of \"xor\";"
                + " number the classes without gaps"));
    m.add(
        fit(
            "one class",
            x,
            Frames.of(t, new Object[] {1.0, 0.0}, new Object[] {2.0, 0.0}),
            "needs at least two classes: class 1 has no rows, all 2 rows of \"xor\" have label 0"));
    m.add(
        fit(
            "negative weights",
            classifier().setNumericCols("a").setWeightCol("w"),
            data().withColumn("w", functions.col("a").minus(10)),
            "weightCol: weights must not be negative: \"w\" holds -"));
    m.add(
        fit(
            "weights of zero",
            classifier().setNumericCols("a").setWeightCol("w"),
            data().withColumn("w", functions.lit(0)),
            "weightCol: some rows must count: all 240 weights in \"w\" are 0"));
    m.add(
        fit(
            "nothing but validation",
            classifier().setNumericCols("a").setValidationIndicatorCol("w"),
            data().withColumn("w", functions.lit(true)),
            "validationIndicatorCol: must be true in some rows and false in others: \"w\" is true"
                + " in 240 of 240 rows"));
    m.add(
        fit(
            "arrays of two sizes",
            classifier().setFeaturesCol("x"),
            Frames.of(v, new Object[] {List.of(1.0, 2.0), 0}, new Object[] {List.of(1.0), 1}),
            "NeuralClassifier: column x: every row must hold 2 numbers: 1 numbers in row 0"));
    m.add(
        fit(
            "empty arrays",
            classifier().setFeaturesCol("x"),
            Frames.of(v, new Object[] {List.of(), 0}, new Object[] {List.of(), 1}),
            "featuresCol: must have at least one number: \"x\" holds lists of size 0"));
    m.add(
        fit(
            "a NaN in an array",
            classifier().setFeaturesCol("x"),
            Frames.of(
                v, new Object[] {List.of(1.0, Double.NaN), 0}, new Object[] {List.of(1.0, 2.0), 1}),
            "featuresCol: must have a finite number in every row",
            "\"x[0]\" is null in 0 and NaN or infinite in 1 of 2 rows"));
    m.add(
        fit(
            "a network for three classes",
            classifier().setFeaturesCol("dense").setNetwork(new Dense(3)),
            data(),
            "NeuralClassifier network: the layer must fit the 3 features and the label: it must"
                + " give",
            "1 or 2] for f32[",
            "it gives f32[",
            "3]; change the layer given to setNetwork"));
    m.add(
        fit(
            "a network that does not fit",
            classifier()
                .setFeaturesCol("dense")
                .setNetwork((s, in) -> in.reshape(in.shape().dim(0), 2, 2)),
            data(),
            "NeuralClassifier network: the layer must fit the 3 features and the label: reshape"));
    return m.stream();
  }

  @TestFactory
  Stream<DynamicTest> saidInFourParts() {
    return Stream.of(params(), schemas(), values())
        .flatMap(s -> s)
        .map(
            m ->
                DynamicTest.dynamicTest(
                    m.name(),
                    () -> {
                      Throwable e = assertThrows(IllegalArgumentException.class, m.action());
                      int at = 0;
                      for (String part : m.parts()) {
                        int found = e.getMessage().indexOf(part, at);
                        assertTrue(
                            found >= 0,
                            () -> Arrays.toString(m.parts()) + " in\n" + e.getMessage());
                        at = found;
                      }
                    }));
  }

  @Test
  void modelSaysWhatDoesNotFit() {
    NeuralClassificationModel model =
        classifier().setNumericCols("a").setCategoricalCols("city").fit(data());
    Stream.of(
            new Mistake(
                "a missing column",
                () -> model.transform(data().drop("a")),
                "NeuralClassificationModel numericCols: must name a column of the data set: \"a\""),
            new Mistake(
                "categories of another type",
                () -> model.transform(data().withColumn("city", functions.lit(1))),
                "categoricalCols: must hold what the model was fitted on: \"city\" holds int,"
                    + " fitted on texts; cast the column"),
            new Mistake(
                "another number of columns",
                () -> {
                  NeuralClassificationModel m =
                      model.copy(new org.apache.spark.ml.param.ParamMap());
                  m.put(m.numericCols(), new String[] {"a", "b"}).transform(data());
                },
                "must name as many columns as the model was fitted on: [a, b, city] in place of a,"
                    + " city(3 categories)"),
            new Mistake(
                "thresholds of another number",
                () ->
                    model
                        .copy(new org.apache.spark.ml.param.ParamMap())
                        .setThresholds(1, 1, 1)
                        .transform(data()),
                "thresholds: there must be one for each of the 2 classes: [1.0, 1.0, 1.0]"),
            new Mistake(
                "a row where a table is read",
                () -> model.predict(Vectors.dense(1)),
                "predict: the model must read one column of vectors: it reads a, city(3"
                    + " categories); use transform"))
        .forEach(
            m -> {
              String message =
                  assertThrows(IllegalArgumentException.class, m.action(), m.name()).getMessage();
              assertTrue(message.contains(m.parts()[0]), message);
            });
  }

  @Test
  void deviceThatIsNotThereIsAnErrorBeforeAnyJob() {
    List<String> phases = new ArrayList<>();
    TrainListener listener =
        new TrainListener() {
          @Override
          public void phase(String name) {
            phases.add(name);
          }
        };
    NeuralClassifier c =
        classifier().setNumericCols("a").setDevice("cuda:99").setListener(listener);
    String message =
        assertThrows(DeviceUnavailableException.class, () -> c.fit(data())).getMessage();
    assertTrue(message.startsWith("device: a device that is asked for must be there"), message);
    assertTrue(message.contains("cuda:99") && message.contains("set device to \"cpu\""), message);
    assertEquals(List.of(), phases);
    NeuralClassificationModel model = c.setDevice("cpu").fit(data());
    assertThrows(
        DeviceUnavailableException.class, () -> model.setDevice("cuda:99").transform(data()));
  }
}
