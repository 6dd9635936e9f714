package io.fragua.spark.param;

import java.io.Serializable;
import java.util.List;
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

  /** Value of {@link #gradientCompression()}. */
  default String getGradientCompression() {
    return getOrDefault(gradientCompression());
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> gradientCompression;

    Group(Declare d) {
      gradientCompression =
          d.choice(
              "gradientCompression",
              "how gradients are rounded on their way between executors",
              List.of("none", "bf16"),
              "none");
    }
  }
}
