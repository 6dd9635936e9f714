package io.fragua.nn;

import io.fragua.tensor.Check;
import java.io.Serializable;

/**
 * Says that a state of a network is a running variance about another that is a running mean, so
 * that who computes a batch in parts can put the parts together: the mean of the parts' variances
 * lacks the variance between their means. Both follow as running = running + gain * (batch -
 * running).
 *
 * @param variance name of the state
 * @param mean name of the state it is about, of the same shape
 * @param gain how far both follow one batch, in [0, 1]
 */
public record RunningVariance(String variance, String mean, double gain) implements Serializable {
  /** Checks the gain. */
  public RunningVariance {
    Check.that(
        gain >= 0 && gain <= 1,
        "state: a running variance follows a batch by a share in [0, 1]: %s for \"%s\"; correct it",
        gain,
        variance);
  }

  /**
   * Of so many batches one after the other.
   *
   * @param batches at least 0
   */
  public RunningVariance after(long batches) {
    return new RunningVariance(variance, mean, 1 - Math.pow(1 - gain, batches));
  }

  /** Of a batch of this and then one of another, which are of the same states. */
  RunningVariance then(RunningVariance next) {
    return new RunningVariance(variance, mean, 1 - (1 - gain) * (1 - next.gain));
  }
}
