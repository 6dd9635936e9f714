package io.fragua.nn;

import io.fragua.tensor.Tensor;
import java.util.List;

/**
 * One step of a recurrent layer, as settings; {@link Recurrent} takes it over time. What the inputs
 * contribute does not depend on the step before, so it is computed for all steps at once.
 */
public interface RecurrentCell {
  /** Size of the output. */
  int units();

  /** How many tensors [B, units] go from step to step; the first is the output. */
  int states();

  /**
   * Asks for the parameters.
   *
   * @param in size of the last axis of the inputs
   */
  Bound bind(Scope s, int in);

  /** A cell with its parameters. */
  interface Bound {
    /** What inputs [..., in] contribute to their steps. */
    Tensor inputs(Tensor x);

    /**
     * The states after a step.
     *
     * @param states before it, each [B, units]
     * @param inputs of the step, from {@link #inputs}: [B, ...]
     */
    List<Tensor> step(List<Tensor> states, Tensor inputs);
  }
}
