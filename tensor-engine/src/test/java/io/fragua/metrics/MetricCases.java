package io.fragua.metrics;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntToDoubleFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** One row for each metric and way to use it; {@link MetricTest} checks every property of each. */
final class MetricCases {
  /**
   * A row.
   *
   * @param name also in {@code golden/metrics.json}
   * @param empty makes one of no rows
   * @param values by the names in the golden file
   */
  record Case<M extends Metric<M>>(
      String name, Supplier<M> empty, Map<String, Function<M, double[]>> values) {
    @Override
    public String toString() {
      return name;
    }
  }

  static final List<Case<?>> ALL =
      List.of(
          new Case<>("accuracy", Accuracy::new, value()),
          new Case<>("accuracy of scores", Accuracy::new, value()),
          new Case<>("auc", BinaryAuc::new, value()),
          new Case<>("auc with ties", BinaryAuc::new, value()),
          new Case<>("auc of a rare label", BinaryAuc::new, value()),
          new Case<>("auc of equal scores", BinaryAuc::new, value()),
          new Case<>("log loss", LogLoss::new, logLoss()),
          new Case<>("log loss of certainties", LogLoss::new, logLoss()),
          new Case<>("log loss of classes", LogLoss::new, logLoss()),
          confusion("confusion", 4),
          confusion("confusion with a class never predicted", 4),
          confusion("confusion with a class that is not there", 5),
          new Case<>("top 1", () -> new TopK(1), value()),
          new Case<>("top 2", () -> new TopK(2), value()),
          new Case<>("average precision", AveragePrecision::new, value()),
          new Case<>("average precision with ties", AveragePrecision::new, value()),
          new Case<>("average precision of a rare label", AveragePrecision::new, value()),
          new Case<>("average precision of equal scores", AveragePrecision::new, value()),
          new Case<>("calibration", CalibrationError::new, calibration()),
          new Case<>("calibration of certainties", () -> new CalibrationError(7), calibration()),
          new Case<>("errors", RegressionErrors::new, errors()),
          new Case<>("errors far from 0", RegressionErrors::new, errors()));

  private MetricCases() {}

  private static <M extends Metric<M>> Map<String, Function<M, double[]>> value() {
    Map<String, Function<M, double[]>> m = new LinkedHashMap<>();
    m.put("value", x -> new double[] {x.value()});
    return m;
  }

  private static Map<String, Function<LogLoss, double[]>> logLoss() {
    Map<String, Function<LogLoss, double[]>> m = value();
    m.put("perplexity", x -> new double[] {x.perplexity()});
    return m;
  }

  private static Map<String, Function<CalibrationError, double[]>> calibration() {
    Map<String, Function<CalibrationError, double[]>> m = value();
    m.put("most", x -> new double[] {x.most()});
    m.put("brier", x -> new double[] {x.brier()});
    return m;
  }

  private static Map<String, Function<RegressionErrors, double[]>> errors() {
    Map<String, Function<RegressionErrors, double[]>> m = value();
    m.put("rmse", x -> new double[] {x.rmse()});
    m.put("mae", x -> new double[] {x.mae()});
    m.put("r2", x -> new double[] {x.r2()});
    m.put("mape", x -> new double[] {x.mape()});
    m.put("most", x -> new double[] {x.most()});
    return m;
  }

  private static Case<ConfusionMatrix> confusion(String name, int k) {
    Map<String, Function<ConfusionMatrix, double[]>> m = value();
    m.put("accuracy", x -> new double[] {x.accuracy()});
    m.put("counts", x -> all(k * k, i -> x.count(i / k, i % k)));
    m.put("precision", x -> all(k, x::precision));
    m.put("recall", x -> all(k, x::recall));
    m.put("f1", x -> all(k, x::f1));
    m.put("macro_precision", x -> new double[] {x.macroPrecision()});
    m.put("macro_recall", x -> new double[] {x.macroRecall()});
    m.put("weighted_precision", x -> new double[] {x.weightedPrecision()});
    m.put("weighted_f1", x -> new double[] {x.weightedF1()});
    m.put("micro_f1", x -> new double[] {x.microF1()});
    m.put("balanced_accuracy", x -> new double[] {x.balancedAccuracy()});
    m.put("matthews", x -> new double[] {x.matthews()});
    m.put("kappa", x -> new double[] {x.kappa()});
    return new Case<>(name, () -> new ConfusionMatrix(k), m);
  }

  private static double[] all(int n, IntToDoubleFunction f) {
    return IntStream.range(0, n).mapToDouble(f).toArray();
  }
}
