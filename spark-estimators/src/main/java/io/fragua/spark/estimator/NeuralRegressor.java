package io.fragua.spark.estimator;

import io.fragua.nn.Losses;
import io.fragua.nn.RegressionLosses;
import io.fragua.spark.param.RegressorSetters;
import io.fragua.spark.persist.DataDescription;
import io.fragua.spark.persist.EstimatorReader;
import io.fragua.spark.persist.ModelData;
import io.fragua.tensor.Tensor;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;

/**
 * Learns to predict an amount: a feed-forward network over numbers and embedded categories, trained
 * inside the cluster with squared error or another {@code loss}. The label is standardised inside;
 * predictions are in its own units.
 *
 * <pre>{@code
 * NeuralRegressionModel model =
 *     new NeuralRegressor()
 *         .setNumericCols("distance", "minute")
 *         .setCategoricalCols("origin", "carrier")
 *         .setLabelCol("delay")
 *         .fit(flights);
 * model.transform(flights).select("prediction").show();
 * }</pre>
 *
 * <p>Inputs are {@code numericCols} (one number each), {@code categoricalCols} (texts or integers,
 * a learnt vector of {@code embeddingDim} numbers each) and {@code featuresCol} (vectors or arrays,
 * all of one size). Together they make rows [B, F] for the {@code hiddenLayers}, by default 256 and
 * 128 units. Defaults and ranges of all parameters stand with their accessors, in {@link
 * io.fragua.spark.param} and in the module's README.
 *
 * <p>The model appends {@code predictionCol}, a double.
 */
public final class NeuralRegressor extends NeuralEstimator<NeuralRegressor, NeuralRegressionModel>
    implements RegressorSetters<NeuralRegressor> {
  private static final long serialVersionUID = 1L;

  /** A regressor with default parameters. */
  public NeuralRegressor() {
    this(Identifiable$.MODULE$.randomUID("NeuralRegressor"));
  }

  /** A regressor of this uid, as Spark's readers need it. */
  public NeuralRegressor(String uid) {
    super(uid);
  }

  @Override
  public NeuralRegressor self() {
    return this;
  }

  @Override
  Objective objective() {
    return Objective.AMOUNTS;
  }

  @Override
  Objective.RowLoss rowLoss(DataDescription d) {
    return (output, label) -> {
      Tensor predicted = output.reshape(output.shape().dim(0));
      Tensor wanted = label.div(d.labelDeviation());
      return switch (getLoss()) {
        case "absolute" -> RegressionLosses.absoluteError(predicted, wanted);
        case "huber" -> RegressionLosses.huber(predicted, wanted, getHuberDelta());
        case "quantile" -> RegressionLosses.quantile(predicted, wanted, getQuantile());
        default -> Losses.squaredError(predicted, wanted);
      };
    };
  }

  @Override
  NeuralRegressor create(String uid) {
    return new NeuralRegressor(uid);
  }

  @Override
  NeuralRegressionModel model(String uid, ModelData data) {
    return new NeuralRegressionModel(uid, data, new ScoreBroadcasts());
  }

  /** A reader of saved regressors. */
  public static MLReader<NeuralRegressor> read() {
    return new EstimatorReader<>(NeuralRegressor.class, NeuralRegressor::new);
  }

  /** Loads a saved regressor. */
  public static NeuralRegressor load(String path) {
    return read().load(path);
  }
}
