package io.fragua.spark.persist;

import io.fragua.spark.files.CheckedFolder;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/** The folder of a saved model. */
final class ModelFolder extends CheckedFolder {
  static final String DATA = "data.json";
  static final String GRAPH = "graph.json";
  static final String NEXT = "graph-next.json";
  static final String WEIGHTS = "weights.safetensors";
  static final String METADATA = "metadata";

  private ModelFolder(String path, Configuration hadoop) throws IOException {
    super(path, hadoop, "model", "copy the model folder again");
  }

  /**
   * The folder of this name.
   *
   * @param local whether it is on this machine's disk, else on the session's default file system
   *     unless the name says another
   */
  static ModelFolder of(String path, boolean local, SparkSession spark) throws IOException {
    Configuration hadoop = spark.sessionState().newHadoopConf();
    return new ModelFolder(local ? "file:" + path : path, hadoop);
  }
}
