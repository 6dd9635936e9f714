package io.fragua.arrow;

import io.fragua.exec.Precision;
import io.fragua.graph.Graph;
import io.fragua.graph.GraphJson;
import io.fragua.graph.Tracer;
import io.fragua.io.Safetensors;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/** A small model: two numbers and a category in, a number, a vector of three and an int out. */
final class Models {
  static final String[] WORDS = {"v0", "v1", "v2"};
  static final float[] TABLE = {0.5f, 1, 2, 4}; // by id: unseen, v0, v1, v2
  static final float[] KERNEL = {1, 2, 3, -1, 0.5f, 0}; // [2, 3]

  private Models() {}

  static List<TileSpec> tiles(boolean keepInvalid) {
    return List.of(
        new TileSpec(
            "x", DType.F32, List.of(InputColumn.scalar("a"), InputColumn.scalar("b")), keepInvalid),
        new TileSpec(
            "ids",
            DType.I32,
            List.of(InputColumn.category("s", Vocabulary.of(WORDS, 0))),
            true)); // some words of the data are not known
  }

  static final List<OutputSpec> OUTPUTS =
      List.of(
          new OutputSpec("score", "score", OutputSpec.Kind.DOUBLE),
          new OutputSpec("score32", "score", OutputSpec.Kind.FLOAT),
          new OutputSpec("raw", "raw", OutputSpec.Kind.VECTOR),
          new OutputSpec("best", "best", OutputSpec.Kind.INT));

  static Graph graph(int batch) {
    return Tracer.trace(
        List.of(
            new Graph.Input("table", TensorType.of(DType.F32, 4, 1)),
            new Graph.Input("kernel", TensorType.of(DType.F32, 2, 3)),
            new Graph.Input("x", TensorType.of(DType.F32, batch, 2)),
            new Graph.Input("ids", TensorType.of(DType.I32, batch, 1))),
        List.of("score", "raw", "best"),
        in -> {
          Tensor raw = in.get(2).matmul(in.get(1));
          Tensor factor = in.get(0).gather(in.get(3).reshape(batch)).reshape(batch);
          return List.of(raw.sum(1).mul(factor), raw, raw.argmax(1));
        });
  }

  static ScoreModel model(String uid, int batch, boolean keepInvalid) {
    return new ScoreModel(
        uid,
        GraphJson.write(graph(batch)),
        GraphJson.write(graph(batch + 1)),
        weights(Map.of("table", Tensor.of(TABLE, 4, 1), "kernel", Tensor.of(KERNEL, 2, 3))),
        tiles(keepInvalid),
        OUTPUTS,
        batch,
        Precision.STRICT,
        0);
  }

  static byte[] weights(Map<String, Tensor> tensors) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      Safetensors.write(out, tensors, Map.of());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  static Sent<ScoreModel> broadcast(ScoreModel m) {
    return Sent.of(Session.get().sparkContext(), m);
  }

  static ModelScorer scorer(ScoreModel m, String backend) {
    return new ModelScorer(broadcast(m), backend);
  }
}
