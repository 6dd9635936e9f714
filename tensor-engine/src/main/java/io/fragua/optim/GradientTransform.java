package io.fragua.optim;

import io.fragua.nn.ParamTree;

/**
 * What an optimizer is: gradients become updates, and a state remembers what is needed from step to
 * step. Both functions are pure and work on concrete and traced tensors; the state's names and
 * types never change. Updates are added to the parameters ({@link Optimizers#applyUpdates}), so the
 * last transform of a chain has to turn their sign.
 *
 * @source Optax {@code GradientTransformation}
 */
public interface GradientTransform {
  /**
   * The state before the first step.
   *
   * @param params only names and types are read; the result is concrete
   */
  ParamTree init(ParamTree params);

  /**
   * One step.
   *
   * @param grads with the parameters' names and types
   * @param state of the step before
   * @param params before the step
   */
  Update update(ParamTree grads, ParamTree state, ParamTree params);

  /** What a step gives: the updates, and the state for the next. */
  record Update(ParamTree updates, ParamTree state) {}
}
