package io.fragua.spark.persist;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fragua.arrow.BatchedGraph;
import io.fragua.graph.Graph;
import io.fragua.graph.GraphJson;
import io.fragua.io.Safetensors;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.MLReader;

/**
 * Loads a model that {@link ModelWriter} saved. Every file is checked against its recorded size and
 * SHA-256 before it is read, and the parts against each other after; what is wrong is an {@link
 * IllegalArgumentException} that begins with the file's name.
 *
 * @param <M> the model's class
 */
public final class ModelReader<M extends Params> extends MLReader<M> {
  /** Makes a model of its parts; parameters are set afterwards. */
  @FunctionalInterface
  public interface Factory<M> {
    /** A model with this uid. */
    M create(String uid, ModelData data);
  }

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Class<M> type;
  private final Factory<M> factory;
  private boolean local;

  /** A reader of models of this class. */
  public ModelReader(Class<M> type, Factory<M> factory) {
    this.type = type;
    this.factory = factory;
  }

  /** Loads what {@link ModelWriter#saveToLocal} wrote. */
  @Override
  public M loadFromLocal(String path) {
    local = true;
    try {
      return load(path);
    } finally {
      local = false;
    }
  }

  @Override
  public M load(String path) {
    try {
      DefaultParamsReader.Metadata meta = SavedMetadata.load(path, local, sparkSession(), type);
      ModelFolder folder = ModelFolder.of(path, local, sparkSession());
      JsonNode ours = JSON.readTree(meta.metadataJson()).path("fragua");
      String file = folder.name(ModelFolder.METADATA);
      int version = ours.path("formatVersion").asInt(0);
      Check.that(
          version >= 1,
          "%s: must hold the model's format version: %s; save the model again",
          file,
          ours.path("formatVersion"));
      Check.that(
          version <= FormatVersion.CURRENT,
          "%s: this version of Fragua reads formats 1 to %d: format %d; load the model with a newer"
              + " Fragua",
          file,
          FormatVersion.CURRENT,
          version);
      M model = factory.create(meta.uid(), data(folder, ours.path("files")));
      SavedMetadata.setParams(file, meta, model);
      return model;
    } catch (IOException e) {
      throw new UncheckedIOException(
          path
              + ": a model's files must be readable: "
              + e.getMessage()
              + "; check the file system",
          e);
    }
  }

  private static ModelData data(ModelFolder folder, JsonNode files) throws IOException {
    DataJson.Reader json =
        new DataJson.Reader(
            folder.name(ModelFolder.DATA), content(folder, files, ModelFolder.DATA));
    DataDescription data = named(folder, ModelFolder.DATA, json::data);
    Graph graph = graph(folder, files, ModelFolder.GRAPH);
    Graph next = graph(folder, files, ModelFolder.NEXT);
    String weightsName = folder.name(ModelFolder.WEIGHTS);
    Map<String, Tensor> weights =
        Safetensors.read(content(folder, files, ModelFolder.WEIGHTS), weightsName).tensors();
    int rows = check(folder.name(ModelFolder.GRAPH), graph, weightsName, weights, data);
    int more = check(folder.name(ModelFolder.NEXT), next, weightsName, weights, data);
    Check.that(
        more == rows + 1,
        "%s: must be the network for one row more than %s: %d rows, and %d; save the model again",
        folder.name(ModelFolder.NEXT),
        ModelFolder.GRAPH,
        more,
        rows);
    return new ModelData(
        new BatchedGraph(rows, graph, next),
        weights,
        data,
        named(folder, ModelFolder.DATA, json::history));
  }

  /** Checks that graph, weights and description fit; gives the graph's number of rows. */
  private static int check(
      String file, Graph g, String weightsFile, Map<String, Tensor> weights, DataDescription data) {
    List<Graph.Input> tiles = new ArrayList<>();
    int used = 0;
    for (Graph.Input in : g.inputs()) {
      if (!in.name().startsWith("param:") && !in.name().startsWith("state:")) {
        tiles.add(in);
        continue;
      }
      Tensor w = weights.get(in.name());
      Check.that(
          w != null && w.type().equals(in.type()),
          "%s: must hold every weight of the network: %s is %s, needed %s; copy the model folder"
              + " again",
          weightsFile,
          in.name(),
          w == null ? "missing" : w.type(),
          in.type());
      used++;
    }
    Check.that(
        used == weights.size(),
        "%s: must hold the network's weights alone: %d, of which the network uses %d; copy the"
            + " model folder again",
        weightsFile,
        weights.size(),
        used);
    int rows =
        tiles.isEmpty() || tiles.get(0).type().shape().rank() != 2
            ? 0
            : tiles.get(0).type().shape().dim(0);
    List<Graph.Input> wanted = new ArrayList<>();
    if (data.width() > 0) {
      wanted.add(new Graph.Input("x", TensorType.of(DType.F32, rows, data.width())));
    }
    if (!data.categories().isEmpty()) {
      wanted.add(new Graph.Input("ids", TensorType.of(DType.I32, rows, data.categories().size())));
    }
    if (!data.sparse().isEmpty()) {
      wanted.add(new Graph.Input("sparse_ids", TensorType.of(DType.I32, rows, data.slots())));
      wanted.add(new Graph.Input("sparse_values", TensorType.of(DType.F32, rows, data.slots())));
    }
    int k = data.classes();
    Check.that(
        rows > 0
            && tiles.equals(wanted)
            && g.outputs().size() == 1
            && g.outputs().get(0).name().equals("output")
            && (g.outputTypes().get(0).equals(TensorType.of(DType.F32, rows, Math.max(1, k)))
                || k <= 2 && g.outputTypes().get(0).equals(TensorType.of(DType.F32, rows, 1))
                || k == 0 && g.outputTypes().get(0).equals(TensorType.of(DType.F64, rows, 1))),
        "%s: must map the described columns to the described classes: takes %s and gives %s %s for"
            + " columns %s and %d classes; copy the model folder again",
        file,
        tiles,
        g.outputs(),
        g.outputTypes(),
        data,
        k);
    return rows;
  }

  private static Graph graph(ModelFolder folder, JsonNode files, String file) throws IOException {
    String text = new String(content(folder, files, file), StandardCharsets.UTF_8);
    return named(folder, file, () -> GraphJson.read(text));
  }

  /** Puts the file's name before the message of a reader that does not know it. */
  private static <T> T named(ModelFolder folder, String file, java.util.function.Supplier<T> read) {
    try {
      return read.get();
    } catch (IllegalArgumentException e) {
      String name = folder.name(file);
      if (e.getMessage() != null && e.getMessage().startsWith(name)) {
        throw e;
      }
      throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
    }
  }

  private static byte[] content(ModelFolder folder, JsonNode files, String file)
      throws IOException {
    JsonNode sum = files.path(file);
    Check.that(
        sum.path("bytes").isIntegralNumber() && sum.path("sha256").isTextual(),
        "%s: must hold size and SHA-256 of %s: %s; copy the model folder again",
        folder.name(ModelFolder.METADATA),
        file,
        sum);
    return folder.read(
        file, new ModelFolder.Sum(sum.path("bytes").longValue(), sum.path("sha256").textValue()));
  }
}
