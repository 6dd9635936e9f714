package io.fragua.spark.train;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What the workers need to know about checkpoints.
 *
 * @param folder where they are
 * @param hadoop how to reach it
 * @param everyEpochs epochs between two
 * @param everySteps steps between two besides, or 0
 * @param keep how many stay
 * @param identity of the training
 * @param resume the checkpoint to go on from, or null
 */
record CheckpointPlan(
    String folder,
    SerializableConfiguration hadoop,
    int everyEpochs,
    int everySteps,
    int keep,
    Map<String, String> identity,
    Checkpoint resume)
    implements Serializable {
  CheckpointPlan {
    identity = new TreeMap<>(identity);
  }

  /** The folder, seen from here. */
  CheckpointFolder open() {
    try {
      return new CheckpointFolder(folder, hadoop.value());
    } catch (IOException e) {
      throw new UncheckedIOException(
          "train: checkpointDir must be on a file system that driver and executors see: "
              + folder
              + ": "
              + e.getMessage()
              + "; correct it",
          e);
    }
  }
}
