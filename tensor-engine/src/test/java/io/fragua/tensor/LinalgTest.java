package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Linear algebra: composed functions against NumPy, what factors must satisfy, derivatives. */
class LinalgTest {
  @TestFactory
  Stream<DynamicTest> composedFunctionsAreNumPys() {
    return Calls.agree("linalg_calls.json", LinalgTest::function);
  }

  private static Fn function(JsonNode c) {
    return switch (c.get("fn").textValue()) {
      case "inv" -> Fn.of(x -> x.inv());
      case "det" -> Fn.of(x -> x.det());
      case "slogdet_sign" -> Fn.of(x -> x.slogdet().sign());
      case "slogdet_log" -> Fn.of(x -> x.slogdet().logAbs());
      case "solve" -> x -> List.of(x.get(0).solve(x.get(1)));
      case "lstsq" -> x -> List.of(x.get(0).lstsq(x.get(1)));
      case "pinv" -> Fn.of(x -> x.pinv(1e-14));
      case "matrixRank" -> Fn.of(x -> x.matrixRank());
      case "expm" -> Fn.of(x -> x.expm());
      case "matrixPower" -> Fn.of(x -> x.matrixPower(c.get("args").get("n").intValue()));
      default -> throw new IllegalArgumentException(c.get("fn").textValue());
    };
  }

  private static Tensor random(int... dims) {
    return Values.range(-1, 1).make(TensorType.of(DType.F64, dims), 17);
  }

  private static Tensor apart(int m, int n) {
    return Values.apart(m, n).make(TensorType.of(DType.F64, m, n), 18);
  }

  private static void near(Tensor expected, Tensor actual) {
    assertArrayEquals(expected.toDoubles(), actual.toDoubles(), 1e-12);
  }

  /** Larger than LAPACK's blocks, so that its blocked code runs too. */
  @Test
  void factorsMultiplyToTheMatrix() {
    for (int[] s : new int[][] {{80, 80}, {90, 40}, {40, 90}}) {
      Tensor a = random(2, s[0], s[1]);
      Linalg.Qr qr = a.qr();
      near(a, qr.q().matmul(qr.r()));
      Linalg.Svd svd = a.svd();
      near(a, svd.u().mul(svd.s().expandDims(-2)).matmul(svd.vh()));
      int k = Math.min(s[0], s[1]);
      Tensor eye = random(k, k).matrixPower(0).broadcastTo(Shape.of(2, k, k));
      near(eye, qr.q().transpose().matmul(qr.q()));
      near(eye, svd.u().transpose().matmul(svd.u()));
      near(eye, svd.vh().matmul(svd.vh().transpose()));
    }
    Tensor a = random(2, 80, 80);
    Tensor symmetric = a.add(a.transpose());
    Linalg.Eigh e = symmetric.eigh();
    near(symmetric, e.vectors().mul(e.values().expandDims(-2)).matmul(e.vectors().transpose()));
    Tensor positive = a.matmul(a.transpose());
    Tensor l = positive.cholesky();
    near(positive, l.matmul(l.transpose()));
    near(l, l.triangularSolve(positive, true, false, false).transpose());
  }

  @Test
  void vectorsHaveADefiniteSign() {
    Tensor a = random(6, 6);
    for (Tensor v : List.of(a.eigh().vectors(), a.svd().u(), a.neg().svd().u())) {
      double[] x = v.toDoubles();
      for (int c = 0; c < 6; c++) {
        double largest = 0;
        for (int r = 0; r < 6; r++) {
          largest = Math.max(largest, Math.abs(x[r * 6 + c]));
        }
        int first = 0;
        while (Math.abs(x[first * 6 + c]) <= largest / 2) {
          first++;
        }
        assertTrue(x[first * 6 + c] > 0, "column " + c);
      }
    }
  }

  @Test
  void whatHasNoAnswerIsNaNForThatMatrixAlone() {
    Tensor both = Tensor.of(new double[] {4, 0, 0, 9, 1, 2, 2, 1}, 2, 2, 2);
    double nan = Double.NaN;
    assertArrayEquals(
        new double[] {2, 0, 0, 3, nan, 0, nan, nan}, both.cholesky().toDoubles(), 1e-12);
    Tensor singular = Tensor.of(new double[] {2, 0, 0, 4, 1, 2, 2, 4}, 2, 2, 2);
    double[] inverse = {0.5, 0, 0, 0.25, nan, nan, nan, nan};
    assertArrayEquals(inverse, singular.inv().toDoubles(), 1e-12);
    assertArrayEquals(new double[] {8, 0}, singular.det().toDoubles(), 1e-12);
  }

  @Test
  void composedFunctionsDifferentiate() {
    Tensor a = apart(3, 3);
    Tensor b = random(3, 2);
    for (Fn f :
        List.of(
            Fn.of(x -> x.inv()),
            Fn.of(x -> x.det()),
            Fn.of(x -> x.slogdet().logAbs()),
            Fn.of(x -> x.expm()),
            Fn.of(x -> x.mul(4).expm().mul(1e-4)),
            Fn.of(x -> x.matrixPower(-3)),
            Fn.of(x -> x.pinv()),
            Fn.of(x -> x.solve(b)))) {
      assertNull(GradCheck.first(f, List.of(a)));
    }
    assertNull(GradCheck.first(Fn.of(x -> x.pinv()), List.of(apart(4, 2))));
    assertNull(
        GradCheck.first(
            x -> List.of(x.get(0).lstsq(x.get(1))), List.of(apart(4, 2), random(4, 2))));
  }

  /** Of singular values alone the derivative has no gaps in it: U V' for their sum. */
  @Test
  void equalSingularValuesHaveADerivative() {
    Tensor eye = random(3, 3).matrixPower(0);
    Tensor g = Runs.eval(Grad.grad(Fn.of(x -> x.svd().s().sum())), eye);
    near(eye, g);
    assertTrue(
        Double.isFinite(
            Runs.eval(Grad.grad(Fn.of(x -> x.eigh().values().sum())), eye).toDoubles()[0]));
  }

  /** The library keeps variables in static fields; none that matters here may be shared. */
  @Test
  void manyThreadsGetTheSameAnswers() throws Exception {
    Tensor a = random(4, 40, 40);
    Callable<List<Tensor>> all =
        () -> {
          List<Tensor> y = new ArrayList<>();
          y.add(a.svd().u());
          y.add(a.eigh().vectors());
          y.add(a.qr().r());
          y.add(a.inv());
          return y;
        };
    List<Tensor> alone = all.call();
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Callable<List<Tensor>>> tasks = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        tasks.add(all);
      }
      for (Future<List<Tensor>> f : threads.invokeAll(tasks)) {
        for (int k = 0; k < alone.size(); k++) {
          assertArrayEquals(alone.get(k).toDoubles(), f.get().get(k).toDoubles());
        }
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void wrongShapesAreRefused() {
    Tensor wide = random(2, 3);
    Tensor square = random(3, 3);
    for (Runnable r :
        List.<Runnable>of(
            () -> wide.cholesky(),
            () -> wide.eigh(),
            () -> wide.lu(),
            () -> wide.inv(),
            () -> wide.det(),
            () -> wide.expm(),
            () -> wide.matrixPower(2),
            () -> random(3).svd(),
            () -> random(3).qr(),
            () -> random(3).lstsq(wide),
            () -> square.solve(wide),
            () -> square.solve(random(2)),
            () -> square.solve(random(3, 3).cast(DType.F32)),
            () -> square.cast(DType.I32).cholesky(),
            () -> random(2, 3, 3).solve(random(3, 3, 3)))) {
      assertThrows(ShapeException.class, r::run);
    }
    ShapeException e = assertThrows(ShapeException.class, () -> square.solve(wide));
    assertTrue(
        e.getMessage()
            .startsWith(
                "solve: the right side must have the matrix's leading axes and rows: f64[3, 3] with"
                    + " f64[2, 3]; "),
        e.getMessage());
  }
}
