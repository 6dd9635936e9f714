package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.nn.Activations;
import io.fragua.tensor.DType;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class JacobianTest {
  private static final Values ANY = Values.range(-1, 1);
  private static final Tensor A = ANY.make(TensorType.of(DType.F64, 2, 3), 1);
  private static final Tensor X = ANY.make(TensorType.of(DType.F64, 3), 2);

  /** Results [2] and [3] of operands [2, 3] and [3]. */
  private static final Fn F =
      in -> {
        Tensor y = in.get(0).matmul(in.get(1).reshape(3, 1)).reshape(2).tanh();
        return List.of(y, in.get(1).square());
      };

  @Test
  void columnsAreDirectionalDerivatives() {
    List<Tensor> j = Runs.reference(Jacobian.jacobian(F), A, X);
    assertEquals(
        List.of(Shape.of(2, 2, 3), Shape.of(2, 3), Shape.of(3, 2, 3), Shape.of(3, 3)),
        j.stream().map(Tensor::shape).toList());
    for (int k = 0; k < 9; k++) {
      Tensor a = unit(A.type(), k);
      Tensor x = unit(X.type(), k - 6);
      List<Tensor> column = Jvp.jvp(F, List.of(A, X), List.of(a, x)).tangents();
      for (int r = 0; r < 2; r++) {
        double[] c = column.get(r).toDoubles();
        for (int i = 0; i < c.length; i++) {
          double entry =
              k < 6
                  ? j.get(2 * r).toDoubles()[i * 6 + k]
                  : j.get(2 * r + 1).toDoubles()[i * 3 + k - 6];
          assertEquals(c[i], entry, 1e-14, "result " + r + ", element " + i + ", column " + k);
        }
      }
    }
  }

  private static Tensor unit(TensorType t, int k) {
    double[] v = new double[(int) t.shape().size()];
    if (k >= 0 && k < v.length) {
      v[k] = 1;
    }
    return Tensor.of(v, t.shape().dims());
  }

  @Test
  void theSameEagerAndCompiled() {
    List<Tensor> j = Runs.reference(Jacobian.jacobian(F, 1), A, X);
    List<Tensor> eager = Jacobian.jacobian(F, 1).apply(List.of(A, X));
    List<Tensor> compiled = Jit.jit(Jacobian.jacobian(F, 1)).apply(List.of(A, X));
    assertEquals(2, j.size());
    for (int i = 0; i < 2; i++) {
      assertEquals(null, new Tolerance(16, 16).difference(j.get(i), eager.get(i)));
      assertEquals(null, new Tolerance(16, 16).difference(j.get(i), compiled.get(i)));
    }
  }

  @Test
  void hessianOfAQuadraticFormIsItsMatrix() {
    Tensor m = Tensor.of(new double[] {2, 1, 0, 1, 3, -1, 0, -1, 4}, 3, 3);
    Fn f =
        in -> {
          Tensor x = in.get(0).reshape(3, 1);
          return List.of(x.transpose().matmul(m.lift(x)).matmul(x).reshape().mul(0.5));
        };
    Tensor h = Runs.eval(Jacobian.hessian(f), X);
    assertArrayEquals(m.toDoubles(), h.toDoubles(), 1e-14);
  }

  /** Equal operands, and 0: one formula on each side must not become none between them. */
  @Test
  void smoothFunctionsAreCurvedWhereTheirSidesMeet() {
    double l = Math.log(2);
    double pi = Math.PI;
    assertAll(
        () -> assertSaddle(0.25, Tensor::logaddexp),
        () -> assertSaddle(0.25 * l, Tensor::logaddexp2),
        () -> assertCurved(-0.25, Tensor::logSigmoid),
        () -> assertCurved(0.25, Activations::softplus),
        () -> assertCurved(-0.25, Activations::logSigmoid),
        () -> assertCurved(-pi * pi / 3, Tensor::sinc));
  }

  private static void assertCurved(double expected, UnaryOperator<Tensor> f) {
    for (double zero : new double[] {0, -0.0}) {
      double[] h = hessian(Fn.of(f), Tensor.scalar(DType.F64, zero));
      assertArrayEquals(new double[] {expected}, h, 1e-14);
    }
  }

  private static void assertSaddle(double c, BinaryOperator<Tensor> f) {
    Fn pair = Fn.of(x -> f.apply(x.slice(0, 0, 1), x.slice(0, 1, 2)).sum());
    for (double at : new double[] {0, 1, -3}) {
      double[] h = hessian(pair, Tensor.of(new double[] {at, at}, 2));
      assertArrayEquals(new double[] {c, -c, -c, c}, h, 1e-14);
    }
  }

  @Test
  void smoothFunctionsKeepTheirEnds() {
    double inf = Double.POSITIVE_INFINITY;
    double[] v = {inf, -inf, Double.NaN, 1e300, -1e300, -0.0};
    Tensor x = Tensor.of(v, 6);
    double half = Math.log(2);
    assertArrayEquals(
        new double[] {inf, 0, Double.NaN, 1e300, 0, half},
        Activations.softplus(x).toDoubles(),
        1e-15);
    assertArrayEquals(
        new double[] {0, -inf, Double.NaN, 0, -1e300, -half}, x.logSigmoid().toDoubles(), 1e-15);
    assertArrayEquals(
        new double[] {inf, -inf, Double.NaN, 1e300, -1e300, half},
        x.logaddexp(x).toDoubles(),
        1e-15);
    assertArrayEquals(
        new double[] {inf, inf, Double.NaN, 1e300, 1e300, half},
        x.logaddexp(x.neg()).toDoubles(),
        1e-15);
  }

  private static double[] hessian(Fn f, Tensor at) {
    return Jacobian.hessian(f).call(at).toDoubles();
  }

  /** The products are polynomials: written out, they have the same second derivatives. */
  @Test
  void productsByIndexAreCurvedAtZeros() {
    Tensor ids = Tensor.of(new int[] {0, 1, 0, 0}, 4);
    Tensor weights = Tensor.of(new double[] {1, 7}, 2);
    Fn scattered =
        in -> {
          Tensor y = in.get(0).slice(0, 0, 2).scatter(Scatter.MUL, ids, in.get(0).slice(0, 2, 6));
          return List.of(y.mul(weights).sum());
        };
    Fn written =
        in -> {
          List<Tensor> v = new ArrayList<>();
          for (int i = 0; i < 6; i++) {
            v.add(in.get(0).slice(0, i, i + 1).reshape());
          }
          Tensor first = v.get(0).mul(v.get(2)).mul(v.get(4)).mul(v.get(5));
          return List.of(first.add(v.get(1).mul(v.get(3)).mul(7)));
        };
    double[][] at = {
      {2, 3, 5, 7, 11, 13}, // none
      {2, 3, 0, 7, 11, 13}, // one, two, three of a place
      {2, 3, 0, 0, 11, 0},
      {2, 3, 0, 0, 0, 0},
      {0, 0, 5, 0, 11, 13}, // and where they go
      {0, 3, 0, 7, 11, 13},
    };
    for (double[] v : at) {
      Tensor x = Tensor.of(v, 6);
      assertArrayEquals(hessian(written, x), hessian(scattered, x), 1e-11, x.toString());
    }
  }

  @Test
  void aRunningSumOfExponentialsHasTheCurvatureOfOneSum() {
    for (double[] v : new double[][] {{800, 799}, {-800, -799}, {1, 1}}) {
      Tensor x = Tensor.of(v, 2);
      Fn last = Fn.of(t -> t.cumlogsumexp(0).slice(0, 1, 2).sum());
      assertArrayEquals(hessian(Fn.of(t -> t.logSumExp()), x), hessian(last, x), 1e-12);
    }
  }

  @Test
  void hessianHasABlockForEachPairOfOperands() {
    Fn f = in -> List.of(in.get(0).mul(in.get(1)).sum().mul(in.get(1).exp().sum()));
    List<Tensor> h = Runs.reference(Jacobian.hessian(f), A, X);
    assertEquals(
        List.of(Shape.of(2, 3, 2, 3), Shape.of(2, 3, 3), Shape.of(3, 2, 3), Shape.of(3, 3)),
        h.stream().map(Tensor::shape).toList());
    double[] ax = h.get(1).toDoubles();
    double[] xa = h.get(2).toDoubles();
    for (int i = 0; i < 6; i++) {
      for (int k = 0; k < 3; k++) {
        assertEquals(ax[i * 3 + k], xa[k * 6 + i], 1e-13, "symmetry");
      }
    }
    assertArrayEquals(new double[36], h.get(0).toDoubles()); // linear in the first operand
  }

  @Test
  void aMappedJacobianIsOneForEachExample() {
    Fn f = Fn.of(x -> x.square());
    Tensor two = Tensor.of(new double[] {1, 2, 3, 4}, 2, 2);
    assertArrayEquals(
        new double[] {2, 0, 0, 4, 6, 0, 0, 8},
        Runs.eval(Vmap.vmap(Jacobian.jacobian(f)), two).toDoubles());
  }

  @Test
  void refusesWhatIsNotFloating() {
    List<String> m = new ArrayList<>();
    Fn integers = Fn.of(x -> x.cast(DType.I32));
    m.add(refusal(Jacobian.jacobian(integers), X));
    m.add(refusal(Jacobian.jacobian(F, 2), A, X));
    m.add(refusal(Jacobian.hessian(Fn.of(Tensor::neg)), Tensor.of(new int[] {1}, 1)));
    assertEquals(
        List.of(
            "jacobian: results must be floating, of less than 2^31 elements: i32[3]; cast it or"
                + " leave it out",
            "jacobian: wrt must name operands by position: 2 of 2 operands; correct it",
            "jacobian: operands to differentiate by must be floating: Input[name=arg0,"
                + " type=i32[1]]; leave it out of wrt"),
        m);
  }

  private static String refusal(Fn f, Tensor... args) {
    return assertThrows(IllegalArgumentException.class, () -> f.apply(List.of(args))).getMessage();
  }
}
