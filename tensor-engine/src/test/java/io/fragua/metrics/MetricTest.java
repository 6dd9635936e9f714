package io.fragua.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.testing.Golden;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every property of every row of {@link MetricCases}. */
class MetricTest {
  private static final JsonNode GOLDEN = Golden.json("metrics.json");
  private static final double CLOSE = 1e-12;

  static Stream<MetricCases.Case<?>> cases() {
    return MetricCases.ALL.stream();
  }

  private static double[] doubles(JsonNode n) {
    return StreamSupport.stream(n.spliterator(), false)
        .mapToDouble(JsonNode::doubleValue)
        .toArray();
  }

  private static Tensor tensor(String name, String which) {
    JsonNode n = GOLDEN.get(name).get(which);
    int[] shape = Golden.ints(n.get("shape"));
    return n.get("whole").booleanValue()
        ? Tensor.of(Golden.ints(n.get("values")), shape)
        : Tensor.of(doubles(n.get("values")), shape);
  }

  private static <M extends Metric<M>> M part(MetricCases.Case<M> c, int from, int to) {
    return c.empty()
        .get()
        .update(
            tensor(c.name(), "predictions").slice(0, from, to),
            tensor(c.name(), "labels").slice(0, from, to));
  }

  private static <M extends Metric<M>> void assertGolden(MetricCases.Case<M> c, M m) {
    JsonNode values = GOLDEN.get(c.name()).get("values");
    assertEquals(Golden.members(values).keySet(), c.values().keySet());
    c.values()
        .forEach(
            (name, f) -> {
              double[] expected = doubles(values.get(name));
              double[] given = f.apply(m);
              assertEquals(expected.length, given.length, name);
              for (int i = 0; i < expected.length; i++) {
                double close = CLOSE * Math.max(1, Math.abs(expected[i]));
                assertEquals(expected[i], given[i], close, name + " " + i);
              }
            });
  }

  @Test
  void everyGoldenCaseIsCompared() {
    assertEquals(
        Golden.members(GOLDEN).keySet(),
        cases().map(MetricCases.Case::name).collect(Collectors.toSet()));
  }

  @ParameterizedTest
  @MethodSource("cases")
  <M extends Metric<M>> void valuesAreScikitLearns(MetricCases.Case<M> c) {
    assertGolden(c, part(c, 0, 200));
  }

  @ParameterizedTest
  @MethodSource("cases")
  <M extends Metric<M>> void batchesAndMergedPartsAreTheWhole(MetricCases.Case<M> c)
      throws IOException, ClassNotFoundException {
    int[] cuts = {0, 1, 1, 60, 130, 199, 200, 200};
    M batches = c.empty().get();
    List<M> parts = new ArrayList<>();
    for (int i = 1; i < cuts.length; i++) {
      batches.update(
          tensor(c.name(), "predictions").slice(0, cuts[i - 1], cuts[i]),
          tensor(c.name(), "labels").slice(0, cuts[i - 1], cuts[i]));
      parts.add(sent(part(c, cuts[i - 1], cuts[i])));
    }
    assertGolden(c, batches);
    assertGolden(c, merged(c, parts));
    Collections.reverse(parts);
    assertGolden(c, merged(c, parts));
    M left = merged(c, parts.subList(0, 3));
    assertGolden(c, left.merge(merged(c, parts.subList(3, parts.size()))));
  }

  private static <M extends Metric<M>> M merged(MetricCases.Case<M> c, List<M> parts) {
    M all = c.empty().get();
    parts.forEach(all::merge);
    return all;
  }

  /** Written and read again, as from another machine. */
  @SuppressWarnings("unchecked")
  private static <M> M sent(M m) throws IOException, ClassNotFoundException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(m);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      return (M) in.readObject();
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  <M extends Metric<M>> void noRowsHaveNoValueAndWrongRowsLeaveNoTrace(MetricCases.Case<M> c) {
    for (M m : List.of(c.empty().get(), part(c, 7, 7))) {
      c.values()
          .forEach(
              (name, f) -> {
                if (!name.equals("counts")) {
                  String text = message(() -> f.apply(m));
                  assertTrue(text.contains(": needs "), text);
                }
              });
    }
    M whole = part(c, 0, 200);
    Tensor nan = Tensor.of(new double[] {0.5, Double.NaN}, 2);
    message(() -> whole.update(nan, Tensor.of(new double[] {0, 1}, 2)));
    message(() -> whole.update(Tensor.of(new int[] {0, 0}, 2), Tensor.of(new int[] {0, 99}, 1, 2)));
    Tensor infinite = Tensor.of(new double[] {0, Double.POSITIVE_INFINITY}, 2);
    message(() -> whole.update(Tensor.of(new int[] {0, 0}, 2), infinite));
    assertGolden(c, whole);
  }

  @Test
  void aCertaintyThatIsWrongIsBoundedByItsType() {
    Tensor one = Tensor.of(new float[] {1}, 1);
    double loss = new LogLoss().update(Tensor.of(new float[] {0}, 1), one).value();
    assertEquals(23 * Math.log(2), loss, CLOSE);
    Tensor zero = Tensor.of(new float[] {0}, 1);
    assertEquals(10 * Math.log(2), new LogLoss().update(zero.cast(DType.F16), one).value(), CLOSE);
    assertEquals(7 * Math.log(2), new LogLoss().update(zero.cast(DType.BF16), one).value(), CLOSE);
  }

  /** As in scikit-learn's calibration_curve: 0.5 is in the lower of two bins. */
  @Test
  void anEdgeIsInTheBinBelow() {
    Tensor p = Tensor.of(new double[] {0.5, 0.9}, 2);
    Tensor y = Tensor.of(new double[] {1, 0}, 2);
    assertEquals(0.7, new CalibrationError(2).update(p, y).value(), CLOSE);
  }

  @Test
  void mergingIntoNothingKeepsTheMeanToTheBit() {
    Tensor same = Tensor.of(new double[] {0.1, 0.1, 0.1}, 3);
    RegressionErrors all = new RegressionErrors();
    for (int i = 0; i < 3; i++) {
      all.merge(new RegressionErrors().update(same.mul(2), same));
    }
    assertTrue(
        message(() -> all.r2()).startsWith("regression_errors: r2 needs labels that differ"));
  }

  @Test
  void zerosOfBothSignsAreOneScore() {
    Tensor scores = Tensor.of(new float[] {-0.0f, 0.0f}, 2);
    assertEquals(
        0.5, new BinaryAuc().update(scores, Tensor.of(new float[] {0, 1}, 2)).value(), 0.0);
  }

  @Test
  void mergingLeavesTheOtherAndMayBeWithItself() {
    Tensor p = Tensor.of(new double[] {1, 2, 4}, 3);
    Tensor y = Tensor.of(new double[] {1, 3, 2}, 3);
    RegressionErrors a = new RegressionErrors().update(p, y);
    double[] before = {a.mse(), a.mae(), a.r2()};
    new RegressionErrors().update(p, p).merge(a);
    assertArrayEquals(before, new double[] {a.mse(), a.mae(), a.r2()}, 0.0);
    a.merge(a);
    assertArrayEquals(before, new double[] {a.mse(), a.mae(), a.r2()}, CLOSE);
  }

  @Test
  void ofEqualScoresTheSmallerClassIsHigher() {
    Tensor scores = Tensor.of(new float[] {1, 1, 1, 0}, 1, 4);
    int[] right = {2, 2, 3, 9};
    for (int label = 0; label < 4; label++) {
      Tensor l = Tensor.of(new int[] {label}, 1);
      assertEquals(label < 2 ? 1 : 0, new TopK(2).update(scores, l).value(), 0.0);
      assertEquals(right[label] < 9 ? 1 : 0, new TopK(3).update(scores, l).value(), 0.0);
    }
  }

  @Test
  void correlationsOfOneClassAreDefinedOrRefused() {
    Tensor same = Tensor.of(new int[] {1, 1, 1}, 3);
    ConfusionMatrix one = new ConfusionMatrix(2).update(same, same);
    assertEquals(0, one.matthews(), 0.0);
    assertEquals(
        "confusion_matrix: kappa needs more than one class: 3 rows of one; use accuracy",
        message(one::kappa));
    assertEquals(1, one.balancedAccuracy(), 0.0);
  }

  @Test
  void wrongUseIsExplained() {
    Tensor v = Tensor.of(new double[] {0.5, Double.NaN}, 2);
    Tensor ok = Tensor.of(new double[] {0, 1}, 2);
    Tensor ids = Tensor.of(new int[] {0, 3}, 2);
    assertEquals(
        "regression_errors: predictions are finite: NaN in row 1; look for missing values or a"
            + " diverged training",
        message(() -> new RegressionErrors().update(v, ok)));
    assertEquals(
        "binary_auc: labels are 0 or 1: 3.0 in row 1; correct them",
        message(() -> new BinaryAuc().update(ok, ids)));
    assertEquals(
        "binary_auc: needs rows of both labels: 2 of 0, 0 of 1; update it with more data",
        message(() -> new BinaryAuc().update(ok, ok.mul(0)).value()));
    assertEquals(
        "log_loss: probabilities lie in [0, 1]: 3.0; apply logistic or softmax first",
        message(() -> new LogLoss().update(ok.mul(3), ok)));
    assertEquals(
        "confusion_matrix: labels lie in [0, 3): 3 in row 1; correct them or the number of classes",
        message(() -> new ConfusionMatrix(3).update(Tensor.of(new int[2], 2), ids)));
    assertEquals(
        "confusion_matrix: merges with as many classes: 3 and 2; make them alike",
        message(() -> new ConfusionMatrix(3).merge(new ConfusionMatrix(2))));
    assertEquals(
        "confusion_matrix: takes 1 to 4096 classes: 5000; count accuracy alone",
        message(() -> new ConfusionMatrix(5000)));
    assertEquals(
        "accuracy: takes as many predictions as labels: i32[2] with i32[1]; correct one of them",
        message(() -> new Accuracy().update(ids, ids.slice(0, 0, 1))));
    assertEquals(
        "top_k: merges with the same k: 1 and 2; make them alike",
        message(() -> new TopK(1).merge(new TopK(2))));
    assertEquals(
        "calibration_error: probabilities lie in [0, 1]: 3.0; apply logistic or softmax first",
        message(() -> new CalibrationError().update(ok.mul(3), ok)));
    assertEquals(
        "calibration_error: merges with as many bins: 3 and 10; make them alike",
        message(() -> new CalibrationError(3).merge(new CalibrationError())));
    assertEquals(
        "average_precision: needs rows of label 1: 2 of 0, none of 1; update it with more data",
        message(() -> new AveragePrecision().update(ok, ok.mul(0)).value()));
    assertEquals(
        "accuracy: needs at least one row: 0; update it before asking",
        message(() -> new Accuracy().value()));
    assertEquals(
        "regression_errors: r2 needs labels that differ: 2 rows with mean 1.0; use mse",
        message(() -> new RegressionErrors().update(ok, ok.mul(0).add(1)).r2()));
  }

  private static String message(Executable e) {
    return assertThrows(IllegalArgumentException.class, e).getMessage();
  }
}
