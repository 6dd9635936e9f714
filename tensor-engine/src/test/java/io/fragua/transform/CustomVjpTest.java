package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.exec.Backends;
import io.fragua.graph.Graph;
import io.fragua.graph.GraphJson;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Runs;
import io.fragua.testing.Values;
import java.util.List;
import org.junit.jupiter.api.Test;

class CustomVjpTest {
  private static final Tensor X = Tensor.of(new double[] {1, 2, 3}, 3);
  private static final Tensor Y = Tensor.of(new double[] {4, 5, 6}, 3);

  /** Two results; the derivative is deliberately not that of the formula: ten times it. */
  private static final Fn TENFOLD =
      CustomVjp.customVjp(
          in -> List.of(in.get(0).mul(in.get(1)), in.get(0).sum()),
          (in, g) ->
              List.of(
                  g.get(0).mul(in.get(1)).add(g.get(1)).mul(10), g.get(0).mul(in.get(0)).mul(10)));

  private static final Fn LOSS =
      in -> {
        List<Tensor> r = TENFOLD.apply(in);
        return List.of(r.get(0).square().sum().add(r.get(1)));
      };

  private static final double[] DX = {2 * 4 * 4 * 10 + 10, 2 * 10 * 5 * 10 + 10, 2160 + 10};

  @Test
  void gradientsAreTheUsers() {
    assertEquals(16 + 100 + 324 + 6, LOSS.apply(List.of(X, Y)).get(0).item());
    List<Tensor> g = Runs.reference(Grad.valueAndGrad(LOSS), X, Y);
    assertEquals(446, g.get(0).item());
    assertArrayEquals(DX, g.get(1).toDoubles());
    assertArrayEquals(new double[] {80, 400, 1080}, g.get(2).toDoubles());
    assertArrayEquals(DX, Grad.grad(LOSS).apply(List.of(X, Y)).get(0).toDoubles());
    assertArrayEquals(DX, Jit.jit(Grad.grad(LOSS)).apply(List.of(X, Y)).get(0).toDoubles());
  }

  @Test
  void graphsKeepTheDerivativeAndBackendsNeedNotKnowIt() {
    Graph g = Jit.graph(LOSS, List.of(X.type(), Y.type()));
    Graph both = Grad.valueAndGrad(g, new int[] {0}, List.of("dx"));
    for (Graph graph : List.of(both, GraphJson.read(GraphJson.write(both)))) {
      List<Tensor> r = Runs.on(Backends.cpu(), graph, List.of(X, Y));
      assertEquals(446, r.get(0).item());
      assertArrayEquals(DX, r.get(1).toDoubles());
    }
  }

  @Test
  void directionsAreTheUsersToo() {
    Jvp j = Jvp.jvp(TENFOLD, List.of(X, Y), List.of(Y, X));
    assertArrayEquals(new double[] {170, 290, 450}, j.tangents().get(0).toDoubles());
    assertEquals(150, j.tangents().get(1).item());
  }

  @Test
  void examplesAreMapped() {
    Tensor xs = Values.range(-1, 1).make(TensorType.of(DType.F64, 4, 3), 1);
    Fn each = Vmap.vmap(Grad.grad(LOSS), java.util.Arrays.asList(0, null));
    Fn other = // the map inside: the operand that is shared gets the sum
        in ->
            Grad.grad(
                    a ->
                        List.of(
                            Vmap.vmap(LOSS, java.util.Arrays.asList(0, null))
                                .apply(a)
                                .get(0)
                                .sum()))
                .apply(in);
    List<Tensor> a = Runs.reference(each, xs, Y);
    List<Tensor> b = Runs.reference(other, xs, Y);
    double[] dy = new double[3];
    for (int i = 0; i < 4; i++) {
      Tensor x = io.fragua.testing.Examples.take(xs, 0, i);
      List<Tensor> one = Runs.reference(Grad.grad(LOSS), x, Y);
      for (int k = 0; k < 3; k++) {
        assertEquals(one.get(0).toDoubles()[k], a.get(0).toDoubles()[i * 3 + k], 1e-12);
        assertEquals(one.get(0).toDoubles()[k], b.get(0).toDoubles()[i * 3 + k], 1e-12);
        assertEquals(one.get(1).toDoubles()[k], a.get(1).toDoubles()[i * 3 + k], 1e-12);
        dy[k] += one.get(1).toDoubles()[k];
      }
    }
    assertArrayEquals(dy, b.get(1).toDoubles(), 1e-12);
  }

  @Test
  void pullBacksDifferentiateAgain() {
    Fn cube = // its own derivative rule says 5 x^2, whose derivative is 10 x
        CustomVjp.customVjp(
            Fn.of(x -> x.mul(x).mul(x)),
            (in, g) -> List.of(g.get(0).mul(in.get(0).square()).mul(5)));
    Tensor three = Tensor.scalar(DType.F64, 3);
    assertEquals(45, Runs.eval(Grad.grad(cube), three).item());
    assertEquals(30, Runs.eval(Grad.grad(Grad.grad(cube)), three).item());
    assertEquals(30, Runs.eval(Jacobian.hessian(cube), three).item());
  }

  @Test
  void anOperandThatIsReturnedHasTheUsersDerivativeToo() {
    Fn halved = CustomVjp.customVjp(Fn.of(x -> x), (in, g) -> List.of(g.get(0).mul(0.5)));
    Fn f = Fn.of(x -> halved.call(x).mul(x).sum());
    assertArrayEquals(new double[] {1.5, 3, 4.5}, Runs.eval(Grad.grad(f), X).toDoubles());
  }

  @Test
  void integersAreLeftAlone() {
    Fn rows =
        CustomVjp.customVjp(
            in -> List.of(in.get(0).gather(in.get(1)), in.get(1)),
            (in, g) -> List.of(in.get(0).mul(g.get(0).sum()), in.get(1)));
    Fn f = in -> List.of(rows.apply(in).get(0).sum());
    Tensor ids = Tensor.of(new int[] {2, 0}, 2);
    assertArrayEquals(
        new double[] {2, 4, 6}, Runs.reference(Grad.grad(f, 0), X, ids).get(0).toDoubles());
    assertArrayEquals(ids.toInts(), Runs.reference(rows, X, ids).get(1).toInts());
  }

  @Test
  void refusesWrongGradientsAndCapturedTensors() {
    Fn wrong = CustomVjp.customVjp(Fn.of(x -> x.exp()), (in, g) -> List.of(g.get(0).sum()));
    assertEquals(
        "custom_vjp: a gradient must have its operand's type: traced f64[] for operand 0, f64[3];"
            + " cast, sum or broadcast it",
        refusal(Grad.grad(Fn.of(x -> wrong.call(x).sum()))));
    Fn none = CustomVjp.customVjp(Fn.of(x -> x.exp()), (in, g) -> List.of());
    assertEquals(
        "custom_vjp: the pull-back must give one gradient for each operand: 0 for 1; correct it",
        refusal(Grad.grad(Fn.of(x -> none.call(x).sum()))));
    Fn captures =
        Fn.of(x -> CustomVjp.customVjp(Fn.of(y -> y.mul(x)), (in, g) -> g).call(x.exp()).sum());
    assertEquals(
        "custom_vjp: the function must have all traced tensors as operands: it captures [traced"
            + " f64[3]]; pass them",
        refusal(Grad.grad(captures)));
  }

  private static String refusal(Fn f) {
    return assertThrows(IllegalArgumentException.class, () -> Runs.eval(f, X)).getMessage();
  }
}
