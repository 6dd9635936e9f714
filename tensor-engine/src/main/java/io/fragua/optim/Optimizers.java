package io.fragua.optim;

import static io.fragua.optim.Transforms.addDecayedWeights;
import static io.fragua.optim.Transforms.chain;
import static io.fragua.optim.Transforms.scaleByAdam;
import static io.fragua.optim.Transforms.scaleByLearningRate;
import static io.fragua.optim.Transforms.trace;

import io.fragua.nn.ParamTree;
import io.fragua.tensor.Check;

/** Optimizers by their usual names: chains of {@link Transforms}, with Optax's defaults. */
public final class Optimizers {
  private Optimizers() {}

  /**
   * Gradient descent: v = g + momentum v; p = p - rate v.
   *
   * @param momentum in [0, 1); 0 for none
   * @source {@code optax.sgd}
   */
  public static GradientTransform sgd(Schedule rate, double momentum) {
    return momentum == 0
        ? chain(scaleByLearningRate(rate))
        : chain(trace(momentum, false), scaleByLearningRate(rate));
  }

  /**
   * Adam with b1 0.9, b2 0.999, eps 1e-8; see {@link Transforms#scaleByAdam}.
   *
   * @source Kingma and Ba, ICLR 2015; {@code optax.adam}
   */
  public static GradientTransform adam(Schedule rate) {
    return adam(rate, 0.9, 0.999, 1e-8);
  }

  /** As {@link #adam(Schedule)}, with other settings. */
  public static GradientTransform adam(Schedule rate, double b1, double b2, double eps) {
    return chain(scaleByAdam(b1, b2, eps), scaleByLearningRate(rate));
  }

  /**
   * Adam with decoupled weight decay: p = p - rate (adam + decay p). Unlike PyTorch's default
   * (0.01) and Optax's (0.0001), the decay has no default. It applies to every parameter, biases
   * too.
   *
   * @source Loshchilov and Hutter, ICLR 2019; {@code optax.adamw}
   */
  public static GradientTransform adamw(Schedule rate, double decay) {
    return chain(
        scaleByAdam(0.9, 0.999, 1e-8), addDecayedWeights(decay), scaleByLearningRate(rate));
  }

  /**
   * The parameters after a step: p + u.
   *
   * @throws IllegalArgumentException if names or types differ
   */
  public static ParamTree applyUpdates(ParamTree params, ParamTree updates) {
    return params.zip(
        updates,
        (p, u) -> {
          Check.shape(
              p.type().equals(u.type()),
              "apply_updates: an update has its parameter's type: %s for %s; check the gradients",
              u.type(),
              p.type());
          return p.add(u);
        });
  }
}
