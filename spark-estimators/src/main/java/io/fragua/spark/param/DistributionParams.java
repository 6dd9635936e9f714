package io.fragua.spark.param;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;

/** How workers train together. */
public interface DistributionParams extends ParamFamily {
  /**
   * {@code "barrier"}: all workers run at once, sum the gradients of every step, and must stay to
   * the end. {@code "localSgd"}: workers make {@link #localSteps()} steps by themselves, then the
   * mean of all is taken; every such round is an ordinary Spark job, so that executors may come and
   * go ({@code spark.dynamicAllocation.enabled}) and no ports are opened. Default {@code
   * "barrier"}.
   */
  default Param<String> distribution() {
    return groups().distribution.distribution;
  }

  /**
   * Steps of a worker in a round of {@code localSgd}. At least 1; more cost less time and, with
   * many workers, some accuracy. Default 16.
   */
  default IntParam localSteps() {
    return groups().distribution.localSteps;
  }

  /** Value of {@link #distribution()}. */
  default String getDistribution() {
    return getOrDefault(distribution());
  }

  /** Value of {@link #localSteps()}. */
  default int getLocalSteps() {
    return (int) getOrDefault(localSteps());
  }

  /**
   * Cores and threads of each worker, asked for by stage-level scheduling. At least 0; 0 for {@code
   * spark.task.cpus}. Standalone clusters, YARN and Kubernetes know it; {@code local} does not,
   * which is an error. Default 0.
   */
  default IntParam workerCpus() {
    return groups().distribution.workerCpus;
  }

  /** Value of {@link #workerCpus()}. */
  default int getWorkerCpus() {
    return (int) getOrDefault(workerCpus());
  }

  /**
   * How gradients travel between executors: {@code "none"} as they are, {@code "bf16"} rounded to
   * bfloat16, half the bytes. Losses, weights and running statistics are never rounded. Same bits
   * wherever the workers run. Default {@code "none"}.
   */
  default Param<String> gradientCompression() {
    return groups().distribution.gradientCompression;
  }

  /**
   * Whether the model has the same bits for any number of workers and any partitioning of the rows,
   * on CPUs of one kind. Rows are put in an order that follows from what they hold, by a shuffle
   * and a sort, and every batch is computed in 8 to 64 parts, depending on batchSize alone, whose
   * gradients are summed in a fixed order. At most as many workers as parts. Default false.
   */
  default BooleanParam deterministic() {
    return groups().distribution.deterministic;
  }

  /** Value of {@link #deterministic()}. */
  default boolean getDeterministic() {
    return (boolean) getOrDefault(deterministic());
  }

  /** Value of {@link #gradientCompression()}. */
  default String getGradientCompression() {
    return getOrDefault(gradientCompression());
  }

  /**
   * Which rows a worker learns from: {@code "worker"} always those that it was dealt, in a new
   * order every epoch; {@code "global"} before every epoch it gives rows to each other worker and
   * gets as many, drawn anew, until it has the same share of what each had, so that batches mix all
   * rows. Costs the time to move nearly all rows, and rows on disk are then not put in order ahead.
   * Not with {@link #deterministic()} or {@code localSgd}. Default {@code "worker"}.
   */
  default Param<String> shuffle() {
    return groups().distribution.shuffle;
  }

  /** Value of {@link #shuffle()}. */
  default String getShuffle() {
    return getOrDefault(shuffle());
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> distribution;
    final IntParam localSteps;
    final IntParam workerCpus;
    final BooleanParam deterministic;
    final Param<String> gradientCompression;
    final Param<String> shuffle;

    Group(Declare d) {
      distribution =
          d.choice(
              "distribution",
              "whether workers run at once and sum every step, or make steps by themselves",
              List.of("barrier", "localSgd"),
              "barrier");
      localSteps =
          d.integer(
              "localSteps",
              "steps of a worker before the mean of all is taken, with distribution localSgd",
              "at least 1",
              v -> v >= 1,
              16);
      workerCpus =
          d.integer(
              "workerCpus",
              "cores and threads of a worker, 0 for spark.task.cpus",
              "at least 0",
              v -> v >= 0,
              0);
      deterministic =
          d.truth(
              "deterministic",
              "whether bits do not depend on the number of workers and the partitioning of the rows"
                  + " (true, false)",
              false);
      gradientCompression =
          d.choice(
              "gradientCompression",
              "how gradients are rounded on their way between executors",
              List.of("none", "bf16"),
              "none");
      shuffle =
          d.choice(
              "shuffle",
              "whether rows stay with their worker or are swapped with others before every epoch",
              List.of("worker", "global"),
              "worker");
    }
  }
}
