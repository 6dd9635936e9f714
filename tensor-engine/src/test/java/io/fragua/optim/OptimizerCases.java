package io.fragua.optim;

import static io.fragua.optim.Optimizers.adafactor;
import static io.fragua.optim.Optimizers.adagrad;
import static io.fragua.optim.Optimizers.adam;
import static io.fragua.optim.Optimizers.adamw;
import static io.fragua.optim.Optimizers.lamb;
import static io.fragua.optim.Optimizers.lion;
import static io.fragua.optim.Optimizers.rmsprop;
import static io.fragua.optim.Optimizers.sgd;
import static io.fragua.optim.Schedules.constant;
import static io.fragua.optim.Schedules.cosineDecay;
import static io.fragua.optim.Schedules.linear;
import static io.fragua.optim.Transforms.addDecayedWeights;
import static io.fragua.optim.Transforms.chain;
import static io.fragua.optim.Transforms.clipByGlobalNorm;
import static io.fragua.optim.Transforms.clipByValue;
import static io.fragua.optim.Transforms.scale;
import static io.fragua.optim.Transforms.scaleByAdam;
import static io.fragua.optim.Transforms.scaleByLearningRate;
import static io.fragua.optim.Transforms.scaleByRss;
import static io.fragua.optim.Wrappers.masked;
import static io.fragua.optim.Wrappers.multiSteps;
import static io.fragua.optim.Wrappers.paramsEma;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

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
  private static final Predicate<String> NO_BIAS = name -> !name.equals("b");

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
              sgd(TENTH, 0.9, true),
              "chain(trace(0.9, true), scaleByLearningRate(0.1))",
              sgd(constant(0.03), 0.9, true),
              sgd(constant(3e-4), 0.9, true)),
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
          new Case("scale", scale(-0.25), "scale(-0.25)", scale(-0.25), scale(-1e-3)),
          new Case(
              "rmsprop",
              rmsprop(TENTH),
              "chain(scaleByRms(0.9, 1.0E-8), scaleByLearningRate(0.1))",
              rmsprop(linear(0.1, 1e-4, 1000)),
              rmsprop(linear(0.01, 1e-6, 20000))),
          new Case(
              "rmsprop momentum",
              rmsprop(constant(0.05), 0.8, 1e-4, 0.7),
              "chain(scaleByRms(0.8, 1.0E-4), scaleByLearningRate(0.05), trace(0.7, false))",
              rmsprop(linear(0.05, 1e-4, 1000), 0.8, 1e-4, 0.7),
              rmsprop(linear(0.003, 1e-6, 20000), 0.8, 1e-4, 0.7)),
          new Case(
              "adagrad",
              adagrad(TENTH),
              "chain(scaleByRss(0.1, 1.0E-7), scaleByLearningRate(0.1))",
              adagrad(constant(1)),
              adagrad(constant(0.5))),
          new Case(
              "adagrad from 0",
              chain(scaleByRss(0, 1e-3), scale(-0.1)),
              "chain(scaleByRss(0.0, 0.001), scale(-0.1))",
              chain(scaleByRss(0, 1e-3), scale(-1)),
              chain(scaleByRss(0, 1e-3), scale(-0.5))),
          new Case(
              "lion",
              lion(constant(0.02), 1e-3),
              "chain(scaleByLion(0.9, 0.99), addDecayedWeights(0.001), scaleByLearningRate(0.02))",
              lion(linear(0.02, 1e-5, 1000), 1e-4),
              lion(linear(0.003, 1e-6, 20000), 0)),
          new Case(
              "lamb",
              lamb(TENTH, 0.05),
              "chain(scaleByAdam(0.9, 0.999, 1.0E-6), addDecayedWeights(0.05), scaleByTrustRatio(),"
                  + " scaleByLearningRate(0.1))",
              lamb(linear(0.1, 1e-5, 1000), 0),
              lamb(linear(0.01, 1e-6, 20000), 0)),
          new Case(
              "adafactor",
              adafactor(TENTH),
              "chain(scaleByFactoredRms(128, 0.8, 1.0E-30), clipByBlockRms(1.0),"
                  + " scaleByLearningRate(0.1), scaleByParamBlockRms(0.001))",
              adafactor(linear(0.1, 1e-5, 1000)),
              adafactor(linear(0.01, 1e-6, 20000))),
          new Case(
              "adafactor factored",
              adafactor(TENTH, 2),
              "chain(scaleByFactoredRms(2, 0.8, 1.0E-30), clipByBlockRms(1.0),"
                  + " scaleByLearningRate(0.1), scaleByParamBlockRms(0.001))",
              adafactor(linear(0.1, 1e-5, 1000), 2),
              adafactor(linear(0.01, 1e-6, 20000), 2)),
          new Case(
              "adamw masked",
              chain(
                  scaleByAdam(0.9, 0.999, 1e-8),
                  masked(addDecayedWeights(0.05), NO_BIAS),
                  scaleByLearningRate(TENTH)),
              "chain(scaleByAdam(0.9, 0.999, 1.0E-8), masked(addDecayedWeights(0.05)),"
                  + " scaleByLearningRate(0.1))",
              masked(adam(TENTH), NO_BIAS),
              masked(adam(constant(0.01)), NO_BIAS)),
          new Case(
              "multi steps",
              multiSteps(adam(TENTH), 2),
              "multiSteps(chain(scaleByAdam(0.9, 0.999, 1.0E-8), scaleByLearningRate(0.1)), 2)",
              multiSteps(adam(TENTH), 2),
              multiSteps(adam(constant(0.02)), 2)),
          new Case(
              "params ema",
              chain(sgd(TENTH, 0), paramsEma(0.8)),
              "chain(chain(scaleByLearningRate(0.1)), paramsEma(0.8))",
              chain(sgd(TENTH, 0), paramsEma(0.8)),
              chain(sgd(constant(1e-3), 0), paramsEma(0.8))),
          new Case(
              "nadam",
              Optimizers.nadam(TENTH),
              "chain(scaleByNadam(0.9, 0.999, 1.0E-8), scaleByLearningRate(0.1))",
              Optimizers.nadam(TENTH),
              Optimizers.nadam(constant(0.01))),
          new Case(
              "radam",
              Optimizers.radam(TENTH),
              "chain(scaleByRadam(0.9, 0.999, 1.0E-8), scaleByLearningRate(0.1))",
              Optimizers.radam(TENTH),
              Optimizers.radam(constant(0.01))),
          new Case(
              "radam settings",
              chain(Moments.scaleByRadam(0.8, 0.8, 1e-4), scaleByLearningRate(TENTH)),
              "chain(scaleByRadam(0.8, 0.8, 1.0E-4), scaleByLearningRate(0.1))",
              chain(
                  Moments.scaleByRadam(0.8, 0.8, 1e-4),
                  scaleByLearningRate(linear(0.1, 1e-4, 1000))),
              chain(Moments.scaleByRadam(0.9, 0.9, 1e-8), scaleByLearningRate(constant(0.01)))),
          new Case(
              "radam early",
              chain(Moments.scaleByRadam(0.8, 0.95, 1e-4), scaleByLearningRate(TENTH)),
              "chain(scaleByRadam(0.8, 0.95, 1.0E-4), scaleByLearningRate(0.1))",
              chain(
                  Moments.scaleByRadam(0.8, 0.95, 1e-4),
                  scaleByLearningRate(linear(0.1, 1e-4, 1000))),
              chain(Moments.scaleByRadam(0.9, 0.95, 1e-8), scaleByLearningRate(constant(0.01)))),
          new Case(
              "amsgrad",
              Optimizers.amsgrad(TENTH),
              "chain(scaleByAmsgrad(0.9, 0.999, 1.0E-8), scaleByLearningRate(0.1))",
              Optimizers.amsgrad(TENTH),
              Optimizers.amsgrad(constant(0.01))),
          new Case(
              "adamax",
              Optimizers.adamax(TENTH),
              "chain(scaleByAdamax(0.9, 0.999, 1.0E-8), scaleByLearningRate(0.1))",
              Optimizers.adamax(TENTH),
              Optimizers.adamax(constant(0.01))),
          new Case(
              "adadelta",
              Optimizers.adadelta(constant(1)),
              "chain(scaleByAdadelta(0.9, 1.0E-6), scaleByLearningRate(1.0))",
              Optimizers.adadelta(constant(1)),
              Optimizers.adadelta(linear(1, 1e-3, 20000))),
          new Case(
              "lars",
              Optimizers.lars(constant(1), 0.05),
              "chain(addDecayedWeights(0.05), scaleByTrustRatio(0.001), scaleByLearningRate(1.0),"
                  + " trace(0.9, false))",
              Optimizers.lars(linear(5, 5e-3, 1000), 0),
              Optimizers.lars(linear(1, 1e-3, 20000), 0)),
          new Case(
              "muon",
              Optimizers.muon(TENTH, 0.05),
              "muon(chain(scaleByMuon(0.95, 5), addDecayedWeights(0.05), scaleByLearningRate(0.1)),"
                  + " chain(scaleByNadam(0.9, 0.999, 1.0E-8), scaleByLearningRate(0.1)))",
              Optimizers.muon(TENTH, 0),
              Optimizers.muon(constant(0.01), 0)),
          new Case(
              "clip layer norm",
              chain(Clipping.clipByLayerNorm(1), sgd(TENTH, 0)),
              "chain(clipByLayerNorm(1.0), chain(scaleByLearningRate(0.1)))",
              chain(Clipping.clipByLayerNorm(1), sgd(TENTH, 0)),
              chain(Clipping.clipByLayerNorm(10), sgd(constant(1e-3), 0))),
          new Case(
              "adaptive clip",
              chain(Clipping.adaptiveGradClip(0.5, 1e-3), sgd(TENTH, 0)),
              "chain(adaptiveGradClip(0.5, 0.001), chain(scaleByLearningRate(0.1)))",
              chain(Clipping.adaptiveGradClip(0.5, 1e-3), sgd(TENTH, 0)),
              chain(Clipping.adaptiveGradClip(1, 1e-3), sgd(constant(2e-3), 0))),
          new Case(
              "lookahead",
              Wrappers.lookahead(sgd(TENTH, 0.9), 2, 0.4),
              "lookahead(chain(trace(0.9, false), scaleByLearningRate(0.1)), 2, 0.4)",
              Wrappers.lookahead(sgd(constant(0.03), 0.9), 5, 0.5),
              Wrappers.lookahead(sgd(constant(3e-4), 0.9), 5, 0.5)),
          new Case(
              "adamw settings",
              adamw(TENTH, 0.8, 0.95, 1e-3, 0.05, NO_BIAS),
              "chain(scaleByAdam(0.8, 0.95, 0.001), masked(addDecayedWeights(0.05)),"
                  + " scaleByLearningRate(0.1))",
              adamw(linear(0.1, 1e-4, 1000), 0.8, 0.95, 1e-3, 1e-4, null),
              adamw(constant(0.01), 0.8, 0.95, 1e-3, 1e-6, null)),
          new Case(
              "lion settings",
              lion(constant(0.02), 0.8, 0.95, 1e-2, NO_BIAS),
              "chain(scaleByLion(0.8, 0.95), masked(addDecayedWeights(0.01)),"
                  + " scaleByLearningRate(0.02))",
              lion(linear(0.02, 1e-5, 1000), 0.8, 0.95, 1e-4, null),
              lion(linear(0.003, 1e-6, 20000), 0.8, 0.95, 0, null)),
          new Case(
              "lamb settings",
              lamb(TENTH, 0.8, 0.95, 1e-3, 0.05, NO_BIAS),
              "chain(scaleByAdam(0.8, 0.95, 0.001), masked(addDecayedWeights(0.05)),"
                  + " scaleByTrustRatio(), scaleByLearningRate(0.1))",
              lamb(linear(0.1, 1e-5, 1000), 0.8, 0.95, 1e-3, 0, null),
              lamb(linear(0.01, 1e-6, 20000), 0.8, 0.95, 1e-3, 0, null)),
          new Case(
              "adabelief",
              Optimizers.adabelief(TENTH),
              "chain(scaleByBelief(0.9, 0.999, 1.0E-16, 1.0E-16), scaleByLearningRate(0.1))",
              Optimizers.adabelief(constant(0.05)),
              Optimizers.adabelief(constant(0.01))),
          new Case(
              "adabelief settings",
              Optimizers.adabelief(TENTH, 0.8, 0.95, 1e-3, 1e-4),
              "chain(scaleByBelief(0.8, 0.95, 0.001, 1.0E-4), scaleByLearningRate(0.1))",
              Optimizers.adabelief(TENTH, 0.8, 0.95, 1e-3, 1e-4),
              Optimizers.adabelief(constant(0.01), 0.8, 0.95, 1e-3, 1e-4)),
          new Case(
              "nadam settings",
              Optimizers.nadam(TENTH, 0.8, 0.95, 1e-3),
              "chain(scaleByNadam(0.8, 0.95, 0.001), scaleByLearningRate(0.1))",
              Optimizers.nadam(TENTH, 0.8, 0.95, 1e-3),
              Optimizers.nadam(constant(0.01), 0.8, 0.95, 1e-3)),
          new Case(
              "rmsprop centred",
              rmsprop(constant(0.05), 0.8, 1e-4, 0, true),
              "chain(scaleByStddev(0.8, 1.0E-4), scaleByLearningRate(0.05))",
              rmsprop(linear(0.01, 1e-5, 1000), 0.8, 1e-2, 0, true),
              rmsprop(linear(0.001, 1e-6, 20000), 0.8, 1e-2, 0, true)),
          new Case(
              "rmsprop centred momentum",
              rmsprop(constant(0.05), 0.8, 1e-4, 0.7, true),
              "chain(scaleByStddev(0.8, 1.0E-4), scaleByLearningRate(0.05), trace(0.7, false))",
              rmsprop(linear(0.005, 1e-5, 1000), 0.8, 1e-2, 0.7, true),
              rmsprop(linear(3e-4, 1e-6, 20000), 0.8, 1e-2, 0.7, true)),
          new Case(
              "stored rate",
              chain(scaleByAdam(0.9, 0.999, 1e-8), Wrappers.scaleByStoredRate(0.05)),
              "chain(scaleByAdam(0.9, 0.999, 1.0E-8), scaleByStoredRate(0.05))",
              chain(scaleByAdam(0.9, 0.999, 1e-8), Wrappers.scaleByStoredRate(0.1)),
              chain(scaleByAdam(0.9, 0.999, 1e-8), Wrappers.scaleByStoredRate(0.01))),
          new Case(
              "adam root",
              adam(TENTH, 0.8, 0.95, 1e-3, 1e-2),
              "chain(scaleByAdam(0.8, 0.95, 0.001, 0.01), scaleByLearningRate(0.1))",
              adam(TENTH, 0.8, 0.95, 1e-3, 1e-2),
              adam(constant(0.01), 0.8, 0.95, 1e-3, 1e-2)),
          new Case(
              "adagrad settings",
              adagrad(TENTH, 0.5, 1e-3),
              "chain(scaleByRss(0.5, 0.001), scaleByLearningRate(0.1))",
              adagrad(constant(1), 0.5, 1e-3),
              adagrad(constant(0.5), 0.5, 1e-3)),
          new Case(
              "adadelta settings",
              Optimizers.adadelta(constant(1), 0.8, 1e-3),
              "chain(scaleByAdadelta(0.8, 0.001), scaleByLearningRate(1.0))",
              Optimizers.adadelta(constant(1), 0.8, 1e-3),
              Optimizers.adadelta(linear(1, 1e-3, 20000), 0.8, 1e-6)),
          new Case(
              "lars settings",
              Optimizers.lars(constant(1), 0.05, 0.01, 1e-2, 0.8, true, NO_BIAS),
              "chain(masked(addDecayedWeights(0.05)), masked(scaleByTrustRatio(0.01, 0.01)),"
                  + " scaleByLearningRate(1.0), trace(0.8, true))",
              Optimizers.lars(linear(0.5, 5e-4, 1000), 0, 0.01, 1e-2, 0.8, true, null),
              Optimizers.lars(linear(0.1, 1e-4, 20000), 0, 0.01, 1e-2, 0.8, true, null)),
          new Case(
              "adafactor settings",
              adafactor(TENTH, 2, 0.7, 1e-6, 0.5, false, 0.8, 0.01),
              "chain(scaleByFactoredRms(2, 0.7, 1.0E-6), clipByBlockRms(0.5),"
                  + " scaleByLearningRate(0.1), ema(0.8), addDecayedWeights(-0.01))",
              adafactor(linear(0.1, 1e-5, 1000), 2, 0.7, 1e-6, 0.5, false, 0.8, 0),
              adafactor(linear(0.01, 1e-6, 20000), 2, 0.7, 1e-6, 0.5, false, 0.8, 0)),
          new Case(
              "muon settings",
              Optimizers.muon(TENTH, 0.05, 0.8, 3, false, n -> true),
              "muon(chain(scaleByMuon(0.8, 3, false), addDecayedWeights(0.05),"
                  + " scaleByLearningRate(0.1)), chain(scaleByAdam(0.9, 0.999, 1.0E-8),"
                  + " scaleByLearningRate(0.1)))",
              Optimizers.muon(TENTH, 0, 0.8, 3, false, n -> true),
              Optimizers.muon(constant(0.01), 0, 0.8, 3, false, n -> true)),
          new Case(
              "partition",
              Wrappers.partition(
                  Map.of("slow", sgd(constant(0.01), 0), "fast", adam(TENTH)),
                  n -> n.equals("b") ? "slow" : "fast"),
              "partition({fast=chain(scaleByAdam(0.9, 0.999, 1.0E-8), scaleByLearningRate(0.1)),"
                  + " slow=chain(scaleByLearningRate(0.01))})",
              Wrappers.partition(Map.of("fast", adam(TENTH), "none", scale(0)), n -> "fast"),
              Wrappers.partition(Map.of("fast", adam(constant(0.01))), n -> "fast")),
          new Case(
              "apply if finite",
              Wrappers.applyIfFinite(adam(TENTH), 2),
              "applyIfFinite(chain(scaleByAdam(0.9, 0.999, 1.0E-8), scaleByLearningRate(0.1)), 2)",
              Wrappers.applyIfFinite(adam(TENTH), 2),
              Wrappers.applyIfFinite(adam(constant(0.01)), 2)));

  private OptimizerCases() {}
}
