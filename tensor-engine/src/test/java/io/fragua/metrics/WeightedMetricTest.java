package io.fragua.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.tensor.Tensor;
import io.fragua.testing.Golden;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Rows of weights against scikit-learn's sample_weight, in parts and merged. */
class WeightedMetricTest {
  private static final JsonNode GOLDEN = Golden.json("weighted_metrics.json");

  private static Tensor numbers(String name, int from, int to) {
    double[] v =
        StreamSupport.stream(GOLDEN.get(name).spliterator(), false)
            .mapToDouble(JsonNode::doubleValue)
            .toArray();
    return Tensor.of(v, v.length).slice(0, from, to);
  }

  private static Tensor ids(String name, int from, int to) {
    int[] v = Golden.ints(GOLDEN.get(name));
    return Tensor.of(v, v.length).slice(0, from, to);
  }

  /** All metrics of some rows. */
  private record All(
      Accuracy accuracy,
      BinaryAuc auc,
      LogLoss loss,
      RegressionErrors errors,
      ConfusionMatrix confusion,
      WeightedMean mean) {
    All() {
      this(
          new Accuracy(),
          new BinaryAuc(),
          new LogLoss(),
          new RegressionErrors(),
          new ConfusionMatrix(3),
          new WeightedMean());
    }

    All update(int from, int to) {
      Tensor w = numbers("weights", from, to);
      accuracy.update(ids("guess", from, to), ids("classes", from, to), w);
      auc.update(numbers("scores", from, to), numbers("binary", from, to), w);
      loss.update(numbers("probability", from, to), numbers("binary", from, to), w);
      errors.update(numbers("p", from, to), numbers("y", from, to), w);
      confusion.update(ids("guess", from, to), ids("classes", from, to), w);
      mean.update(numbers("p", from, to), w);
      return this;
    }

    All merge(All o) {
      accuracy.merge(o.accuracy);
      auc.merge(o.auc);
      loss.merge(o.loss);
      errors.merge(o.errors);
      confusion.merge(o.confusion);
      mean.merge(o.mean);
      return this;
    }

    Map<String, Double> values() {
      Map<String, Double> m = new LinkedHashMap<>();
      m.put("accuracy", accuracy.value());
      m.put("auc", auc.value());
      m.put("log loss", loss.value());
      m.put("mse", errors.mse());
      m.put("rmse", errors.rmse());
      m.put("mae", errors.mae());
      m.put("mape", errors.mape());
      m.put("r2", errors.r2());
      m.put("weighted mean", mean.value());
      m.put("confusion accuracy", confusion.accuracy());
      m.put("precision of 1", confusion.precision(1));
      m.put("recall of 1", confusion.recall(1));
      m.put("f1 of 1", confusion.f1(1));
      m.put("macro f1", confusion.macroF1());
      m.put("weighted f1", confusion.weightedF1());
      m.put("balanced accuracy", confusion.balancedAccuracy());
      m.put("matthews", confusion.matthews());
      m.put("kappa", confusion.kappa());
      return m;
    }
  }

  private static void assertGolden(All all) {
    Map<String, Double> given = all.values();
    assertEquals(Golden.members(GOLDEN.get("values")).keySet(), given.keySet());
    given.forEach(
        (name, v) -> assertEquals(GOLDEN.get("values").get(name).doubleValue(), v, 1e-10, name));
  }

  @Test
  void valuesAreScikitLearns() {
    assertGolden(new All().update(0, 120));
    assertGolden(new All().update(0, 1).update(1, 50).update(50, 120));
    assertGolden(new All().update(70, 120).merge(new All().update(0, 70)).merge(new All()));
  }

  /** Parts without weights and parts with them are one data set. */
  @Test
  void weightsOfOneAreNoWeights() {
    Tensor scores = numbers("scores", 0, 60);
    Tensor labels = numbers("binary", 0, 60);
    Tensor ones = scores.mul(0).add(1);
    Tensor twos = ones.mul(2);
    double once = new BinaryAuc().update(scores, labels).value();
    assertEquals(once, new BinaryAuc().update(scores, labels, ones).value(), 0.0);
    assertEquals(once, new BinaryAuc().update(scores, labels, twos).value(), 1e-12);
    BinaryAuc both = new BinaryAuc().update(scores, labels, twos);
    assertEquals(once, new BinaryAuc().update(scores, labels).merge(both).value(), 1e-12);
    assertEquals(once, both.merge(new BinaryAuc().update(scores, labels)).value(), 1e-12);
    ConfusionMatrix m = new ConfusionMatrix(3);
    m.update(ids("guess", 0, 60), ids("classes", 0, 60));
    double f1 = m.macroF1();
    ConfusionMatrix w = new ConfusionMatrix(3);
    w.update(ids("guess", 0, 60), ids("classes", 0, 60), twos);
    assertEquals(f1, w.macroF1(), 1e-12);
    assertEquals(m.count(1, 1), w.count(1, 1));
    assertEquals(2.0 * m.count(1, 1), w.weight(1, 1), 1e-12);
    assertEquals(f1, m.merge(w).macroF1(), 1e-12);
  }

  @Test
  void aMeanOfBatchesCountsTheirRows() {
    assertEquals(2.5, new WeightedMean().update(1, 30).update(4, 30).value(), 0.0);
    assertEquals(1.75, new WeightedMean().update(1, 3).update(4, 1).value(), 0.0);
  }

  @Test
  void wrongWeightsAreExplained() {
    Tensor y = Tensor.of(new double[] {0, 1}, 2);
    Tensor i = Tensor.of(new int[] {0, 1}, 2);
    assertEquals(
        "accuracy: takes weights [B], one a row: f64[2, 1] for 2 rows; reshape them",
        message(() -> new Accuracy().update(i, i, y.reshape(2, 1))));
    assertEquals(
        "log_loss: weights are not negative: -1.0 in row 1; correct them",
        message(() -> new LogLoss().update(y, y, y.neg())));
    assertEquals(
        "accuracy: needs a weight above 0: 2 rows of weight 0; update it with more data",
        message(() -> new Accuracy().update(i, i, y.mul(0)).value()));
    assertEquals(
        "confusion_matrix: needs a weight above 0: 2 rows of weight 0; update it with more data",
        message(() -> new ConfusionMatrix(2).update(i, i, y.mul(0)).accuracy()));
    assertEquals(
        "binary_auc: needs weight of both labels: 0.0 of 0, 1.0 of 1; update it with more data",
        message(() -> new BinaryAuc().update(y, y, y).value()));
    assertEquals(
        "weighted_mean: a value is finite, a weight finite and not negative: NaN, 1.0; look for a"
            + " diverged training",
        message(() -> new WeightedMean().update(Double.NaN, 1)));
  }

  private static String message(Executable e) {
    return assertThrows(IllegalArgumentException.class, e).getMessage();
  }
}
