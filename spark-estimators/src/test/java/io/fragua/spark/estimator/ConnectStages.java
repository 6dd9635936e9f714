package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.spark.estimator.EstimatorCases.Case;
import io.fragua.spark.train.EpochMetrics;
import io.fragua.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.linalg.Matrix;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.HasTrainingSummary;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.SparkSession;

/**
 * What a Connect server asks of a stage: that a service loader finds it, that reflection makes and
 * loads it, that its parameters travel, and that a model says its size and can be put aside.
 */
final class ConnectStages {
  private static final List<Class<?>> TRAVEL = List.of(String.class, Vector.class, Matrix.class);

  /** From Spark 4.1 on a Connect server puts models without room in memory on its local disk. */
  private static final boolean LOCAL =
      Arrays.stream(MLWriter.class.getMethods()).anyMatch(m -> m.getName().equals("saveToLocal"));

  private ConnectStages() {}

  static void check(Case c, NeuralEstimator<?, ?> estimator, NeuralModel<?> model)
      throws Exception {
    registered(Estimator.class, estimator);
    registered(Transformer.class, model);
    travels(estimator);
    travels(model);
    long bytes = 0;
    for (Tensor w : model.data().weights().values()) {
      bytes += w.shape().size() * (long) w.dtype().bytes();
    }
    assertEquals(bytes, model.estimatedSize());
    HasTrainingSummary<TrainingSummary> trained = model;
    assertTrue(trained.hasSummary());
    assertEquals(model.summary(), trained.trainingSummary().get());
    List<EpochMetrics> epochs = model.summary().epochs();
    assertArrayEquals(
        epochs.stream().mapToDouble(EpochMetrics::trainLoss).toArray(),
        model.summary().objectiveHistory());
    assertEquals(epochs.size(), model.summary().totalIterations());
    if (LOCAL) {
      putAside(model);
    }
    learntNothing(model.getClass());
  }

  private static <T> void registered(Class<T> kind, PipelineStage stage) throws Exception {
    Class<?> type = stage.getClass();
    assertEquals(
        1,
        ServiceLoader.load(kind).stream().filter(p -> p.type() == type).count(),
        () -> type + " among the services " + kind.getName());
    PipelineStage made = (PipelineStage) type.getConstructor(String.class).newInstance("name");
    assertEquals("name", made.uid());
    assertEquals(type, type.getMethod("load", String.class).getReturnType());
    assertTrue(type.getMethod("read").invoke(null) instanceof MLReader);
  }

  private static void travels(Params stage) {
    for (Param<?> p : stage.params()) {
      Class<?> type = p.dataClass();
      while (type.isArray()) {
        type = type.getComponentType();
      }
      assertTrue(
          type.isPrimitive() || TRAVEL.contains(type),
          stage.getClass() + " " + p.name() + " cannot travel over Spark Connect: " + type);
    }
  }

  /** On the local disk, and nowhere else: the session's own file system cannot be reached. */
  private static void putAside(NeuralModel<?> model) throws Exception {
    SparkSession elsewhere = Spark.session().newSession();
    elsewhere.conf().set("fs.defaultFS", "hdfs://127.0.0.1:1");
    elsewhere.conf().set("ipc.client.connect.max.retries", 0);
    Path folder = Spark.folder("aside");
    model.write().session(elsewhere).saveToLocal(folder.toString());
    assertTrue(Files.isRegularFile(folder.resolve("weights.safetensors")));
    MLReader<?> reader = (MLReader<?>) model.getClass().getMethod("read").invoke(null);
    NeuralModel<?> back =
        (NeuralModel<?>) reader.session(elsewhere).loadFromLocal(folder.toString());
    assertEquals(model.toString(), back.toString());
    assertEquals(model.summary(), back.summary());
    model
        .data()
        .weights()
        .forEach(
            (name, w) ->
                assertArrayEquals(w.toFloats(), back.data().weights().get(name).toFloats(), name));
  }

  private static void learntNothing(Class<?> type) throws Exception {
    NeuralModel<?> empty = (NeuralModel<?>) type.getConstructor(String.class).newInstance("name");
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> empty.transform(EstimatorCases.data()));
    assertEquals(
        type.getSimpleName()
            + " name: must come from fit or load: it was made by its constructor and has learnt"
            + " nothing, or came to an executor inside a function (its weights do not travel so);"
            + " fit an estimator, load a saved model, or use transform",
        e.getMessage());
  }
}
