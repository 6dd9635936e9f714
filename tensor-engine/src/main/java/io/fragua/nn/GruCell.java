package io.fragua.nn;

import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.List;

/**
 * A gated recurrent unit. With r, z and n the three parts of x kernel + bias, and r', z' and n'
 * those of h recurrent_kernel: h' = (1 - u) m + u h, where u = logistic(z + z') and m = tanh(n +
 * logistic(r + r') (n' + recurrent_bias)).
 *
 * <p>Parameters: {@code kernel} [in, 3 units], {@code recurrent_kernel} [units, 3 units], {@code
 * bias} [3 units], the gates in the order r, z, n, and {@code recurrent_bias} [units], all uniform
 * within 1 / sqrt(units).
 *
 * @param units size of the state
 * @source Cho et al., 2014, with the reset after the product, as {@code torch.nn.GRU} and Flax
 *     {@code GRUCell}
 */
public record GruCell(int units) implements RecurrentCell {
  /** Checks the settings. */
  public GruCell {
    Check.that(units >= 1, "gru_cell: needs at least one unit: %d; correct it", units);
  }

  @Override
  public int states() {
    return 1;
  }

  @Override
  public Bound bind(Scope s, int in) {
    Gates g = Gates.of(s, 3, in, units);
    Tensor bias = s.param("recurrent_bias", Shape.of(units), Gates.init(units));
    return new Bound() {
      @Override
      public Tensor inputs(Tensor x) {
        return g.inputs(x);
      }

      @Override
      public List<Tensor> step(List<Tensor> states, Tensor inputs) {
        Tensor old = states.get(0);
        List<Tensor> x = g.split(inputs);
        List<Tensor> h = g.of(old);
        Tensor reset = x.get(0).add(h.get(0)).logistic();
        Tensor kept = x.get(1).add(h.get(1)).logistic();
        Tensor fresh = x.get(2).add(reset.mul(h.get(2).add(bias))).tanh();
        return List.of(fresh.add(kept.mul(old.sub(fresh))));
      }
    };
  }

  @Override
  public String toString() {
    return "GruCell(" + units + ")";
  }
}
