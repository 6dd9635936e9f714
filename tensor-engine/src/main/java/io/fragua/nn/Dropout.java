package io.fragua.nn;

import io.fragua.random.Random;
import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;

/**
 * While training, sets each element to 0 with probability {@code rate} and divides the others by 1
 * - rate, so that the mean stays; otherwise does nothing. The mask is drawn again at every call; a
 * loop or map calls its function once, so that all its steps or rows share a mask.
 *
 * @param rate in [0, 1]
 * @source Srivastava et al., JMLR 2014 (inverted form); Flax {@code Dropout}
 */
public record Dropout(double rate) implements Layer {
  /** Checks the rate. */
  public Dropout {
    Check.that(rate >= 0 && rate <= 1, "dropout: a rate lies in [0, 1]: %s; correct it", rate);
  }

  @Override
  public Tensor apply(Scope s, Tensor x) {
    Check.shape(x.dtype().isFloating(), "dropout: input must be floating: %s; cast it", x.type());
    if (rate == 0 || !s.training()) {
      return x;
    }
    Tensor zero = Tensor.scalar(x.dtype(), 0);
    if (rate == 1) {
      return zero.lift(x).broadcastTo(x.shape());
    }
    Tensor keep = Random.bernoulli(s.key(), 1 - rate, x.shape());
    return keep.select(x.mul(1 / (1 - rate)), zero);
  }

  @Override
  public String toString() {
    return "Dropout(" + rate + ")";
  }
}
