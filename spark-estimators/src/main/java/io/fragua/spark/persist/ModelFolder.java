package io.fragua.spark.persist;

import io.fragua.spark.files.CheckedFolder;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;

/** The folder of a saved model. */
final class ModelFolder extends CheckedFolder {
  static final String DATA = "data.json";
  static final String GRAPH = "graph.json";
  static final String NEXT = "graph-next.json";
  static final String WEIGHTS = "weights.safetensors";
  static final String METADATA = "metadata";

  ModelFolder(String path, Configuration hadoop) throws IOException {
    super(path, hadoop, "model", "copy the model folder again");
  }
}
