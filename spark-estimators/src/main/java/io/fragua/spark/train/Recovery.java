package io.fragua.spark.train;

import java.util.Map;
import java.util.TreeMap;

/**
 * How a training survives.
 *
 * @param folder of its checkpoints, on a file system that driver and executors see; empty for none.
 *     One training at a time uses it, and empties it when it has ended well
 * @param everyEpochs epochs from one checkpoint to the next, at least 1
 * @param everySteps steps from one checkpoint to the next besides, 0 for none within an epoch
 * @param keep newest checkpoints that are kept, at least 1
 * @param maxRetries how often a training that lost an executor is taken up again, at least 0
 * @param identity what a checkpoint's training must have in common with this one besides graphs and
 *     rows: names and values, as errors show them
 */
public record Recovery(
    String folder,
    int everyEpochs,
    int everySteps,
    int keep,
    int maxRetries,
    Map<String, String> identity) {
  /** No checkpoints, and nothing is repeated. */
  public static final Recovery NONE = new Recovery("", 1, 0, 1, 0, Map.of());

  /** Checks the numbers. */
  public Recovery {
    identity = Map.copyOf(identity);
    if (everyEpochs < 1 || everySteps < 0 || keep < 1 || maxRetries < 0) {
      throw new IllegalArgumentException(
          "train: epochs between checkpoints and checkpoints kept must be at least 1, steps between"
              + " checkpoints and retries at least 0: "
              + everyEpochs
              + ", "
              + keep
              + ", "
              + everySteps
              + ", "
              + maxRetries
              + "; correct them");
    }
  }

  /** Whether checkpoints are written. */
  boolean saves() {
    return !folder.isEmpty();
  }

  /** The identity in an order that is always the same. */
  Map<String, String> ordered() {
    return new TreeMap<>(identity);
  }
}
