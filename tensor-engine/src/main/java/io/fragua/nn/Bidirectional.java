package io.fragua.nn;

import io.fragua.tensor.Check;
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
  /** Checks the settings. */
  public Bidirectional {
    Recurrent.check("bidirectional", cell);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    return run(s, x, null).outputs();
  }

  /**
   * Takes the cell over sequences in both directions, from states of zeros.
   *
   * @param lengths as in {@link Recurrent#run}: the backward direction starts at the last real step
   * @return outputs side by side; states of the forward direction, then those of the backward one
   */
  public Recurrent.Result run(Scope s, Tensor x, Tensor lengths) {
    return run(s, x, lengths, null);
  }

  /**
   * As {@link #run(Scope, Tensor, Tensor)}.
   *
   * @param initial states that the first step of each direction finds, in the order of the
   *     result's; null for zeros
   * @throws io.fragua.tensor.ShapeException if they do not fit
   */
  public Recurrent.Result run(Scope s, Tensor x, Tensor lengths, List<Tensor> initial) {
    int n = cell.states();
    Check.shape(
        initial == null || initial.size() == 2 * n,
        "bidirectional: both directions start from the states that %s has: %d of %d given; give"
            + " those of a run before, or null for zeros",
        cell,
        initial == null ? 0 : initial.size(),
        2 * n);
    List<Tensor> first = initial == null ? null : initial.subList(0, n);
    List<Tensor> last = initial == null ? null : initial.subList(n, 2 * n);
    Recurrent.Result there = new Recurrent(cell).run(s.child("forward"), x, lengths, first);
    Recurrent.Result back = new Recurrent(cell, true).run(s.child("backward"), x, lengths, last);
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
