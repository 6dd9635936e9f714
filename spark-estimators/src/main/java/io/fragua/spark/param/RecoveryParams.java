package io.fragua.spark.param;

import java.io.Serializable;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;

/** How a training survives the loss of an executor or of the driver. */
public interface RecoveryParams extends ParamFamily {
  /**
   * A folder on a file system that driver and executors see, where {@code fit} keeps checkpoints
   * while it runs. A {@code fit} with the same data and parameters goes on from the newest one, to
   * the same bits as if it had never stopped; one with others is refused. Once the model is there
   * the checkpoints are removed. One fit at a time may use a folder. Default empty: no checkpoints.
   */
  default Param<String> checkpointDir() {
    return groups().recovery.checkpointDir;
  }

  /** Epochs from one checkpoint to the next, at least 1. The last epoch has one. Default 1. */
  default IntParam checkpointInterval() {
    return groups().recovery.checkpointInterval;
  }

  /** Steps from one checkpoint to the next within epochs; 0 for none there. Default 0. */
  default IntParam checkpointSteps() {
    return groups().recovery.checkpointSteps;
  }

  /** Newest checkpoints that are kept, at least 1. Default 2. */
  default IntParam checkpointsKept() {
    return groups().recovery.checkpointsKept;
  }

  /**
   * How often {@code fit} takes up again a training that lost an executor, a connection or a file
   * system, from its newest checkpoint or, without any, from the start. What data or parameters did
   * wrong is never repeated. At least 0. Default 3.
   */
  default IntParam maxRetries() {
    return groups().recovery.maxRetries;
  }

  /** Value of {@link #checkpointDir()}. */
  default String getCheckpointDir() {
    return getOrDefault(checkpointDir());
  }

  /** Value of {@link #checkpointInterval()}. */
  default int getCheckpointInterval() {
    return (int) getOrDefault(checkpointInterval());
  }

  /** Value of {@link #checkpointSteps()}. */
  default int getCheckpointSteps() {
    return (int) getOrDefault(checkpointSteps());
  }

  /** Value of {@link #checkpointsKept()}. */
  default int getCheckpointsKept() {
    return (int) getOrDefault(checkpointsKept());
  }

  /** Value of {@link #maxRetries()}. */
  default int getMaxRetries() {
    return (int) getOrDefault(maxRetries());
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> checkpointDir;
    final IntParam checkpointInterval;
    final IntParam checkpointSteps;
    final IntParam checkpointsKept;
    final IntParam maxRetries;

    Group(Declare d) {
      checkpointDir =
          d.text(
              "checkpointDir",
              "folder of checkpoints, from which fit goes on after a crash",
              "a path that driver and executors see, or empty for none",
              v -> true,
              "");
      checkpointInterval =
          d.integer(
              "checkpointInterval",
              "epochs from one checkpoint to the next",
              "at least 1",
              v -> v >= 1,
              1);
      checkpointSteps =
          d.integer(
              "checkpointSteps",
              "steps from one checkpoint to the next within an epoch, 0 for none there",
              "at least 0",
              v -> v >= 0,
              0);
      checkpointsKept =
          d.integer(
              "checkpointsKept", "newest checkpoints that are kept", "at least 1", v -> v >= 1, 2);
      maxRetries =
          d.integer(
              "maxRetries",
              "how often a training that lost an executor is taken up again",
              "at least 0",
              v -> v >= 0,
              3);
    }
  }
}
