package io.fragua.optim;

import io.fragua.tensor.Tensor;

/** A number that depends on the step, usually a learning rate. Pure. See {@link Schedules}. */
@FunctionalInterface
public interface Schedule {
  /**
   * The number for a step.
   *
   * @param step f32 scalar, 0 at the first step
   * @return f32 scalar
   */
  Tensor at(Tensor step);
}
