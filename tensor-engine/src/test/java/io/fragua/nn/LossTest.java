package io.fragua.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.exec.Backends;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Golden;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jacobian;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every property of every row of {@link LossCases}. */
class LossTest {
  private static final JsonNode GOLDEN = Golden.json("losses.json");

  /** A few roundings, in units of the value or of 1 where it is smaller. */
  private static final Tolerance CLOSE = new Tolerance(16, 8);

  static Stream<LossCases.Case> cases() {
    return LossCases.ALL.stream();
  }

  private static Tensor tensor(JsonNode n) {
    int[] shape = Golden.ints(n.get("shape"));
    return n.get("whole").booleanValue()
        ? Tensor.of(Golden.ints(n.get("values")), shape)
        : Golden.floats(n.get("values"), shape);
  }

  private static List<Tensor> operands(LossCases.Case c) {
    List<Tensor> out = new ArrayList<>();
    GOLDEN.get(c.name()).get("operands").forEach(n -> out.add(tensor(n)));
    return out;
  }

  @Test
  void everyGoldenCaseIsCompared() {
    assertEquals(
        Golden.members(GOLDEN).keySet(),
        Stream.concat(Stream.of("info nce"), cases().map(LossCases.Case::name))
            .collect(Collectors.toSet()));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void valuesAndSlopesAreOptaxsOrPyTorchs(LossCases.Case c) {
    Fn both =
        a -> {
          Tensor y = c.loss().apply(a).get(0);
          return List.of(y.sum(), y);
        };
    List<Tensor> in = operands(c);
    List<TensorType> types = in.stream().map(Tensor::type).toList();
    for (var backend : List.of(Backends.reference(), Backends.cpu())) {
      List<Tensor> r = Runs.on(backend, Jit.graph(Grad.valueAndGrad(both, 0), types), in);
      Tensor value = tensor(GOLDEN.get(c.name()).get("value"));
      Tensor slope = tensor(GOLDEN.get(c.name()).get("grad"));
      assertNull(CLOSE.difference(value, r.get(1)), backend.name() + ", value");
      assertNull(CLOSE.difference(slope, r.get(2)), backend.name() + ", slope");
    }
    Tensor value = tensor(GOLDEN.get(c.name()).get("value"));
    assertNull(CLOSE.difference(value, c.loss().apply(in).get(0)), "eager");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gradientsAreDifferences(LossCases.Case c) {
    List<Tensor> at = new ArrayList<>();
    for (Tensor t : operands(c)) {
      boolean whole = t.dtype() == DType.I32;
      int i = at.size();
      at.add(whole ? t : c.operands().get(i).make(t.type().with(DType.F64), 20 + i));
    }
    assertEquals(c.operands().size(), GradCheck.wrt(at).length);
    assertNull(GradCheck.first(c.loss(), at));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyRowIsItsOwn(LossCases.Case c) {
    List<Tensor> in = operands(c);
    Tensor all = c.loss().apply(in).get(0);
    for (int i = 0; i < all.shape().dim(0); i++) {
      int row = i;
      Tensor alone = c.loss().apply(in.stream().map(t -> t.slice(0, row, row + 1)).toList()).get(0);
      assertNull(CLOSE.difference(all.slice(0, i, i + 1), alone), "row " + i);
    }
  }

  /** The one loss whose rows depend on each other. */
  @Test
  void infoNceTakesTheOtherKeysAsWrongOnes() {
    LossCases.Case c =
        new LossCases.Case(
            "info nce",
            a -> List.of(EmbeddingLosses.infoNce(a.get(0), a.get(1), 0.5)),
            List.of(Values.range(-1, 1), Values.range(-1, 1)));
    valuesAndSlopesAreOptaxsOrPyTorchs(c);
    gradientsAreDifferences(c);
  }

  @Test
  void emptySetsOverlapWholly() {
    Tensor none = Tensor.zeros(DType.F32, 1, 4);
    assertEquals(0, OverlapLosses.dice(none, none, 1e-7).item());
    assertEquals(0, OverlapLosses.iou(none, none, 1e-7).item());
    assertEquals(1, OverlapLosses.iou(none.add(1), none, 1e-7).item(), 1e-6);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void furtherAxesAreMoreRows(LossCases.Case c) {
    List<Tensor> in = operands(c);
    Tensor flat = c.loss().apply(in).get(0);
    Tensor deep = c.loss().apply(in.stream().map(t -> t.expandDims(1)).toList()).get(0);
    assertEquals(
        List.of(flat.shape().dim(0), 1), List.of(deep.shape().dim(0), deep.shape().dim(1)));
    assertNull(CLOSE.difference(flat, deep.reshape(flat.shape().dims())));
  }

  /** Padding may hold anything; what counts must be a class. */
  @Test
  void ignoredRowsAreNotLookedAt() {
    float[] x = {1, 2, 3, Float.NaN, Float.POSITIVE_INFINITY, 6};
    Fn loss = Fn.of((z, n) -> Losses.crossEntropyWithLogits(z, n, 0.1, null, 7));
    Tensor labels = Tensor.of(new int[] {1, 7}, 2);
    float[] y = loss.call(Tensor.of(x, 2, 3), labels).toFloats();
    assertEquals(0, y[1]);
    assertEquals(
        Losses.crossEntropyWithLogits(
                Tensor.of(new float[] {1, 2, 3}, 3), Tensor.scalar(DType.I32, 1), 0.1)
            .item(),
        y[0]);
    float[] g =
        Grad.grad(Fn.of((z, n) -> loss.call(z, n).sum()), 0)
            .call(Tensor.of(x, 2, 3), labels)
            .toFloats();
    for (int i = 3; i < 6; i++) {
      assertEquals(0, g[i]);
    }
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> loss.call(Tensor.of(x, 2, 3), Tensor.of(new int[] {1, 3}, 2)));
  }

  /** The vector of zeros has the angle 0 in every type, and long ones are not infinite. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16", "F32", "F64"})
  void cosinesAreThoseOfF32(DType t) {
    Tensor a = Tensor.of(new float[] {0, 0, 300, 0, 300, 300}, 3, 2).cast(t);
    Tensor b = Tensor.of(new float[] {1, 2, 500, 0, 0, -2}, 3, 2).cast(t);
    Tensor expected = Tensor.of(new double[] {0, 1, -Math.sqrt(0.5)}, 3).cast(t);
    assertNull(CLOSE.difference(expected, EmbeddingLosses.cosineSimilarity(a, b)));
    Tensor far = Tensor.of(new double[] {0, 0, 301}, 3).cast(t);
    Tensor near = EmbeddingLosses.tripletMargin(a, b.mul(0), a, 1);
    assertNull(
        new Tolerance(2, 8).difference(far.slice(0, 2, 3).mul(0).add(1), near.slice(0, 0, 1)));
    assertTrue(Float.isFinite(near.cast(DType.F32).toFloats()[2]));
  }

  /** A wrong label would give a loss like any other, so it is an error on every way to it. */
  @ParameterizedTest
  @ValueSource(ints = {-1, 3, Integer.MAX_VALUE})
  void labelsOutsideAreRefused(int wrong) {
    Tensor logits = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    Tensor labels = Tensor.of(new int[] {1, wrong}, 2);
    Map<String, List<BinaryOperator<Tensor>>> losses =
        Map.of(
            "cross_entropy",
            List.of(
                Losses::crossEntropyWithLogits, (x, n) -> Losses.crossEntropyWithLogits(x, n, 0.1)),
            "multiclass_hinge",
            List.of(Losses::multiclassHinge));
    losses.forEach(
        (who, all) ->
            all.forEach(
                loss -> {
                  Fn f = Fn.of(loss);
                  Fn slope = Grad.grad(Fn.of((x, n) -> loss.apply(x, n).sum()), 0);
                  Fn reference = a -> Runs.reference(f, a.toArray(Tensor[]::new));
                  for (Fn way : List.of(f, Jit.jit(f), slope, Jit.jit(slope), reference)) {
                    String m =
                        assertThrows(
                                IndexOutOfBoundsException.class, () -> way.call(logits, labels))
                            .getMessage();
                    assertEquals(
                        who
                            + ": labels must lie in [0, 3): label "
                            + wrong
                            + " at position 1 of [2]; correct the labels",
                        m);
                  }
                }));
  }

  @Test
  void wrongUseIsExplained() {
    Tensor v = Tensor.of(new float[2], 2);
    Tensor m = Tensor.of(new float[4], 2, 2);
    Tensor ids = Tensor.of(new int[2], 2);
    error(
        "cross_entropy: label smoothing lies in [0, 1): 1.0; correct it",
        () -> Losses.crossEntropyWithLogits(m, ids, 1));
    error(
        "cross_entropy: there is one weight of the logits' dtype a class: f32[2, 2] for f32[2, 2];"
            + " reshape or cast them",
        () -> Losses.crossEntropyWithLogits(m, ids, 0, m, -1));
    error(
        "binary_cross_entropy: a weight has the logits' dtype and broadcasts to them: f32[2, 2] for"
            + " f32[2]; reshape or cast it",
        () -> Losses.binaryCrossEntropyWithLogits(v, v, m));
    error(
        "smooth_labels: targets are floating [..., K]: i32[2]; use oneHot, or cast them",
        () -> Losses.smoothLabels(ids, 0.1));
    error(
        "multiclass_hinge: takes floating logits [..., K] and i32 labels [...]: f32[2] with i32[2];"
            + " reshape or cast one of them",
        () -> Losses.multiclassHinge(v, ids));
    error(
        "kl_divergence: takes two floating [..., K] of one type: f32[2, 2] with f32[2]; reshape or"
            + " cast one of them",
        () -> Losses.klDivergence(m, v));
    error(
        "hinge: takes two floating tensors of one type: i32[2] with i32[2]; reshape or cast one of"
            + " them",
        () -> Losses.hinge(ids, ids));
    error("focal: gamma is 0 or more: -1.0; correct it", () -> Losses.focalWithLogits(v, v, -1));
    error("focal: alpha lies in [0, 1]: 2.0; correct it", () -> Losses.focalWithLogits(v, v, 2, 2));
    error(
        "huber: delta is finite and above 0: 0.0; correct it",
        () -> RegressionLosses.huber(v, v, 0));
    error(
        "smooth_l1: beta is finite and above 0: NaN; correct it",
        () -> RegressionLosses.smoothL1(v, v, Double.NaN));
    error(
        "info_nce: the temperature is finite and above 0: 0.0; correct it",
        () -> EmbeddingLosses.infoNce(m, m, 0));
    error(
        "dice: smoothing is finite and above 0: 0.0; correct it",
        () -> OverlapLosses.dice(m, m, 0));
    error(
        "poly: epsilon is finite and -1 or more: -2.0; correct it",
        () -> Losses.polyWithLogits(m, m, -2));
    error("quantile: q lies in (0, 1): 1.0; correct it", () -> RegressionLosses.quantile(v, v, 1));
    error(
        "cosine_embedding: margin lies in [-1, 1]: 2.0; correct it",
        () -> EmbeddingLosses.cosineEmbedding(m, m, v, 2));
    error(
        "triplet_margin: margin is finite and not negative: -1.0; correct it",
        () -> EmbeddingLosses.tripletMargin(m, m, m, -1));
  }

  /** Whichever the label is: log(1 + e^-|z|), which must not come out of a difference. */
  @Test
  void rowsThatAreSureKeepTheirDigits() {
    for (float z : new float[] {10, 14, 17, 60}) {
      float exact = (float) Math.log1p(Math.exp(-z));
      Tensor logits = Tensor.of(new float[] {z, -z}, 2);
      Tensor labels = Tensor.of(new float[] {1, 0}, 2);
      Tensor weight = Tensor.of(new float[] {3}, 1);
      float[] plain = Losses.binaryCrossEntropyWithLogits(logits, labels).toFloats();
      float[] weighed = Losses.binaryCrossEntropyWithLogits(logits, labels, weight).toFloats();
      assertEquals(exact, plain[0], 4 * Math.ulp(exact));
      assertEquals(exact, plain[1], 4 * Math.ulp(exact));
      assertEquals(3 * exact, weighed[0], 12 * Math.ulp(exact));
      assertEquals(exact, weighed[1], 4 * Math.ulp(exact));
    }
  }

  /** p (1 - p) times the label's weight, also where the logit is 0; far away 0. */
  @Test
  void aLogitOfZeroHasACurvature() {
    for (double z : new double[] {0, -0.0, 1e-9, 2, -2, 1e4, -1e4}) {
      double p = 1 / (1 + Math.exp(-z));
      Tensor at = Tensor.scalar(DType.F64, z);
      for (double y : new double[] {0, 1, 0.25}) {
        Tensor label = Tensor.scalar(DType.F64, y);
        Tensor three = Tensor.scalar(DType.F64, 3);
        Fn plain = Fn.of(x -> Losses.binaryCrossEntropyWithLogits(x, label));
        Fn weighed = Fn.of(x -> Losses.binaryCrossEntropyWithLogits(x, label, three));
        double w = 1 + 2 * y;
        assertEquals(p - y, Grad.grad(plain).call(at).item(), 1e-14);
        assertEquals(w * p - 3 * y, Grad.grad(weighed).call(at).item(), 1e-14);
        assertEquals(p * (1 - p), Jacobian.hessian(plain).call(at).item(), 1e-14);
        assertEquals(w * p * (1 - p), Jacobian.hessian(weighed).call(at).item(), 1e-14);
      }
    }
  }

  @Test
  void theSecondDerivativeOfLogCoshIsOneAtTheTarget() {
    Tensor at = Tensor.scalar(DType.F64, 0.5);
    Fn loss = in -> List.of(RegressionLosses.logCosh(in.get(0), at));
    assertEquals(0, Grad.grad(loss).call(at).item());
    assertEquals(1, Jacobian.hessian(loss).call(at).item());
  }

  @Test
  void aClassThatCannotBeAndIsNotWantedAddsNothing() {
    float none = Float.NEGATIVE_INFINITY;
    Tensor half = Tensor.of(new float[] {0.5f, 0.5f, 0}, 1, 3);
    Tensor log = Tensor.of(new float[] {(float) Math.log(0.5), (float) Math.log(0.5), none}, 1, 3);
    assertEquals(0, Losses.klDivergence(log, half).toFloats()[0], 1e-7f);
    Tensor slope =
        Grad.grad(x -> List.of(Losses.klDivergence(x.get(0), half).sum())).call(log, half);
    assertEquals(
        List.of(-0.5f, -0.5f, 0f), Stream.of(0, 1, 2).map(i -> slope.toFloats()[i]).toList());
    Tensor wanted = Tensor.of(new float[] {0, 0, 1}, 1, 3);
    assertEquals(Float.POSITIVE_INFINITY, Losses.klDivergence(log, wanted).toFloats()[0]);
  }

  /** More pixels than f16 counts. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void overlapsOfHalfTypesAreComputedInF32(DType half) {
    Tensor mask = Tensor.full(TensorType.of(half, 1, 70_000), 1);
    assertEquals(0, OverlapLosses.dice(mask, mask, 1).cast(DType.F32).toFloats()[0]);
    assertEquals(0, OverlapLosses.iou(mask, mask, 1).cast(DType.F32).toFloats()[0]);
    assertEquals(half, OverlapLosses.dice(mask, mask, 1).dtype());
    assertEquals(half, OverlapLosses.iou(mask, mask, 1).dtype());
  }

  private static void error(String message, Supplier<Tensor> wrong) {
    assertEquals(message, ScopeTest.message(wrong::get));
  }
}
