package io.fragua.spark.param;

/**
 * Setters that a regressor and its model share besides.
 *
 * @param <S> the stage's own class
 */
public interface RegressorSetters<S> extends Setters<S>, RegressorParams {
  /** Sets {@link #loss()}. */
  default S setLoss(String value) {
    return put(loss(), value);
  }

  /** Sets {@link #huberDelta()}. */
  default S setHuberDelta(double value) {
    return put(huberDelta(), value);
  }

  /** Sets {@link #quantile()}. */
  default S setQuantile(double value) {
    return put(quantile(), value);
  }
}
