package io.fragua.spark.persist;

import io.fragua.graph.GraphJson;
import io.fragua.io.Safetensors;
import io.fragua.tensor.Check;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLWriter;
import org.json4s.JInt;
import org.json4s.JObject;
import org.json4s.JString;
import org.json4s.JValue;
import scala.Option;
import scala.Some;
import scala.Tuple2;
import scala.jdk.javaapi.CollectionConverters;
import scala.math.BigInt;

/**
 * Saves a model as a folder. As Spark's own writers it refuses to overwrite unless told to, and the
 * metadata come last: a folder without them is not a model.
 */
public final class ModelWriter extends MLWriter {
  private final Params stage;
  private final ModelData model;
  private final long most;
  private boolean local;

  /**
   * A writer of this model.
   *
   * @param stage whose class, uid and parameters are saved
   */
  public ModelWriter(Params stage, ModelData model) {
    this(stage, model, Integer.MAX_VALUE - (1 << 20)); // an array, with room for the header
  }

  /**
   * A writer of a model that is not too large.
   *
   * @param most bytes of weights
   */
  ModelWriter(Params stage, ModelData model, long most) {
    this.stage = stage;
    this.model = model;
    this.most = most;
  }

  /** Saves, unless the model is too large, which shows before one that is there is removed. */
  @Override
  public void save(String path) throws IOException {
    checkSize();
    super.save(path);
  }

  private void checkSize() {
    Check.that(
        model.bytes() <= most,
        "%s: a saved model holds at most %d bytes of weights: %d bytes; use a smaller network",
        stage.uid(),
        most,
        model.bytes());
  }

  /**
   * Saves on the driver's own disk, whatever the default file system is: Spark Connect puts models
   * there that have no room in memory.
   *
   * @param path absolute, without a scheme; nothing may be there yet
   */
  @Override
  public void saveToLocal(String path) {
    checkSize();
    local = true;
    try {
      saveImpl(path);
    } finally {
      local = false;
    }
  }

  /** Writes the folder; called by {@code save}, which has dealt with one that is there already. */
  @Override
  public void saveImpl(String path) {
    try {
      ModelFolder folder = ModelFolder.of(path, local, sparkSession());
      Map<String, ModelFolder.Sum> files = new LinkedHashMap<>();
      for (Map.Entry<String, byte[]> f : content().entrySet()) {
        files.put(f.getKey(), folder.write(f.getKey(), f.getValue()));
      }
      if (local) { // Spark writes them in a job, whose tasks may run elsewhere
        SavedMetadata.writeLocal(
            path,
            DefaultParamsWriter.getMetadataToSave(
                stage, sparkSession(), new Some<>(extra(files)), Option.empty()));
      } else {
        DefaultParamsWriter.saveMetadata(stage, path, sparkSession(), new Some<>(extra(files)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          path
              + ": a model must be saved whole: "
              + e.getMessage()
              + "; remove the folder and save"
              + " again",
          e);
    }
  }

  private Map<String, byte[]> content() throws IOException {
    ByteArrayOutputStream weights = new ByteArrayOutputStream();
    Safetensors.write(weights, model.weights(), Map.of());
    Map<String, byte[]> m = new LinkedHashMap<>();
    m.put(ModelFolder.DATA, utf8(DataJson.write(model.data(), model.history())));
    m.put(ModelFolder.GRAPH, utf8(GraphJson.write(model.network().graph())));
    m.put(ModelFolder.NEXT, utf8(GraphJson.write(model.network().next())));
    m.put(ModelFolder.WEIGHTS, weights.toByteArray());
    return m;
  }

  /** What is added to Spark's metadata: format, and what every other file must be. */
  private static JObject extra(Map<String, ModelFolder.Sum> files) {
    Map<String, JValue> sums = new LinkedHashMap<>();
    files.forEach(
        (name, s) -> {
          Map<String, JValue> sum = new LinkedHashMap<>();
          sum.put("bytes", new JInt(BigInt.apply(s.bytes())));
          sum.put("sha256", new JString(s.sha256()));
          sums.put(name, object(sum));
        });
    Map<String, JValue> fragua = new LinkedHashMap<>();
    fragua.put("formatVersion", new JInt(BigInt.apply(FormatVersion.CURRENT)));
    fragua.put("files", object(sums));
    return object(Map.of("fragua", object(fragua)));
  }

  private static JObject object(Map<String, JValue> fields) {
    List<Tuple2<String, JValue>> list =
        fields.entrySet().stream().map(e -> new Tuple2<>(e.getKey(), e.getValue())).toList();
    return new JObject(CollectionConverters.asScala(list).toList());
  }

  private static byte[] utf8(String s) {
    return s.getBytes(StandardCharsets.UTF_8);
  }
}
