package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.nn.Dense;
import io.fragua.spark.estimator.EstimatorCases.Case;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.Utils;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every case of {@link EstimatorCases} times every property of a Spark ML stage. */
class EstimatorTest {
  /** Parameters that mean something only when they are set. */
  private static final Set<String> WITHOUT_DEFAULT = Set.of("thresholds", "classWeights");

  /** Something that is true of every estimator. */
  private interface Property {
    void check(Case c, NeuralEstimator<?, ?> estimator, NeuralModel<?> model) throws Exception;
  }

  private static final Map<String, Property> PROPERTIES = properties();

  private static Map<String, Property> properties() {
    Map<String, Property> p = new LinkedHashMap<>();
    p.put("learns", EstimatorTest::learns);
    p.put("same seed, same bits", EstimatorTest::sameBits);
    p.put("schema is known before", EstimatorTest::schema);
    p.put("model keeps uid, parent and parameters", EstimatorTest::copies);
    p.put("saved model scores alike", EstimatorTest::modelRoundTrip);
    p.put("saved estimator has the same parameters", EstimatorTest::estimatorRoundTrip);
    p.put("works in a saved pipeline", EstimatorTest::pipeline);
    p.put("streams as it batches", EstimatorTest::streams);
    p.put("explains its parameters", EstimatorTest::explains);
    p.put("is a stage for Spark Connect", ConnectStages::check);
    return p;
  }

  @TestFactory
  Stream<DynamicContainer> everyCase() {
    return EstimatorCases.all().stream()
        .map(
            c -> {
              NeuralEstimator<?, ?> estimator = c.estimator().get();
              NeuralModel<?>[] fitted = new NeuralModel<?>[1];
              return DynamicContainer.dynamicContainer(
                  c.name(),
                  PROPERTIES.entrySet().stream()
                      .map(
                          p ->
                              DynamicTest.dynamicTest(
                                  p.getKey(),
                                  () -> {
                                    if (fitted[0] == null) {
                                      fitted[0] = estimator.fit(EstimatorCases.data());
                                    }
                                    p.getValue().check(c, estimator, fitted[0]);
                                  })));
            });
  }

  private static void learns(Case c, NeuralEstimator<?, ?> estimator, NeuralModel<?> model) {
    Dataset<Row> scored = model.transform(EstimatorCases.data());
    if (!scored.schema().apply(estimator.getLabelCol()).dataType().typeName().equals("double")) {
      scored = scored.withColumn("label", functions.col(estimator.getLabelCol()).cast("double"));
    }
    double metric = c.evaluator().evaluate(scored);
    assertTrue(metric >= c.reach(), () -> c + ": " + metric + " of " + c.reach());
    List<io.fragua.spark.train.EpochMetrics> epochs = model.summary().epochs();
    assertTrue(epochs.size() > 1 && epochs.size() <= estimator.getEpochs(), () -> "" + epochs);
    assertTrue(epochs.get(epochs.size() - 1).trainLoss() < epochs.get(0).trainLoss() * 1.05);
    assertEquals(epochs.size(), model.summary().history().count());
  }

  private static void sameBits(Case c, NeuralEstimator<?, ?> estimator, NeuralModel<?> model) {
    NeuralModel<?> again = c.estimator().get().fit(EstimatorCases.data());
    assertEquals(model.data().weights().keySet(), again.data().weights().keySet());
    model
        .data()
        .weights()
        .forEach(
            (name, w) ->
                assertArrayEquals(
                    w.toFloats(), again.data().weights().get(name).toFloats(), 0f, name));
  }

  private static void schema(Case c, NeuralEstimator<?, ?> estimator, NeuralModel<?> model) {
    StructType given = EstimatorCases.data().schema();
    StructType real = model.transform(EstimatorCases.data()).schema();
    assertEquals(real, model.transformSchema(given));
    StructType promised = estimator.transformSchema(given);
    assertArrayEquals(real.fieldNames(), promised.fieldNames());
    for (String f : real.fieldNames()) {
      assertEquals(real.apply(f).dataType(), promised.apply(f).dataType());
    }
  }

  private static void copies(Case c, NeuralEstimator<?, ?> estimator, NeuralModel<?> model) {
    assertSame(estimator, model.parent());
    assertEquals(estimator.uid(), model.uid());
    assertSameParams(estimator, model);
    ParamMap extra = new ParamMap().put(model.predictionCol().w("other"));
    NeuralModel<?> copy = model.copy(extra);
    assertEquals(model.uid(), copy.uid());
    assertSame(model.parent(), copy.parent());
    assertEquals("other", copy.getPredictionCol());
    assertEquals("prediction", model.getPredictionCol());
    NeuralEstimator<?, ?> twin = estimator.copy(new ParamMap().put(estimator.epochs().w(3)));
    assertNotSame(estimator, twin);
    assertEquals(estimator.uid(), twin.uid());
    assertEquals(3, twin.getEpochs());
    assertEquals(25, estimator.getEpochs());
  }

  private static void modelRoundTrip(Case c, NeuralEstimator<?, ?> estimator, NeuralModel<?> model)
      throws Exception {
    String path = Spark.folder("model").toString();
    model.save(path);
    assertThrows(IOException.class, () -> model.save(path));
    model.write().overwrite().save(path);
    assertEquals(Set.of(model.getClass().getName()), namedClasses(Path.of(path)));
    NeuralModel<?> loaded =
        (NeuralModel<?>) model.getClass().getMethod("load", String.class).invoke(null, path);
    assertEquals(model.uid(), loaded.uid());
    assertEquals(model.toString(), loaded.toString());
    assertEquals(model.summary(), loaded.summary());
    assertSameParams(model, loaded);
    assertEquals(scored(model), scored(loaded));
    // Nothing is left to trace, yet other batch sizes work; sums may be rounded in another order.
    double[] expected = values(model);
    for (int rows : new int[] {1, 300}) {
      loaded.setInferenceBatchSize(rows);
      assertArrayEquals(expected, values(loaded), 1e-4 * magnitude(expected), "batches of " + rows);
    }
  }

  private static final String FILE =
      "(metadata/)?[.]?(part-.*|_SUCCESS|data.json|graph.json|graph-next.json|weights.safetensors)"
          + "([.]crc)?";

  private static final Pattern CLASS = Pattern.compile("\\b([a-z]\\w*[.]){2,}[A-Z]\\w*");

  /** Classes that a saved model names; none of its files holds a Java-serialised object. */
  private static Set<String> namedClasses(Path folder) throws IOException {
    Set<String> classes = new HashSet<>();
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path p : all.filter(Files::isRegularFile).toList()) {
        String name = folder.relativize(p).toString();
        assertTrue(name.matches(FILE), name);
        String bytes = Files.readString(p, StandardCharsets.ISO_8859_1);
        assertFalse(bytes.contains("\u00AC\u00ED\u0000\u0005"), name);
        CLASS.matcher(bytes).results().forEach(r -> classes.add(r.group()));
      }
    }
    return classes;
  }

  private static void estimatorRoundTrip(
      Case c, NeuralEstimator<?, ?> estimator, NeuralModel<?> model) throws Exception {
    Path path = Spark.folder("estimator");
    if (c.custom()) {
      IllegalStateException e =
          assertThrows(IllegalStateException.class, () -> estimator.save(path.toString()));
      assertTrue(
          e.getMessage().contains("cannot be saved, because a layer is code"), e::getMessage);
      return;
    }
    estimator.save(path.toString());
    NeuralEstimator<?, ?> loaded =
        (NeuralEstimator<?, ?>)
            estimator.getClass().getMethod("load", String.class).invoke(null, path.toString());
    assertEquals(estimator.uid(), loaded.uid());
    assertSameParams(estimator, loaded);
  }

  private static void pipeline(Case c, NeuralEstimator<?, ?> estimator, NeuralModel<?> model)
      throws Exception {
    String path = Spark.folder("pipeline").toString();
    if (!c.custom()) {
      new Pipeline().setStages(new PipelineStage[] {estimator}).save(path);
      PipelineStage stage = Pipeline.load(path).getStages()[0];
      assertEquals(estimator.uid(), stage.uid());
      assertSameParams(estimator, stage);
    }
    PipelineModel fitted =
        new Pipeline().setStages(new PipelineStage[] {model}).fit(EstimatorCases.data());
    fitted.write().overwrite().save(path);
    Model<?> loaded = PipelineModel.load(path);
    assertEquals(scored(model), rows(loaded.transform(EstimatorCases.data()), model));
    assertTrue(((PipelineModel) loaded).stages()[0] instanceof MLWritable);
  }

  private static void streams(Case c, NeuralEstimator<?, ?> estimator, NeuralModel<?> model)
      throws Exception {
    String path = Spark.folder("stream").toString();
    EstimatorCases.data().write().parquet(path);
    Dataset<Row> stream =
        Spark.session().readStream().schema(EstimatorCases.data().schema()).parquet(path);
    String table = "scored_" + model.uid().replaceAll("\\W", "_");
    var query = model.transform(stream).writeStream().format("memory").queryName(table).start();
    try {
      query.processAllAvailable();
      Dataset<Row> streamed = Spark.session().table(table);
      assertEquals(scored(model), rows(streamed, model));
    } finally {
      query.stop();
    }
  }

  private static void explains(Case c, NeuralEstimator<?, ?> estimator, NeuralModel<?> model) {
    String text = estimator.explainParams();
    for (Param<?> p : estimator.params()) {
      assertTrue(text.contains(p.name() + ": "), p.name());
      assertTrue(p.doc().endsWith(")"), () -> p.name() + " states its range: " + p.doc());
      assertTrue(
          estimator.hasDefault(p) || WITHOUT_DEFAULT.contains(p.name()),
          () -> p.name() + " default");
      String getter = "get" + Character.toUpperCase(p.name().charAt(0)) + p.name().substring(1);
      assertTrue(
          Stream.of(estimator.getClass().getMethods()).anyMatch(m -> m.getName().equals(getter)),
          getter);
      String setter = getter.replaceFirst("get", "set");
      assertTrue(
          Stream.of(estimator.getClass().getMethods()).anyMatch(m -> m.getName().equals(setter)),
          setter);
    }
    assertEquals(estimator.params().length, model.params().length);
    assertFalse(estimator.params().length < 25);
  }

  /** As a service loader makes them, and debuggers and logs show them. */
  @Test
  void aModelThatHasLearntNothingSaysSo() {
    assertEquals(
        "NeuralClassificationModel: uid=, nothing learnt",
        new NeuralClassificationModel().toString());
    assertEquals(
        "NeuralRegressionModel: uid=x, nothing learnt", new NeuralRegressionModel("x").toString());
  }

  /** As inside a function that goes to an executor, and back. */
  @Test
  void aSerializedEstimatorFitsAndMissesItsNetwork() {
    NeuralClassifier c =
        new NeuralClassifier()
            .setLabelCol("xor")
            .setNumericCols("a")
            .setHiddenLayers(2)
            .setEpochs(1);
    NeuralClassifier there = Utils.deserialize(Utils.serialize(c));
    assertEquals(scored(c.fit(EstimatorCases.data())), scored(there.fit(EstimatorCases.data())));
    NeuralClassifier bare = Utils.deserialize(Utils.serialize(c.setNetwork(new Dense(1))));
    for (NeuralClassifier e : List.of(bare, bare.copy(new ParamMap()))) {
      assertEquals(
          "NeuralClassifier network: a layer is code, which Java's serialization leaves behind: the"
              + " network that was set is gone; call setNetwork again, with null for one that the"
              + " parameters describe",
          assertThrows(IllegalArgumentException.class, () -> e.fit(EstimatorCases.data()))
              .getMessage());
      assertThrows(IllegalStateException.class, e::write);
    }
    assertEquals(
        scored(there.fit(EstimatorCases.data())),
        scored(bare.setNetwork(null).fit(EstimatorCases.data())));
  }

  /** Output columns as text, in an order that does not depend on partitions. */
  private static List<String> scored(NeuralModel<?> model) {
    return rows(model.transform(EstimatorCases.data()), model);
  }

  private static List<String> rows(Dataset<Row> scored, NeuralModel<?> model) {
    var columns =
        Stream.concat(Stream.of("a", "b", "city", "code"), model.outputs().keySet().stream())
            .map(name -> model.hasParam(name) ? (String) value(model, name) : name)
            .map(functions::col)
            .toArray(org.apache.spark.sql.Column[]::new);
    return scored.select(columns).collectAsList().stream().map(Row::toString).sorted().toList();
  }

  /** All outputs of all rows as numbers, in an order that does not depend on partitions. */
  private static double[] values(NeuralModel<?> model) {
    return model.transform(EstimatorCases.data()).orderBy("a").collectAsList().stream()
        .flatMapToDouble(
            r ->
                model.outputs().keySet().stream()
                    .map(p -> r.getAs((String) value(model, p)))
                    .flatMapToDouble(
                        v ->
                            v instanceof Vector x
                                ? DoubleStream.of(x.toArray())
                                : DoubleStream.of((double) v)))
        .toArray();
  }

  private static double magnitude(double[] values) {
    return DoubleStream.of(values).map(Math::abs).max().orElseThrow();
  }

  private static Object value(Params p, String name) {
    return p.getOrDefault(p.getParam(name));
  }

  private static void assertSameParams(Params expected, Params actual) {
    for (Param<?> p : expected.params()) {
      assertEquals(expected.isSet(p), actual.isSet(actual.getParam(p.name())), p.name());
      if (expected.isDefined(p)) {
        Object e = value(expected, p.name());
        Object a = value(actual, p.name());
        assertTrue(java.util.Objects.deepEquals(e, a), () -> p.name() + ": " + e + " / " + a);
      }
    }
  }
}
