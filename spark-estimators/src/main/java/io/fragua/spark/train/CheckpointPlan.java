package io.fragua.spark.train;

import io.fragua.io.Safetensors;
import io.fragua.tensor.Tensor;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
  private static final Logger LOG = LoggerFactory.getLogger(CheckpointPlan.class);

  CheckpointPlan {
    identity = new TreeMap<>(identity);
  }

  /**
   * Hands over the tensors of the checkpoint to go on from, if there is one, and the name of their
   * file; where to begin.
   *
   * @param host that this runs on, for errors
   */
  Position restore(String host, BiConsumer<Map<String, Tensor>, String> taker) {
    CheckpointFolder here = open();
    try {
      here.checkMark(host);
      if (resume == null) {
        return Position.START;
      }
      String who = here.tensorsName(resume);
      taker.accept(Safetensors.read(here.tensors(resume), who).tensors(), who);
      return resume.position();
    } catch (IOException e) {
      throw new UncheckedIOException(
          "train: every worker must be able to read the checkpoints in " + folder + ": " + e, e);
    }
  }

  /**
   * Whether a checkpoint is of these rows; their order is not in the user's hands everywhere.
   *
   * @param warns whether to say that they come in another order
   */
  void checkSame(DataSum.Value rows, boolean warns) {
    if (resume == null) {
      return;
    }
    if (resume.rows().content() != rows.content()) {
      throw open().other(resume, "the rows' values");
    }
    if (warns && resume.rows().order() != rows.order()) {
      LOG.warn(
          "train: the rows come in another order than when the checkpoint was written, as after a"
              + " shuffle or with other partitions: the training goes on from step {} of epoch {},"
              + " but not to the same bits as without the break",
          resume.position().step() + 1,
          resume.position().epoch() + 1);
    }
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
