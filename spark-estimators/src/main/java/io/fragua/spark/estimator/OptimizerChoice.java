package io.fragua.spark.estimator;

import io.fragua.optim.GradientTransform;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedule;
import io.fragua.optim.Schedules;
import io.fragua.optim.Transforms;
import io.fragua.spark.param.OptimizerParams;
import java.util.ArrayList;
import java.util.List;

/** The optimizer that parameters describe. */
final class OptimizerChoice {
  private OptimizerChoice() {}

  /**
   * Clipping first, then (unless adamw) weight decay as part of the gradient, then the optimizer.
   *
   * @param totalSteps of the training, for a schedule that ends
   */
  static GradientTransform of(OptimizerParams p, long totalSteps) {
    int steps = (int) Math.max(1, Math.min(Integer.MAX_VALUE, totalSteps));
    Schedule rate =
        p.getLearningRateSchedule().equals("cosine")
            ? Schedules.cosineDecay(p.getLearningRate(), 0, steps, 0)
            : Schedules.constant(p.getLearningRate());
    List<GradientTransform> chain = new ArrayList<>();
    if (p.getClipNorm() > 0) {
      chain.add(Transforms.clipByGlobalNorm(p.getClipNorm()));
    }
    double decay = p.getWeightDecay();
    if (decay > 0 && !p.getOptimizer().equals("adamw")) {
      chain.add(Transforms.addDecayedWeights(decay));
    }
    chain.add(
        switch (p.getOptimizer()) {
          case "sgd" -> Optimizers.sgd(rate, p.getMomentum());
          case "adamw" -> Optimizers.adamw(rate, decay);
          default -> Optimizers.adam(rate);
        });
    return chain.size() == 1
        ? chain.get(0)
        : Transforms.chain(chain.toArray(GradientTransform[]::new));
  }
}
