package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.List;

/**
 * Long short-term memory. With i, f, g and o the four parts of x kernel + bias + h
 * recurrent_kernel: c' = logistic(f) c + logistic(i) tanh(g) and h' = logistic(o) tanh(c').
 *
 * <p>Parameters: {@code kernel} [in, 4 units], {@code recurrent_kernel} [units, 4 units], {@code
 * bias} [4 units], the gates in the order i, f, g, o, all uniform within 1 / sqrt(units). States: h
 * and c.
 *
 * @param units size of each state
 * @source Hochreiter and Schmidhuber, 1997; {@code torch.nn.LSTM}, with one bias for its two
 */
public record LstmCell(int units) implements RecurrentCell {
  /** Checks the settings. */
  public LstmCell {
    Check.that(units >= 1, "lstm_cell: needs at least one unit: %d; correct it", units);
  }

  @Override
  public int states() {
    return 2;
  }

  @Override
  public Bound bind(Scope s, int in) {
    Gates g = Gates.of(s, 4, in, units);
    return new Bound() {
      @Override
      public Tensor inputs(Tensor x) {
        return g.inputs(x);
      }

      @Override
      public List<Tensor> step(List<Tensor> states, Tensor inputs) {
        List<Tensor> x = g.split(inputs);
        List<Tensor> h = g.of(states.get(0));
        Tensor in = x.get(0).add(h.get(0)).logistic();
        Tensor kept = x.get(1).add(h.get(1)).logistic();
        Tensor candidate = x.get(2).add(h.get(2)).tanh();
        Tensor out = x.get(3).add(h.get(3)).logistic();
        Tensor c = kept.mul(states.get(1)).add(in.mul(candidate));
        return List.of(out.mul(c.tanh()), c);
      }
    };
  }

  @Override
  public String toString() {
    return "LstmCell(" + units + ")";
  }
}
