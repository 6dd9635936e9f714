package io.fragua.spark.train;

/**
 * How workers train together.
 *
 * @param shards parts of every batch, each computed by itself and summed in a fixed order, so that
 *     bits do not depend on the number of workers; a power of two; 0 for a part for each worker. If
 *     not 0, the data must have been put in order by {@link RowOrder} for so many
 * @param localSteps steps that every worker makes by itself before the mean of all is taken, in
 *     jobs without a barrier; 0 for workers that sum every step's gradients
 * @param bf16 whether gradients are rounded to bfloat16 on their way between executors
 * @param global whether workers swap rows before every epoch
 * @param cpus cores and threads of a worker; 0 for {@code spark.task.cpus}
 * @param gpus of a worker
 */
public record Distribution(
    int shards, int localSteps, boolean bf16, boolean global, int cpus, int gpus) {
  /** Gradients travel as they are, rows not at all. */
  public static final Distribution PLAIN = new Distribution(0, 0, false, false, 0, 0);

  /** Checks the numbers. */
  public Distribution {
    if (cpus < 0 || gpus < 0) {
      throw new IllegalArgumentException(
          "train: a worker has at least 0 cores and GPUs, 0 for what the application says: "
              + cpus
              + " and "
              + gpus
              + "; correct them");
    }
    if (shards < 0 || Integer.bitCount(shards) > 1) {
      throw new IllegalArgumentException(
          "train: shards must be a power of two, or 0 for one for each worker: "
              + shards
              + "; correct it");
    }
    if (localSteps < 0 || localSteps > 0 && (shards > 0 || bf16 || global)) {
      throw new IllegalArgumentException(
          "train: workers that make steps by themselves exchange no gradients and no rows, in no"
              + " order: "
              + localSteps
              + " local steps, "
              + shards
              + " shards, bf16 "
              + bf16
              + ", global shuffle "
              + global
              + "; set distribution back, or deterministic, gradientCompression and shuffle");
    }
    if (shards > 0 && global) {
      throw new IllegalArgumentException(
          "train: bits that depend on nothing need rows that stay in their shards: "
              + shards
              + " shards and a global shuffle; set one of deterministic and shuffle back");
    }
    if (shards > 0 && bf16) {
      throw new IllegalArgumentException(
          "train: bits that depend on nothing need gradients that are not rounded on their way: "
              + shards
              + " shards and bf16; set one of deterministic and gradientCompression back");
    }
  }

  /**
   * Parts of a batch for bits that do not depend on the number of workers: about 128 rows each,
   * from 8 parts to 64, but none without a row.
   */
  public static int shards(int batchSize) {
    int parts = Math.max(8, Math.min(64, Integer.highestOneBit(Math.max(1, batchSize / 128))));
    return Math.min(parts, Integer.highestOneBit(batchSize));
  }

  /** Whether workers make steps by themselves. */
  boolean local() {
    return localSteps > 0;
  }

  /** Parts into which rows and batches are cut. */
  int parts(int workers) {
    return shards > 0 ? shards : workers;
  }
}
