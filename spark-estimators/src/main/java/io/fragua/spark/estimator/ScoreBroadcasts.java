package io.fragua.spark.estimator;

import io.fragua.arrow.OutputSpec;
import io.fragua.arrow.ScoreModel;
import io.fragua.arrow.Sent;
import io.fragua.arrow.TileSpec;
import io.fragua.exec.Precision;
import io.fragua.graph.GraphJson;
import io.fragua.io.Safetensors;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;

/**
 * What a model has sent to the executors, so that transforming again sends nothing. Shared by a
 * model and its copies, and held for the few settings that were used last; Spark frees a broadcast
 * when nobody refers to it any more, no plan either. Thread-safe.
 */
final class ScoreBroadcasts {
  private static final int KEPT = 4;

  private final Map<List<Object>, Sent<ScoreModel>> sent =
      new LinkedHashMap<>(2 * KEPT, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<List<Object>, Sent<ScoreModel>> eldest) {
          return size() > KEPT; // a plan that uses it holds it still
        }
      };

  /** The broadcast for the model as it is set now. */
  Sent<ScoreModel> get(
      NeuralModel<?> model, SparkSession spark, List<TileSpec> tiles, List<OutputSpec> outputs) {
    int threads = spark.sparkContext().conf().getInt("spark.task.cpus", 1);
    List<Object> key =
        List.of(
            spark.sparkContext().applicationId(),
            tiles.stream().map(Object::toString).toList(),
            outputs,
            model.variant(),
            model.getInferenceBatchSize(),
            model.getPrecision(),
            threads);
    synchronized (sent) {
      return sent.computeIfAbsent(key, k -> send(model, spark, tiles, outputs, threads));
    }
  }

  private static Sent<ScoreModel> send(
      NeuralModel<?> model,
      SparkSession spark,
      List<TileSpec> tiles,
      List<OutputSpec> outputs,
      int threads) {
    int rows = model.getInferenceBatchSize();
    List<String> results = outputs.stream().map(OutputSpec::graphOutput).toList();
    ScoreModel score =
        new ScoreModel(
            model.uid(),
            GraphJson.write(model.scoreGraph(rows, results)),
            GraphJson.write(model.scoreGraph(rows + 1, results)),
            weights(model),
            tiles,
            outputs,
            rows,
            Precision.valueOf(model.getPrecision()),
            threads);
    return Sent.of(spark.sparkContext(), score);
  }

  private static byte[] weights(NeuralModel<?> model) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      Safetensors.write(out, model.data().weights(), Map.of());
    } catch (IOException e) {
      throw new UncheckedIOException("Memory can be written to", e);
    }
    return out.toByteArray();
  }
}
