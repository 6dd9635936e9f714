package io.fragua.optim;

import static io.fragua.optim.Optimizers.adam;
import static io.fragua.optim.Optimizers.adamw;
import static io.fragua.optim.Optimizers.sgd;
import static io.fragua.optim.Schedules.constant;
import static io.fragua.optim.Schedules.cosineDecay;
import static io.fragua.optim.Transforms.addDecayedWeights;
import static io.fragua.optim.Transforms.chain;
import static io.fragua.optim.Transforms.clipByGlobalNorm;
import static io.fragua.optim.Transforms.clipByValue;
import static io.fragua.optim.Transforms.scale;
import static io.fragua.optim.Transforms.scaleByLearningRate;
import static io.fragua.optim.Transforms.trace;

import java.util.List;

/** One row for each optimizer and setting; {@link OptimizerTest} checks every property of each. */
final class OptimizerCases {
  /**
   * A row.
   *
   * @param name also in {@code golden/optim.json}
   * @param transform as there
   * @param text what it prints
   * @param parabola the same optimizer with a rate that suits a parabola
   * @param rosenbrock and Rosenbrock's function
   */
  record Case(
      String name,
      GradientTransform transform,
      String text,
      GradientTransform parabola,
      GradientTransform rosenbrock) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final Schedule TENTH = constant(0.1);

  static final List<Case> ALL =
      List.of(
          new Case(
              "sgd",
              sgd(TENTH, 0),
              "chain(scaleByLearningRate(0.1))",
              sgd(TENTH, 0),
              sgd(constant(1e-3), 0)),
          new Case(
              "sgd momentum",
              sgd(TENTH, 0.9),
              "chain(trace(0.9, false), scaleByLearningRate(0.1))",
              sgd(constant(0.03), 0.9),
              sgd(constant(3e-4), 0.9)),
          new Case(
              "sgd nesterov",
              chain(trace(0.9, true), scaleByLearningRate(TENTH)),
              "chain(trace(0.9, true), scaleByLearningRate(0.1))",
              chain(trace(0.9, true), scaleByLearningRate(constant(0.03))),
              chain(trace(0.9, true), scaleByLearningRate(constant(3e-4)))),
          new Case(
              "adam",
              adam(TENTH),
              "chain(scaleByAdam(0.9, 0.999, 1.0E-8), scaleByLearningRate(0.1))",
              adam(TENTH),
              adam(constant(0.01))),
          new Case(
              "adam settings",
              adam(constant(0.05), 0.8, 0.95, 1e-3),
              "chain(scaleByAdam(0.8, 0.95, 0.001), scaleByLearningRate(0.05))",
              adam(constant(0.05), 0.8, 0.95, 1e-3),
              adam(constant(0.01), 0.8, 0.95, 1e-3)),
          new Case(
              "adam cosine",
              adam(cosineDecay(0.1, 2, 5, 0.01)),
              "chain(scaleByAdam(0.9, 0.999, 1.0E-8), scaleByLearningRate(cosineDecay(0.1, 2, 5,"
                  + " 0.01)))",
              adam(cosineDecay(0.1, 10, 1000, 0.001)),
              adam(cosineDecay(0.02, 10, 10000, 0.001))),
          new Case(
              "adamw",
              adamw(TENTH, 0.05),
              "chain(scaleByAdam(0.9, 0.999, 1.0E-8), addDecayedWeights(0.05),"
                  + " scaleByLearningRate(0.1))",
              adamw(TENTH, 1e-4),
              adamw(constant(0.01), 1e-6)),
          new Case(
              "l2 sgd",
              chain(addDecayedWeights(0.1), sgd(TENTH, 0)),
              "chain(addDecayedWeights(0.1), chain(scaleByLearningRate(0.1)))",
              chain(addDecayedWeights(1e-4), sgd(TENTH, 0)),
              chain(addDecayedWeights(1e-6), sgd(constant(1e-3), 0))),
          new Case(
              "clip norm",
              chain(clipByGlobalNorm(1), sgd(TENTH, 0)),
              "chain(clipByGlobalNorm(1.0), chain(scaleByLearningRate(0.1)))",
              chain(clipByGlobalNorm(1), sgd(TENTH, 0)),
              chain(clipByGlobalNorm(10), sgd(constant(1e-3), 0))),
          new Case(
              "clip value",
              chain(clipByValue(0.5), sgd(TENTH, 0)),
              "chain(clipByValue(0.5), chain(scaleByLearningRate(0.1)))",
              chain(clipByValue(0.5), sgd(TENTH, 0)),
              chain(clipByValue(10), sgd(constant(1e-3), 0))),
          new Case("scale", scale(-0.25), "scale(-0.25)", scale(-0.25), scale(-1e-3)));

  private OptimizerCases() {}
}
