package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.testing.Calls;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jvp;
import io.fragua.transform.Vjp;
import io.fragua.transform.Vmap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Derivatives of {@code pinv} and {@code lstsq}, above all where singular values are equal. */
class PseudoInverseTest {
  private static final Fn PINV = Fn.of(x -> x.pinv());

  private static Tensor random(int seed, int... dims) {
    return Values.range(-1, 1).make(TensorType.of(DType.F64, dims), seed);
  }

  /** Orthonormal columns, or rows, times 2: all singular values are equal. */
  private static Tensor orthogonal(int m, int n) {
    Tensor q = random(3, Math.max(m, n), Math.min(m, n)).qr().q().mul(2);
    return m < n ? q.transpose() : q;
  }

  private static List<Tensor> ofFullRank() {
    Tensor eye = random(1, 3, 3).matrixPower(0);
    Tensor halves = Tensor.of(new double[] {2, 0, 0, 0, 2, 0, 0, 0, 5}, 3, 3);
    return List.of(
        eye, halves, orthogonal(3, 3), orthogonal(5, 3), orthogonal(2, 4), random(5, 4, 2));
  }

  @Test
  void theGradientIsThatOfDifferences() {
    for (Tensor a : ofFullRank()) {
      assertNull(GradCheck.first(PINV, List.of(a)), a.toString());
      Fn least = x -> List.of(x.get(0).lstsq(x.get(1)));
      assertNull(GradCheck.first(least, List.of(a, random(7, a.shape().dim(0), 2))), a.toString());
    }
  }

  @Test
  void soIsTheSecondOne() {
    for (Tensor a : ofFullRank()) {
      assertNull(GradCheck.second(PINV, List.of(a)), a.toString());
    }
  }

  /** The inverse has a rule of its own. */
  @Test
  void ofARegularMatrixItIsThatOfTheInverse() {
    Tensor a = orthogonal(3, 3);
    Tensor g = random(8, 3, 3);
    near(slope(Fn.of(x -> x.inv()), a, g), slope(PINV, a, g));
  }

  private static Tensor slope(Fn f, Tensor a, Tensor g) {
    return Runs.eval(Grad.grad(x -> List.of(f.call(x.get(0)).mul(g).sum())), a);
  }

  private static void near(Tensor expected, Tensor actual) {
    assertArrayEquals(expected.toDoubles(), actual.toDoubles(), 1e-12);
  }

  /** Of one rank the matrices are a smooth set: along it, the pseudo-inverse has a derivative. */
  @Test
  void alongMatricesOfOneRankTheGradientIsThatOfDifferences() {
    for (int[] s : new int[][] {{3, 3}, {4, 3}, {3, 5}}) {
      Fn product = x -> List.of(x.get(0).matmul(x.get(1)).pinv(1e-8));
      Tensor left = orthogonal(s[0], 2);
      Tensor right = orthogonal(2, s[1]); // so that the two singular values are equal
      assertNull(GradCheck.first(product, List.of(left, right)), Arrays.toString(s));
      assertNull(GradCheck.second(product, List.of(left, right)), Arrays.toString(s));
    }
  }

  @Test
  void forwardAndReverseFitTogether() {
    List<Tensor> all = new ArrayList<>(ofFullRank());
    all.add(orthogonal(4, 2).matmul(orthogonal(2, 3)));
    all.add(Tensor.zeros(DType.F64, 2, 3));
    for (Tensor a : all) {
      Tensor v = random(9, a.shape().dims());
      Tensor u = random(10, a.shape().dim(1), a.shape().dim(0));
      double forward = Jvp.jvp(PINV, List.of(a), List.of(v)).tangents().get(0).mul(u).sum().item();
      Tensor back = Vjp.vjp(PINV, List.of(a)).pullBack().apply(List.of(u)).get(0);
      assertTrue(Double.isFinite(forward), a.toString());
      assertEquals(forward, back.mul(v).sum().item(), 1e-12, a.toString());
    }
  }

  @Test
  void eachOfSeveralMatricesHasItsOwnGradient() {
    Tensor a = Tensor.zeros(DType.F64, 3, 4, 2).add(orthogonal(4, 2)).add(random(11, 3, 1, 2));
    Fn slope = Grad.grad(Fn.of(x -> x.pinv().square().sum()));
    Tensor all = Runs.eval(Vmap.vmap(slope), a);
    near(Runs.eval(slope, a), all);
    for (int i = 0; i < 3; i++) {
      near(
          Runs.eval(slope, a.slice(0, i, i + 1).reshape(4, 2)),
          all.slice(0, i, i + 1).reshape(4, 2));
    }
  }

  @TestFactory
  Stream<DynamicTest> gradientsAreJaxs() {
    return Calls.agree("pinv.json", PseudoInverseTest::function);
  }

  private static Fn function(JsonNode c) {
    double rcond = c.get("args").get("rcond").doubleValue();
    Fn f = Fn.of(x -> x.pinv(rcond));
    return switch (c.get("fn").textValue()) {
      case "pullBack" ->
          x -> Vjp.vjp(f, x.subList(0, 1)).pullBack().apply(x.subList(1, 2)).subList(0, 1);
      case "tangent" -> x -> Jvp.jvp(f, x.subList(0, 1), x.subList(1, 2)).tangents();
      default -> throw new IllegalArgumentException(c.get("fn").textValue());
    };
  }

  @Test
  void aMatrixThatIsNotFiniteSpoilsNoOther() {
    Tensor a = Tensor.of(new double[] {Double.NaN, 1, 1, 1, 2, 0, 0, 4}, 2, 2, 2);
    double nan = Double.NaN;
    assertArrayEquals(
        new double[] {nan, nan, nan, nan, 0.5, 0, 0, 0.25}, a.pinv().toDoubles(), 1e-15);
  }

  @Test
  void aLimitMustBeANumberFromZero() {
    for (double rcond : new double[] {-1e-9, Double.NaN, Double.POSITIVE_INFINITY}) {
      ShapeException e =
          assertThrows(ShapeException.class, () -> Tensor.zeros(DType.F64, 2, 2).pinv(rcond));
      assertEquals(
          "pinv: rcond must be finite and not negative: " + rcond + "; correct it", e.getMessage());
    }
  }
}
