package io.fragua.spark.estimator;

import io.fragua.spark.persist.EstimatorReader;
import io.fragua.spark.persist.ModelData;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;

/**
 * Learns to predict an amount: a feed-forward network over numbers and embedded categories, trained
 * inside the cluster with squared error. The label is standardised inside; predictions are in its
 * own units.
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
 */
public final class NeuralRegressor extends NeuralEstimator<NeuralRegressor, NeuralRegressionModel> {
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
