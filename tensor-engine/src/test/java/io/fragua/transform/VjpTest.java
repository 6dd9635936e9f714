package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.graph.Graph;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.testing.Runs;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@link Vjp} and {@link Jvp}, and functions that capture traced tensors. */
class VjpTest {
  private static final Tensor X = Tensor.of(new double[] {1, 2, 3}, 3);
  private static final Tensor Y = Tensor.of(new double[] {4, 5, 6}, 3);

  private static final Fn TWO = in -> List.of(in.get(0).mul(in.get(1)), in.get(0).sum());

  @Test
  void allResultsArePulledBack() {
    Vjp v = Vjp.vjp(TWO, X, Y);
    assertArrayEquals(new double[] {4, 10, 18}, v.outputs().get(0).toDoubles());
    assertEquals(6, v.outputs().get(1).item());
    Tensor u = Tensor.of(new double[] {1, 0, -1}, 3);
    for (double s : new double[] {0, 10}) { // more than once
      List<Tensor> g = v.pullBack().apply(List.of(u, Tensor.scalar(DType.F64, s)));
      assertArrayEquals(new double[] {4 + s, s, -6 + s}, g.get(0).toDoubles());
      assertArrayEquals(new double[] {1, 0, -3}, g.get(1).toDoubles());
    }
  }

  @Test
  void aDirectionIsPushedForward() {
    Jvp j = Jvp.jvp(TWO, List.of(X, Y), List.of(Y, X));
    assertArrayEquals(new double[] {4, 10, 18}, j.outputs().get(0).toDoubles());
    assertArrayEquals(new double[] {17, 29, 45}, j.tangents().get(0).toDoubles());
    assertEquals(15, j.tangents().get(1).item());
  }

  @Test
  void integersHaveGradientAndTangentZero() {
    Tensor ids = Tensor.of(new int[] {2, 2}, 2);
    Fn f = in -> List.of(in.get(0).gather(in.get(1)), in.get(1).add(in.get(1)));
    List<Tensor> g =
        Vjp.vjp(f, X, ids).pullBack().apply(List.of(Tensor.of(new double[] {1, 5}, 2), ids));
    assertArrayEquals(new double[] {0, 0, 6}, g.get(0).toDoubles());
    assertEquals(ids.type(), g.get(1).type());
    assertArrayEquals(new int[] {0, 0}, g.get(1).toInts());
    Jvp j = Jvp.jvp(f, List.of(X, ids), List.of(Y, ids));
    assertArrayEquals(new double[] {6, 6}, j.tangents().get(0).toDoubles());
    assertEquals(ids.type(), j.tangents().get(1).type());
    assertArrayEquals(new int[] {0, 0}, j.tangents().get(1).toInts());
  }

  @Test
  void thePullBackItselfIsNotPartOfATracedJvp() {
    Fn f = in -> Jvp.jvp(Fn.of(x -> x.sin()), in.subList(0, 1), in.subList(1, 2)).tangents();
    Graph g = Jit.graph(f, List.of(X.type(), X.type()));
    assertEquals(2, g.equations().size(), g::toString); // cos(x) v
  }

  @Test
  void innerFunctionsMayCaptureTracedTensors() {
    // d/dx of x . grad_y(sum(x y^2)) = d/dx sum(2 x^2 y) = 4 x y
    Fn outer =
        in -> {
          Tensor x = in.get(0);
          Tensor twice = x.mul(2).mul(0.5);
          Fn inner = Fn.of(y -> twice.mul(y.square()).sum());
          return List.of(x.mul(Grad.grad(inner).call(in.get(1))).sum());
        };
    double[] expected = {16, 40, 72};
    assertArrayEquals(expected, Runs.reference(Grad.grad(outer), X, Y).get(0).toDoubles());
    assertArrayEquals(expected, Grad.grad(outer).apply(List.of(X, Y)).get(0).toDoubles());
    assertArrayEquals(expected, Jit.jit(Grad.grad(outer)).apply(List.of(X, Y)).get(0).toDoubles());
  }

  @Test
  void whatDoesNotDependOnAnOuterTraceStaysConcrete() {
    Fn f = Fn.of(x -> x.mul(x.iotaLike(DType.F64, x.shape(), 0)).sum());
    assertArrayEquals(new double[] {0, 1, 2}, Grad.grad(f).call(X).toDoubles());
  }

  @Test
  void refusesOtherTypes() {
    assertEquals(
        "vjp: cotangents must have the types of what they belong to, one by one: [f64[3]] for"
            + " [f64[3], f64[]]; reshape or cast them",
        refusal(() -> Vjp.vjp(TWO, X, Y).pullBack().apply(List.of(X))));
    assertEquals(
        "jvp: tangents must have the types of what they belong to, one by one: [f64[3], f64[]] for"
            + " [f64[3], f64[3]]; reshape or cast them",
        refusal(() -> Jvp.jvp(TWO, List.of(X, Y), List.of(X, Tensor.scalar(DType.F64, 1)))));
  }

  private static String refusal(org.junit.jupiter.api.function.Executable e) {
    return assertThrows(IllegalArgumentException.class, e).getMessage();
  }
}
