package io.fragua.spark.param;

import org.apache.spark.ml.param.Param;

/**
 * Setters that estimator and model share; each returns the stage itself.
 *
 * @param <S> the stage's own class
 */
public interface Setters<S>
    extends InputParams,
        OutputParams,
        NetworkParams,
        OptimizerParams,
        TrainingParams,
        RecoveryParams,
        DeviceParams,
        DistributionParams {
  /** This stage. */
  S self();

  /** Sets a parameter, an array as a copy, and returns this stage. */
  default <T> S put(Param<T> param, T value) {
    set(param, Declare.copy(value));
    return self();
  }

  /** Sets {@link #featuresCol()}. */
  default S setFeaturesCol(String value) {
    return put(featuresCol(), value);
  }

  /** Sets {@link #handleInvalid()}. */
  default S setHandleInvalid(String value) {
    return put(handleInvalid(), value);
  }

  /** Sets {@link #predictionCol()}. */
  default S setPredictionCol(String value) {
    return put(predictionCol(), value);
  }

  /** Sets {@link #device()}. */
  default S setDevice(String value) {
    return put(device(), value);
  }

  /** Sets {@link #precision()}. */
  default S setPrecision(String value) {
    return put(precision(), value);
  }

  /** Sets {@link #inferenceBatchSize()}. */
  default S setInferenceBatchSize(int value) {
    return put(inferenceBatchSize(), value);
  }
}
