package io.fragua.nn;

import io.fragua.tensor.Movement;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * A cell taken over time in both directions, with parameters for each; the outputs of a step stand
 * side by side, forward first.
 *
 * <p>Shapes: x [B, T, in], result [B, T, 2 units]. Parameters: those of the cell, under {@code
 * forward} and {@code backward}.
 *
 * @param cell what a step does
 * @source {@code torch.nn.LSTM} with {@code bidirectional}; Flax {@code Bidirectional}
 */
public record Bidirectional(RecurrentCell cell) implements Layer {
  @Override
  public Tensor apply(Scope s, Tensor x) {
    return run(s, x, null).outputs();
  }

  /**
   * Takes the cell over sequences in both directions.
   *
   * @param lengths as in {@link Recurrent#run}: the backward direction starts at the last real step
   * @return outputs side by side; states of the forward direction, then those of the backward one
   */
  public Recurrent.Result run(Scope s, Tensor x, Tensor lengths) {
    Recurrent.Result there = new Recurrent(cell).run(s.child("forward"), x, lengths, null);
    Recurrent.Result back = new Recurrent(cell, true).run(s.child("backward"), x, lengths, null);
    List<Tensor> states = new ArrayList<>(there.states());
    states.addAll(back.states());
    return new Recurrent.Result(
        Movement.concat(2, List.of(there.outputs(), back.outputs())), states);
  }

  @Override
  public String toString() {
    return "Bidirectional(" + cell + ")";
  }
}
