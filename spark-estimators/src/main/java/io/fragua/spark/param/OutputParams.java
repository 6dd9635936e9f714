package io.fragua.spark.param;

import java.io.Serializable;
import org.apache.spark.ml.param.Param;

/** The columns that a model appends, for every kind of model. */
public interface OutputParams extends ParamFamily {
  /**
   * The predicted class (0, 1, ...) or amount, a double. Empty leaves the column out, if the model
   * has another. Default {@code "prediction"}.
   */
  default Param<String> predictionCol() {
    return groups().output.predictionCol;
  }

  /** Value of {@link #predictionCol()}. */
  default String getPredictionCol() {
    return getOrDefault(predictionCol());
  }

  /** The parameters. */
  final class Group implements Serializable {
    private static final long serialVersionUID = 1L;

    final Param<String> predictionCol;

    Group(Declare d) {
      predictionCol =
          d.column("predictionCol", "column that receives the prediction", true, "prediction");
    }
  }
}
