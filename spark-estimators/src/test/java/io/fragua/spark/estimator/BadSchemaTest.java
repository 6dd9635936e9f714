package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.DeviceUnavailableException;
import io.fragua.spark.param.Declare;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** Parameters and columns that do not fit: said on the driver, before any job. */
class BadSchemaTest {
  private static NeuralClassifier classifier() {
    return new NeuralClassifier().setLabelCol("xor").setHiddenLayers(2).setEpochs(1);
  }

  private static Dataset<Row> data() {
    return EstimatorCases.data();
  }

  private static Dataset<Row> two() {
    return Frames.of(
        new StructType().add("x", "double").add("y", "double"), new Object[] {1.0, 0.0});
  }

  private static Mistake param(String name, Executable set, String given) {
    return param(name, name, set, given);
  }

  private static Mistake param(String test, String name, Executable set, String given) {
    return Mistake.of(test, set, " " + name + ": must be ", given, "; set another value");
  }

  /** What is set by its name may be of any type. */
  private static Mistake typed(NeuralEstimator<?, ?> e, String name, String type, Object given) {
    return Mistake.exactly(
        name + " of another type",
        () -> e.set(name, given),
        "NeuralClassifier %s: must be of type %s: %s of another type; set another value"
            .formatted(name, type, Declare.print(given)));
  }

  private static Mistake nothing(String name, Executable set) {
    return param("no " + name, name, set, ": null");
  }

  private static Stream<Mistake> wrongTypes() {
    NeuralClassifier c = new NeuralClassifier();
    return Stream.of(
        typed(c, "epochs", "Integer", "x"),
        typed(c, "batchSize", "Integer", 1.5),
        typed(c, "deterministic", "Boolean", "yes"),
        typed(c, "seed", "Long", 5),
        typed(c, "dropout", "Double", 0),
        typed(c, "labelCol", "String", 1),
        typed(c, "numericCols", "String[]", "a"),
        typed(c, "hiddenLayers", "int[]", 3),
        typed(c, "thresholds", "double[]", 0.5),
        nothing("seed", () -> c.set("seed", null)),
        nothing("deterministic", () -> c.set("deterministic", null)),
        nothing("epochs", () -> c.set("epochs", null)),
        nothing("labelCol", () -> c.setLabelCol(null)),
        nothing("numericCols", () -> c.setNumericCols((String[]) null)),
        nothing("categoricalCols", () -> c.setCategoricalCols((String[]) null)),
        nothing("sparseCols", () -> c.setSparseCols((String[]) null)),
        nothing("hiddenLayers", () -> c.setHiddenLayers((int[]) null)),
        nothing("featuresShape", () -> c.setFeaturesShape((int[]) null)),
        nothing("thresholds", () -> c.setThresholds((double[]) null)),
        nothing("classWeights", () -> c.setClassWeights((double[]) null)));
  }

  /** Numbers that are none or too many where they are used, in f32. */
  private static Stream<Mistake> notOfF32() {
    NeuralClassifier c = new NeuralClassifier();
    NeuralRegressor r = new NeuralRegressor();
    return Stream.of(
        param("tiny learningRate", "learningRate", () -> c.setLearningRate(1e-300), "1.0E-300"),
        param("huge learningRate", "learningRate", () -> c.setLearningRate(1e300), "1.0E300"),
        param("huge weightDecay", "weightDecay", () -> c.setWeightDecay(1e39), "1.0E39"),
        param("huge clipNorm", "clipNorm", () -> c.setClipNorm(1e39), "1.0E39"),
        param("tiny huberDelta", "huberDelta", () -> r.setHuberDelta(1e-300), "1.0E-300"),
        param("huge huberDelta", "huberDelta", () -> r.setHuberDelta(1e300), "1.0E300"),
        param("full dropout", "dropout", () -> c.setDropout(1 - 1e-12), "0.999999999999"),
        param("full quantile", "quantile", () -> r.setQuantile(1 - 1e-12), "0.999999999999"),
        param("tiny thresholds", "thresholds", () -> c.setThresholds(1e-300, 1), "[1.0E-300, 1.0]"),
        param("huge thresholds", "thresholds", () -> c.setThresholds(1e300, 1), "[1.0E300, 1.0]"),
        param("tiny classWeights", "classWeights", () -> c.setClassWeights(1, 1e-300), "E-300]"),
        param("huge classWeights", "classWeights", () -> c.setClassWeights(1, 1e300), "E300]"));
  }

  private static Stream<Mistake> params() {
    NeuralClassifier c = new NeuralClassifier();
    NeuralRegressor r = new NeuralRegressor();
    String layers =
        "NeuralClassifier hiddenLayers: must be an array of numbers that are each at least 1; empty"
            + " for a linear model: %s; set another value";
    return Stream.of(
        Mistake.exactly(
            "hiddenLayers of zero", () -> c.setHiddenLayers(256, 0), layers.formatted("[256, 0]")),
        Mistake.exactly(
            "hiddenLayers negative", () -> c.setHiddenLayers(-1), layers.formatted("[-1]")),
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
        param("featuresShape", () -> c.setFeaturesShape(2, 0), "[2, 0]"),
        param("labelCol", () -> c.setLabelCol(""), "\"\""),
        param("numericCols", () -> c.setNumericCols("a", "a"), "none twice: [a, a]"),
        param("checkpointInterval", () -> c.setCheckpointInterval(0), "0"),
        param("checkpointSteps", () -> c.setCheckpointSteps(-1), "-1"),
        param("checkpointsKept", () -> c.setCheckpointsKept(0), "0"),
        param("maxRetries", () -> c.setMaxRetries(-1), "-1"),
        param("classWeights", () -> c.setClassWeights(1, -1), "[1.0, -1.0]"),
        param("thresholds", () -> c.setThresholds(0, 0), "[0.0, 0.0]"),
        param("loss", () -> r.setLoss("cubic"), "huber, quantile: \"cubic\""),
        param("huberDelta", () -> r.setHuberDelta(0), "0.0"),
        param("quantile", () -> r.setQuantile(1), "1.0"));
  }

  private static Stream<Mistake> schemas() {
    String all = "is not one of [dense, sparse, array, a, b, flag, city, code, xor";
    NeuralClassifier x = classifier().setNumericCols("x").setLabelCol("y");
    StructType twice = new StructType().add("x", "double").add("x", "double").add("y", "double");
    StructType texts = new StructType().add("x", "array<string>").add("y", "int");
    return Stream.of(
        Mistake.fitExactly(
            "a missing column",
            classifier().setNumericCols("z").setLabelCol("y"),
            two(),
            "NeuralClassifier numericCols: must name a column of the data set: \"z\" is not one of"
                + " [x, y]; correct numericCols, or add the column"),
        Mistake.fitExactly(
            "a column that is there twice",
            x,
            Frames.of(twice),
            "NeuralClassifier numericCols: must name one column of the data set: \"x\" is there 2"
                + " times in [x, x, y]; rename or drop the others"),
        Mistake.fitExactly(
            "a missing validation indicator",
            x.copy(new ParamMap()).setValidationIndicatorCol("held"),
            two(),
            "NeuralClassifier validationIndicatorCol: must name a column of the data set: \"held\""
                + " is not one of [x, y]; correct validationIndicatorCol, or add the column"),
        Mistake.fitExactly(
            "two balances",
            x.copy(new ParamMap()).setBalanceClasses(true).setClassWeights(1, 2),
            two(),
            "NeuralClassifier balanceClasses: gives the classes' weights itself: balanceClasses is"
                + " true and classWeights [1.0, 2.0]; set one of them"),
        Mistake.fitExactly(
            "missing weights",
            x.copy(new ParamMap()).setWeightCol("w"),
            two(),
            "NeuralClassifier weightCol: must name a column of the data set: \"w\" is not one of"
                + " [x, y]; correct weightCol, or add the column"),
        Mistake.fitExactly(
            "a wrong type",
            x,
            two().withColumn("x", functions.lit("1")),
            "NeuralClassifier numericCols: must hold numbers, truth values or times: \"x\" holds"
                + " string; cast it, or name it in featuresCol or categoricalCols"),
        Mistake.fitExactly(
            "arrays of texts",
            classifier().setFeaturesCol("x").setLabelCol("y"),
            Frames.of(texts),
            "NeuralClassifier featuresCol: must hold vectors, matrices, arrays of numbers, images"
                + " or binary: \"x\" holds array<string>; make it with a VectorAssembler, or name"
                + " it in numericCols or categoricalCols"),
        Mistake.fitExactly(
            "a row that no tensor holds",
            classifier().setFeaturesCol("x").setFeaturesShape(Integer.MAX_VALUE).setLabelCol("y"),
            Frames.of(new StructType().add("x", "array<float>").add("y", "int")),
            "NeuralClassifier featuresShape: a row must fit a tensor of f32, which has at most"
                + " 536870895 elements: [2147483647]; cut rows into smaller ones"),
        Mistake.fitExactly(
            "a text as label",
            x,
            two().withColumn("y", functions.lit("late")),
            "NeuralClassifier labelCol: must hold numbers or truth values: \"y\" holds string;"
                + " index the texts with a StringIndexer, or cast them"),
        Mistake.fitExactly(
            "a prediction that is there already, in another case",
            x,
            two().withColumn("Prediction", functions.lit(1)),
            "NeuralClassifier predictionCol: must be a new column: \"prediction\" is already one of"
                + " [x, y, Prediction]; set another name, or drop the old column"),
        Mistake.fitExactly(
            "more workers than slots",
            x.copy(new ParamMap()).setNumWorkers(3),
            two(),
            "train: all workers run at once, each in a slot of its own (spark.task.cpus cores): 3"
                + " workers, 2 slots with master local[2]; set numWorkers to at most 2 or add"
                + " executors"),
        Mistake.fitExactly(
            "more workers than parts of a batch",
            x.copy(new ParamMap()).setNumWorkers(5).setBatchSize(7).setDeterministic(true),
            two(),
            "NeuralClassifier deterministic: each worker needs a part of every batch: 5 workers,"
                + " batchSize 7 is cut into 4 parts; use fewer workers or a larger batch"),
        Mistake.fitExactly(
            "rounded gradients of no order",
            x.copy(new ParamMap()).setGradientCompression("bf16").setDeterministic(true),
            two(),
            "NeuralClassifier deterministic: needs gradients that are not rounded on their way, and"
                + " rows that stay: gradientCompression is bf16, shuffle worker; set them back, or"
                + " deterministic to false"),
        Mistake.fitExactly(
            "rows that are swapped, in an order",
            x.copy(new ParamMap()).setShuffle("global").setDeterministic(true),
            two(),
            "NeuralClassifier deterministic: needs gradients that are not rounded on their way, and"
                + " rows that stay: gradientCompression is none, shuffle global; set them back, or"
                + " deterministic to false"),
        Mistake.fitExactly(
            "rows that are swapped, without links",
            x.copy(new ParamMap()).setShuffle("global").setDistribution("localSgd"),
            two(),
            "NeuralClassifier distribution: with localSgd workers exchange no gradients and no"
                + " rows: deterministic is false, gradientCompression none, shuffle global; set"
                + " them back, or distribution to barrier"),
        Mistake.fitExactly(
            "workers by themselves, in an order",
            x.copy(new ParamMap()).setDistribution("localSgd").setDeterministic(true),
            two(),
            "NeuralClassifier distribution: with localSgd workers exchange no gradients and no"
                + " rows: deterministic is true, gradientCompression none, shuffle worker; set them"
                + " back, or distribution to barrier"),
        Mistake.fitExactly(
            "a stream",
            x,
            Spark.session()
                .readStream()
                .format("rate")
                .load()
                .selectExpr("double(value) as x", "double(value % 2) as y"),
            "NeuralClassifier fit: learns from a data set that ends: this one is a stream; save it,"
                + " and fit on the files"),
        Mistake.fit(
            "no features column", classifier(), data(), "featuresCol", "\"features\" " + all),
        Mistake.fit(
            "a missing label",
            classifier().setNumericCols("a").setLabelCol("y"),
            data(),
            "NeuralClassifier labelCol: must name a column of the data set: \"y\" " + all),
        Mistake.fit(
            "texts as numbers",
            classifier().setNumericCols("city"),
            data(),
            "NeuralClassifier numericCols: must hold numbers, truth values or times: \"city\" holds"
                + " string; cast it, or name it in featuresCol or categoricalCols"),
        Mistake.fit(
            "numbers as categories",
            classifier().setCategoricalCols("a"),
            data(),
            "categoricalCols: must hold texts, integers, truth values, dates or binaries: \"a\""
                + " holds double; cast it"),
        Mistake.fitExactly(
            "a shape of another number of axes",
            classifier().setFeaturesCol("array").setFeaturesShape(1, 2).setLabelCol("xor"),
            data(),
            "NeuralClassifier featuresShape: must have an axis for each of the column's: [1, 2] for"
                + " \"array\", which holds array<float>; give as many sizes, or none"),
        Mistake.fit(
            "texts as pairs",
            classifier().setSparseCols("city"),
            data(),
            "sparseCols: must hold maps from strings or integers to numbers, or vectors: \"city\""
                + " holds string; make a map with map_from_arrays"),
        Mistake.fit(
            "a field that is not there",
            classifier().setNumericCols("nested.in.where"),
            data(),
            "numericCols: must name a column of the data set: \"nested.in.where\" is not one of"),
        Mistake.fit(
            "a text in a struct as a number",
            classifier().setNumericCols("nested.in.city"),
            data(),
            "numericCols: must hold numbers, truth values or times: \"nested.in.city\" holds"
                + " string"),
        Mistake.fit(
            "a scalar as features",
            classifier().setFeaturesCol("a"),
            data(),
            "featuresCol: must hold vectors, matrices, arrays of numbers, images or binary: \"a\""
                + " holds double; make it with a VectorAssembler"),
        Mistake.fit(
            "the label as input",
            classifier().setNumericCols("a", "xor"),
            data(),
            "labelCol: must not be an input: \"xor\" is one of [a, xor]; take it out"),
        Mistake.fit(
            "a column read twice",
            classifier().setNumericCols("b").setCategoricalCols("b"),
            data(),
            "inputs: a column is read once: \"b\" is named twice"),
        Mistake.fit(
            "a column read twice, in two spellings",
            classifier().setCategoricalCols("nested.in.city", "NESTED.in.`City`"),
            data(),
            "inputs: a column is read once: \"NESTED.in.`City`\" is named twice"),
        Mistake.fit(
            "the label as input, in another spelling",
            classifier().setNumericCols("a", "XOR"),
            data(),
            "labelCol: must not be an input: \"xor\" is one of [a, XOR]; take it out"),
        Mistake.fitExactly(
            "a column that is there twice, in two spellings",
            x,
            Frames.of(new StructType().add("x", "double").add("X", "double").add("y", "double")),
            "NeuralClassifier numericCols: must name one column of the data set: \"x\" is there 2"
                + " times in [x, X, y]; rename or drop the others"),
        Mistake.fit(
            "cores of workers by themselves, where there are none to give",
            x.copy(new ParamMap()).setDistribution("localSgd").setWorkerCpus(2),
            two(),
            "train: cores and GPUs of a worker need a cluster that schedules stages by their own"
                + " resources: 2 cores and 0 GPUs with master local[2]"),
        Mistake.fit(
            "an output that is there",
            classifier().setNumericCols("a").setPredictionCol("weight"),
            data(),
            "predictionCol: must be a new column: \"weight\" is already one of"),
        Mistake.fit(
            "two outputs of one name",
            classifier().setNumericCols("a").setProbabilityCol("p").setPredictionCol("p"),
            data(),
            "output columns need different names: \"p\" twice"),
        Mistake.fit(
            "no output",
            classifier()
                .setNumericCols("a")
                .setRawPredictionCol("")
                .setProbabilityCol("")
                .setPredictionCol(""),
            data(),
            "outputs: at least one column must be appended"),
        Mistake.fit(
            "an indicator of numbers",
            classifier().setNumericCols("a").setValidationIndicatorCol("b"),
            data(),
            "validationIndicatorCol: must hold truth values: \"b\" holds int"),
        Mistake.fit(
            "indicator and fraction",
            classifier()
                .setNumericCols("a")
                .setValidationIndicatorCol("held")
                .setValidationFraction(0.1),
            data(),
            "validationFraction: is for data without an indicator: validationIndicatorCol is"
                + " \"held\" and validationFraction 0.1; set one"),
        Mistake.fit(
            "patience alone",
            classifier().setNumericCols("a").setPatience(2),
            data(),
            "patience: needs validation rows: patience is 2 without any; set validationFraction"),
        Mistake.fit(
            "more workers than rows of a batch",
            classifier().setNumericCols("a").setNumWorkers(3).setBatchSize(2),
            data(),
            "numWorkers: every worker needs a row of each batch: 3 workers, batchSize 2"));
  }

  @TestFactory
  Stream<DynamicTest> saidInFourPartsBeforeAnyJob() {
    return Stream.of(params(), wrongTypes(), notOfF32(), schemas())
        .flatMap(s -> s)
        .map(Mistake::testWithoutJobs);
  }

  private static final String TRAIN = "spark.fragua.train.";
  private static final String COLLECTIVE = "spark.fragua.collective.";

  /** Settings of Spark's that workers read. */
  @TestFactory
  Stream<DynamicTest> settingsAreReadBeforeAnyJob() {
    String[][] rows = {
      {COLLECTIVE + "timeout", "abc", "a time from 1ms up, as 20s or 10m"},
      {COLLECTIVE + "timeout", "-1s", "a time from 1ms up, as 20s or 10m"},
      {COLLECTIVE + "connectTimeout", "0s", "a time from 1ms up, as 20s or 10m"},
      {COLLECTIVE + "stuckTimeout", "10 parsecs", "a time from 1ms up, as 20s or 10m"},
      {COLLECTIVE + "overlap", "often", "true or false"},
      {COLLECTIVE + "sharedMemory", "1", "true or false"},
      {TRAIN + "replacementTimeout", "soon", "a time from 1ms up, as 20s or 10m"},
      {TRAIN + "storeBudget", "much", "a number of bytes from 0 up, as 512m"},
    };
    return Stream.of("barrier", "localSgd")
        .flatMap(
            way ->
                Stream.of(rows)
                    .map(
                        r ->
                            Mistake.exactly(
                                    r[0] + "=" + r[1] + ", " + way,
                                    () -> fitWith(r[0], r[1], way),
                                    "train: "
                                        + r[0]
                                        + ": must be "
                                        + r[2]
                                        + ": \""
                                        + r[1]
                                        + "\"; correct or unset it")
                                .testWithoutJobs()));
  }

  private static void fitWith(String key, String value, String way) {
    SparkConf conf = Spark.session().sparkContext().conf();
    conf.set(key, value);
    try {
      classifier().setNumericCols("x").setLabelCol("y").setDistribution(way).fit(two());
    } finally {
      conf.remove(key);
    }
  }

  @Test
  void lettersOfAnotherCaseAreOtherColumnsWhereSparkSaysSo() {
    Spark.session().conf().set("spark.sql.caseSensitive", "true");
    try {
      Dataset<Row> d =
          Spark.session()
              .range(240)
              .selectExpr("double(id % 2) as xor", "id as x", "id % 3 as X", "id as Prediction");
      NeuralClassifier c = classifier().setNumericCols("x").setCategoricalCols("X");
      assertEquals(240, c.fit(d).transform(d).filter("prediction is not null").count());
    } finally {
      Spark.session().conf().unset("spark.sql.caseSensitive");
    }
  }

  @Test
  void deviceThatIsNotThereIsAnErrorBeforeAnyJob() {
    Phases phases = new Phases();
    NeuralClassifier c = classifier().setNumericCols("a").setDevice("cuda:99").setListener(phases);
    String message =
        assertThrows(DeviceUnavailableException.class, () -> c.fit(data())).getMessage();
    String rule = "device: a device that is asked for must be there, got \"cuda:99\", but ";
    assertTrue(message.startsWith(rule), message); // why depends on what the class path has
    assertEquals(List.of(), phases.heard);
    NeuralClassificationModel model = c.setDevice("cpu").fit(data());
    assertThrows(
        DeviceUnavailableException.class, () -> model.setDevice("cuda:99").transform(data()));
  }
}
