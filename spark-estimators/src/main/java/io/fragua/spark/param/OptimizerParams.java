package io.fragua.spark.param;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.Param;

/** How a step changes the weights. */
public interface OptimizerParams extends ParamFamily {
  /** Values of {@link #optimizer()}. */
  List<String> OPTIMIZERS = List.of("adam", "adamw", "sgd");

  /** Values of {@link #learningRateSchedule()}. */
  List<String> SCHEDULES = List.of("constant", "cosine");

  /** The optimizer, one of {@link #OPTIMIZERS}. Default {@code "adam"}. */
  default Param<String> optimizer() {
    return groups().optimizer.optimizer;
  }

  /** Size of a step, more than 0 in f32 and up to 3.4e38. Default 0.001. */
  default DoubleParam learningRate() {
    return groups().optimizer.learningRate;
  }

  /**
   * How the learning rate goes on: {@code "constant"}, or {@code "cosine"}, which falls along half
   * a cosine to 0 at the last step of the last epoch. Default {@code "constant"}.
   */
  default Param<String> learningRateSchedule() {
    return groups().optimizer.learningRateSchedule;
  }

  /** Momentum of {@code "sgd"}, from 0 to below 1; the others ignore it. Default 0.9. */
  default DoubleParam momentum() {
    return groups().optimizer.momentum;
  }

  /**
   * Pull of the weights toward 0, from 0 up to 3.4e38. {@code "adamw"} applies it to the weights
   * themselves, the others add it, times the weights, to the gradient. Default 0.
   */
  default DoubleParam weightDecay() {
    return groups().optimizer.weightDecay;
  }

  /**
   * Largest length of the gradient of all weights together; a longer one is scaled down to it. From
   * 0 up to 3.4e38, and 0 never scales. Default 0.
   */
  default DoubleParam clipNorm() {
    return groups().optimizer.clipNorm;
  }

  /**
   * Whether a step changes only those rows of the table of categories that it reads, with what the
   * optimizer remembers of them; the others stay as they are, momentum included. Then the time of a
   * step does not depend on the number of categories. Default false.
   */
  default BooleanParam sparseUpdates() {
    return groups().optimizer.sparseUpdates;
  }

  /** Value of {@link #optimizer()}. */
  default String getOptimizer() {
    return getOrDefault(optimizer());
  }

  /** Value of {@link #learningRate()}. */
  default double getLearningRate() {
    return (double) getOrDefault(learningRate());
  }

  /** Value of {@link #learningRateSchedule()}. */
  default String getLearningRateSchedule() {
    return getOrDefault(learningRateSchedule());
  }

  /** Value of {@link #momentum()}. */
  default double getMomentum() {
    return (double) getOrDefault(momentum());
  }

  /** Value of {@link #weightDecay()}. */
  default double getWeightDecay() {
    return (double) getOrDefault(weightDecay());
  }

  /** Value of {@link #clipNorm()}. */
  default double getClipNorm() {
    return (double) getOrDefault(clipNorm());
  }

  /** Value of {@link #sparseUpdates()}. */
  default boolean getSparseUpdates() {
    return (boolean) getOrDefault(sparseUpdates());
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> optimizer;
    final DoubleParam learningRate;
    final Param<String> learningRateSchedule;
    final DoubleParam momentum;
    final DoubleParam weightDecay;
    final DoubleParam clipNorm;
    final BooleanParam sparseUpdates;

    Group(Declare d) {
      optimizer = d.choice("optimizer", "how a step follows from gradients", OPTIMIZERS, "adam");
      learningRate =
          d.real(
              "learningRate",
              "size of a step",
              "more than 0 in f32, up to 3.4e38",
              v -> v > 0 && Double.isFinite(v),
              0.001);
      learningRateSchedule =
          d.choice("learningRateSchedule", "how the learning rate goes on", SCHEDULES, "constant");
      momentum =
          d.real(
              "momentum",
              "momentum of sgd",
              "at least 0 and less than 1",
              v -> v >= 0 && v < 1,
              0.9);
      weightDecay =
          d.real(
              "weightDecay",
              "pull of the weights toward 0",
              "from 0 up to 3.4e38",
              v -> v >= 0 && Double.isFinite(v),
              0);
      clipNorm =
          d.real(
              "clipNorm",
              "largest length of the gradient of all weights together, 0 for any",
              "from 0 up to 3.4e38",
              v -> v >= 0 && Double.isFinite(v),
              0);
      sparseUpdates =
          d.truth(
              "sparseUpdates",
              "whether a step changes only the categories that it reads (true, false)",
              false);
    }
  }
}
