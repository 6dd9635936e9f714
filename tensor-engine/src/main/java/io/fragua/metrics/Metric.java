package io.fragua.metrics;

import io.fragua.tensor.Tensor;
import java.io.Serializable;

/**
 * A number about predictions and labels, gathered batch by batch. Parts of the data, for instance
 * partitions, are gathered by one object each and merged; the result is that of all data at once,
 * in whatever order.
 *
 * <p>Not thread-safe. Serializable, so that a part may come from another machine.
 *
 * @param <M> the metric itself
 */
public interface Metric<M extends Metric<M>> extends Serializable {
  /**
   * Adds a batch; one of no rows adds nothing.
   *
   * @param predictions concrete, one a row; each metric says what it takes
   * @param labels as many rows
   * @return this
   * @throws IllegalArgumentException if types or values do not fit, NaN among them; the metric is
   *     then as it was before
   */
  M update(Tensor predictions, Tensor labels);

  /**
   * Adds what another has gathered, which stays as it is.
   *
   * @return this
   * @throws IllegalArgumentException if it has other settings
   */
  M merge(M other);

  /**
   * The number of all rows so far.
   *
   * @throws IllegalArgumentException if it is not defined for them, as for no rows at all
   */
  double value();
}
