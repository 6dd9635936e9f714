package io.fragua.spark.param;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.Param;

/** What a regressor has besides. */
public interface RegressorParams extends ParamFamily {
  /** Values of {@link #loss()}. */
  List<String> LOSSES = List.of("squared", "absolute", "huber", "quantile");

  /**
   * What becomes small: {@code squared}, for the mean; {@code absolute}, for the median; {@code
   * huber}, squared up to {@link #huberDelta()} and absolute beyond, for a mean that outliers do
   * not pull; {@code quantile}, for the {@link #quantile()} of what a row may be. Default {@code
   * squared}.
   */
  default Param<String> loss() {
    return groups().regressor.loss;
  }

  /**
   * Up to which error {@code huber} is squared, in standard deviations of the label: more than 0 in
   * f32 and up to 3.4e38. Default 1.
   */
  default DoubleParam huberDelta() {
    return groups().regressor.huberDelta;
  }

  /** The share of amounts below the prediction, with {@code quantile}. In (0, 1). Default 0.5. */
  default DoubleParam quantile() {
    return groups().regressor.quantile;
  }

  /** Value of {@link #loss()}. */
  default String getLoss() {
    return getOrDefault(loss());
  }

  /** Value of {@link #huberDelta()}. */
  default double getHuberDelta() {
    return (double) getOrDefault(huberDelta());
  }

  /** Value of {@link #quantile()}. */
  default double getQuantile() {
    return (double) getOrDefault(quantile());
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> loss;
    final DoubleParam huberDelta;
    final DoubleParam quantile;

    Group(Declare d) {
      loss = d.choice("loss", "what becomes small in training", LOSSES, "squared");
      huberDelta =
          d.real(
              "huberDelta",
              "error up to which huber is squared, in deviations of the label",
              "more than 0 in f32, up to 3.4e38",
              v -> v > 0 && Double.isFinite(v),
              1);
      quantile =
          d.real(
              "quantile",
              "share of amounts below the prediction, with loss quantile",
              "more than 0 and less than 1",
              v -> v > 0 && v < 1,
              0.5);
    }
  }
}
