package io.fragua.spark.param;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.Param;

/** How workers train together. */
public interface DistributionParams extends ParamFamily {
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

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final BooleanParam deterministic;
    final Param<String> gradientCompression;

    Group(Declare d) {
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
    }
  }
}
