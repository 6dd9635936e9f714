package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;

/**
 * Adds a learned vector for each position to a sequence.
 *
 * <p>Shapes: x [..., T, D], result the same. Parameter: {@code embedding} [length, D], normal with
 * standard deviation 0.02, as GPT-2's.
 *
 * @param length most positions
 * @source Radford et al., "Language Models are Unsupervised Multitask Learners", 2019
 */
public record LearnedPositions(int length) implements Layer {
  /** Checks the length. */
  public LearnedPositions {
    Check.that(length >= 1, "learned_positions: needs at least one: %d; correct it", length);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(
        x.shape().rank() >= 2 && x.dtype().isFloating() && x.shape().dim(-2) <= length,
        "learned_positions: input must be floating [..., T, D] with T up to %d: %s; shorten it, or"
            + " learn more positions",
        length,
        x.type());
    Tensor all =
        s.param("embedding", Shape.of(length, x.shape().dim(-1)), Initializers.normal(0.02));
    return x.add(all.slice(0, 0, x.shape().dim(-2)));
  }

  @Override
  public String toString() {
    return "LearnedPositions(" + length + ")";
  }
}
