package io.fragua.spark.param;

/**
 * Setters that a classifier and its model share besides.
 *
 * @param <S> the stage's own class
 */
public interface ClassifierSetters<S> extends Setters<S>, ClassifierParams {
  /** Sets {@link #probabilityCol()}. */
  default S setProbabilityCol(String value) {
    return put(probabilityCol(), value);
  }

  /** Sets {@link #rawPredictionCol()}. */
  default S setRawPredictionCol(String value) {
    return put(rawPredictionCol(), value);
  }

  /** Sets {@link #classWeights()}. */
  default S setClassWeights(double... value) {
    return put(classWeights(), value);
  }

  /** Sets {@link #balanceClasses()}. */
  default S setBalanceClasses(boolean value) {
    return put(balanceClasses(), value);
  }

  /** Sets {@link #thresholds()}. */
  default S setThresholds(double... value) {
    return put(thresholds(), value);
  }
}
