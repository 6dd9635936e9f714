package io.fragua.spark.train;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The driver's folder of checkpoints, found good and marked as in use until it is closed. A mark
 * that a killed driver left says nothing: the next training replaces it.
 */
public final class Checkpoints implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);

  private final String path;
  private final CheckpointFolder folder;

  private Checkpoints(String path, CheckpointFolder folder) {
    this.path = path;
    this.folder = folder;
  }

  /**
   * Makes the folder and marks it, so that one that cannot be used shows before there is work in
   * vain.
   *
   * @param path empty for no checkpoints
   * @throws java.io.UncheckedIOException if checkpoints cannot be written there
   */
  public static Checkpoints open(SparkSession spark, String path) {
    if (path.isEmpty()) {
      return new Checkpoints(path, null);
    }
    Configuration hadoop = spark.sessionState().newHadoopConf();
    try {
      CheckpointFolder folder = new CheckpointFolder(path, hadoop);
      folder.mark();
      return new Checkpoints(path, folder);
    } catch (IOException e) {
      throw CheckpointFolder.unusable(path, e);
    }
  }

  /** The folder, or null for no checkpoints. */
  CheckpointFolder folder() {
    return folder;
  }

  /** Takes the mark away. Checkpoints stay, unless a training that ended well removed them. */
  @Override
  public void close() {
    if (folder != null) {
      Threads.uninterrupted(this::unmark);
    }
  }

  private void unmark() {
    try {
      folder.unmark();
    } catch (IOException | RuntimeException e) { // file systems throw both
      LOG.warn("train: the mark that {} is in use stays, and is replaced by the next fit", path, e);
    }
  }
}
