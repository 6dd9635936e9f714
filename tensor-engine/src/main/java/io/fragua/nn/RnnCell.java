package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.List;

/**
 * h' = activation(x kernel + bias + h recurrent_kernel), by default with tanh.
 *
 * <p>Parameters: {@code kernel} [in, units], {@code recurrent_kernel} [units, units], {@code bias}
 * [units], all uniform within 1 / sqrt(units).
 *
 * @param units size of the state
 * @param activation of the sum
 * @source Elman, "Finding structure in time", 1990; {@code torch.nn.RNN}, with one bias for its two
 */
public record RnnCell(int units, Activation activation) implements RecurrentCell {
  /** Checks the settings. */
  public RnnCell {
    Check.that(units >= 1, "rnn_cell: needs at least one unit: %d; correct it", units);
    Settings.given("rnn_cell", "an activation", activation);
  }

  /** With tanh. */
  public RnnCell(int units) {
    this(units, Activations.get("tanh"));
  }

  @Override
  public int states() {
    return 1;
  }

  @Override
  public Bound bind(Scope s, int in) {
    Gates g = Gates.of(s, 1, in, units);
    return new Bound() {
      @Override
      public Tensor inputs(Tensor x) {
        return g.inputs(x);
      }

      @Override
      public List<Tensor> step(List<Tensor> states, Tensor inputs) {
        Tensor sum = states.get(0).matmul(g.recurrent()).add(inputs);
        return List.of(activation.function().apply(sum));
      }
    };
  }

  @Override
  public String toString() {
    return "RnnCell(" + units + ", " + activation + ")";
  }
}
