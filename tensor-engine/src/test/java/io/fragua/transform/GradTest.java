package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Values;
import java.util.List;
import org.junit.jupiter.api.Test;

class GradTest {
  private static final Tensor X = Tensor.of(new double[] {1, 2, 3}, 3);
  private static final Tensor Y = Tensor.of(new double[] {4, 5, 6}, 3);

  private static double[] grad(Fn f, Tensor... at) {
    return Runs.eval(Grad.grad(f), at).toDoubles();
  }

  @Test
  void givesTheValueAndOneGradientForEachOperand() {
    Fn f = x -> List.of(x.get(0).mul(x.get(1)).sum(), x.get(0).neg());
    List<Tensor> r = Runs.reference(Grad.valueAndGrad(f), X, Y);
    assertEquals(4, r.size());
    assertEquals(32, r.get(0).item());
    assertArrayEquals(new double[] {-1, -2, -3}, r.get(1).toDoubles());
    assertArrayEquals(Y.toDoubles(), r.get(2).toDoubles());
    assertArrayEquals(X.toDoubles(), r.get(3).toDoubles());
  }

  @Test
  void givesOnlyWhatIsAskedForInThatOrder() {
    Fn f = x -> List.of(x.get(0).mul(x.get(1)).sum());
    List<Tensor> r = Runs.reference(Grad.grad(f, 1, 0), X, Y);
    assertArrayEquals(X.toDoubles(), r.get(0).toDoubles());
    assertArrayEquals(Y.toDoubles(), r.get(1).toDoubles());
    assertEquals(1, Runs.reference(Grad.grad(f, 1), X, Y).size());
  }

  @Test
  void anUnusedOperandHasGradientZero() {
    List<Tensor> r = Runs.reference(Grad.grad(x -> List.of(x.get(0).sum())), X, Y);
    assertArrayEquals(new double[3], r.get(1).toDoubles());
    List<Tensor> none = Runs.reference(Grad.grad(x -> List.of(Tensor.scalar(DType.F64, 1))), X);
    assertArrayEquals(new double[3], none.get(0).toDoubles());
  }

  @Test
  void anOperandThatIsTheResultHasGradientOne() {
    assertArrayEquals(new double[] {1}, grad(Fn.of(x -> x), Tensor.scalar(DType.F64, 7)));
  }

  @Test
  void usesAddUp() {
    assertArrayEquals(
        new double[] {5, 7, 9}, grad(Fn.of(x -> x.mul(x).sum().add(x.mul(3).sum())), X));
  }

  @Test
  void stopGradientStops() {
    assertArrayEquals(new double[] {1, 2, 3}, grad(Fn.of(x -> x.mul(x.stopGradient()).sum()), X));
  }

  @Test
  void tiesShare() {
    Tensor t = Tensor.of(new double[] {2, 2, 1}, 3);
    assertArrayEquals(new double[] {0.5, 0.5, 0}, grad(Fn.of(x -> x.max()), t));
    assertArrayEquals(new double[] {0.5, 0.5, 0}, grad(Fn.of(x -> x.maximum(2).sum()), t));
    assertArrayEquals(new double[] {0, 0, 1}, grad(Fn.of(x -> x.min()), t));
  }

  @Test
  void aReductionOverNoAxesPassesTheGradientOn() {
    Fn f = Fn.of(x -> Tensor.apply("reduce_max", Attrs.of("axes", new int[0]), x).mul(Y).sum());
    assertArrayEquals(Y.toDoubles(), grad(f, X));
  }

  @Test
  void kinksHaveTheStatedDerivative() {
    Tensor zero = Tensor.of(new double[] {0, -0.0}, 2);
    assertArrayEquals(new double[] {0, 0}, grad(Fn.of(x -> x.relu().sum()), zero), 1e-300);
    assertArrayEquals(new double[] {0, 0}, grad(Fn.of(x -> x.abs().sum()), zero), 1e-300);
    assertArrayEquals(new double[] {1, 1}, grad(Fn.of(x -> x.pow(1).sum()), zero), 1e-300);
    assertArrayEquals(new double[] {0, 0}, grad(Fn.of(x -> x.pow(2).sum()), zero), 1e-300);
    assertArrayEquals(new double[] {0, 0}, grad(Fn.of(x -> x.pow(0).sum()), zero), 1e-300);
    Fn hypot = Fn.of((x, y) -> x.hypot(y));
    Tensor one = Tensor.of(new double[] {1, 1}, 2);
    double[] along =
        Jvp.jvp(hypot, List.of(zero, zero), List.of(one, one)).tangents().get(0).toDoubles();
    assertArrayEquals(new double[] {0, 0}, along, 1e-300);
  }

  /** A multiple has the slopes of the numbers around it, though NumPy gives its zero a sign. */
  @Test
  void remaindersOfMultiplesHaveSlopes() {
    Tensor x = Tensor.of(new double[] {6, -6, 0, 7, -7}, 5);
    Tensor y = Tensor.of(new double[] {3, 3, -3, 3, 3}, 5);
    Fn f = Fn.of((a, b) -> a.remainder(b));
    assertArrayEquals(new double[] {0, 0, -0.0, 1, 2}, f.call(x, y).toDoubles());
    List<Tensor> g = Runs.reference(Grad.grad(Fn.of((a, b) -> f.call(a, b).sum())), x, y);
    assertArrayEquals(new double[] {1, 1, 1, 1, 1}, g.get(0).toDoubles());
    assertArrayEquals(new double[] {-2, 2, 0, -2, 3}, g.get(1).toDoubles(), 1e-300);
    List<Tensor> fused =
        Jit.jit(Grad.grad(Fn.of((a, b) -> f.call(a, b).sum()))).apply(List.of(x, y));
    assertArrayEquals(g.get(0).toDoubles(), fused.get(0).toDoubles());
    assertArrayEquals(g.get(1).toDoubles(), fused.get(1).toDoubles(), 1e-300);
  }

  /** Where the slope behind them is infinite, steps have none all the same. */
  @Test
  void stepsHaveNoSlope() {
    Tensor low = Tensor.of(new double[] {0.25, 0}, 2);
    for (Fn step :
        List.of(Fn.of(Tensor::floor), Fn.of(Tensor::round), Fn.of(x -> x.sub(1).ceil()))) {
      assertArrayEquals(new double[2], grad(Fn.of(x -> step.call(x).sqrt().sum()), low), 1e-300);
    }
    Tensor zero = Tensor.of(new double[] {0, 0}, 2);
    assertArrayEquals(new double[2], grad(Fn.of(x -> x.sign().sqrt().sum()), zero), 1e-300);
    Fn signed = Fn.of((x, y) -> x.copysign(y).sqrt().sum());
    double[] by = Runs.reference(Grad.grad(signed), zero, low).get(1).toDoubles();
    assertArrayEquals(new double[2], by, 1e-300);
  }

  @Test
  void aNegativeBaseHasNoSlopeByTheExponent() {
    Fn f = Fn.of((x, p) -> x.pow(p).sum());
    Tensor x = Tensor.of(new double[] {-2, 0, 2}, 3);
    List<Tensor> g = Runs.reference(Grad.grad(f), x, Tensor.of(new double[] {3, 2, 3}, 3));
    assertArrayEquals(new double[] {12, 0, 12}, g.get(0).toDoubles(), 1e-12);
    double[] by = {Double.NaN, 0, 8 * Math.log(2)};
    assertArrayEquals(by, g.get(1).toDoubles(), 1e-12);
  }

  @Test
  void typesOfIntermediatesAreKept() {
    Tensor x = Tensor.of(new float[] {1, 2}, 2);
    Tensor g = Runs.eval(Grad.grad(Fn.of(t -> t.cast(DType.F64).square().sum())), x);
    assertEquals(x.type(), g.type());
    assertArrayEquals(new double[] {2, 4}, g.toDoubles());
  }

  @Test
  void thirdDerivative() {
    Fn f = Fn.of(x -> x.pow(4));
    Fn third =
        x -> {
          Fn first = y -> List.of(Grad.grad(f).apply(y).get(0));
          Fn second = y -> List.of(Grad.grad(first).apply(y).get(0));
          return Grad.grad(second).apply(x);
        };
    assertEquals(48, Runs.eval(third, Tensor.scalar(DType.F64, 2)).item(), 1e-9);
  }

  @Test
  void graphsAreDifferentiatedToGraphs() {
    Graph g =
        Tracer.trace(
            List.of(
                new Graph.Input("w", TensorType.of(DType.F64, 3)),
                new Graph.Input("x", TensorType.of(DType.F64, 3))),
            List.of("loss"),
            in -> List.of(in.get(0).mul(in.get(1)).sum()));
    Graph both = Grad.valueAndGrad(g, new int[] {0}, List.of("grad:w"));
    assertEquals(List.of("w", "x"), both.inputs().stream().map(Graph.Input::name).toList());
    assertEquals(
        List.of("loss", "grad:w"), both.outputs().stream().map(Graph.Output::name).toList());
    List<Tensor> r = Runs.on(io.fragua.exec.Backends.reference(), both, List.of(X, Y));
    assertEquals(32, r.get(0).item());
    assertArrayEquals(Y.toDoubles(), r.get(1).toDoubles());
  }

  @Test
  void compositionsAgreeWithDifferences() {
    Values v = Values.range(-1, 1);
    List<Tensor> in =
        List.of(
            v.make(TensorType.of(DType.F64, 4, 5), 1),
            v.make(TensorType.of(DType.F64, 5, 3), 2),
            v.make(TensorType.of(DType.F64, 3), 3));
    List<Fn> functions =
        List.of(
            x -> List.of(x.get(0).matmul(x.get(1)).add(x.get(2)).tanh()),
            x -> List.of(x.get(0).matmul(x.get(1)).softmax(-1).mul(x.get(2))),
            x -> List.of(x.get(0).matmul(x.get(1)).logSoftmax(0).mul(x.get(2))));
    for (Fn f : functions) {
      assertEquals(null, GradCheck.first(f, in));
      assertEquals(null, GradCheck.second(f, in));
    }
  }

  @Test
  void refusesWhatIsNoScalar() {
    assertEquals(
        "grad: the function's first result must be a floating scalar: [f64[3]]; reduce it, for"
            + " instance with mean()",
        refusal(Fn.of(Tensor::neg)));
    assertEquals(
        "grad: the function's first result must be a floating scalar: [i32[]]; reduce it, for"
            + " instance with mean()",
        refusal(Fn.of(x -> x.sum().cast(DType.I32))));
    assertEquals(
        "grad: wrt must name operands by position: 1 of 1 operands; correct it",
        refusal(Fn.of(x -> x.sum()), 1));
  }

  @Test
  void refusesOperandsWithoutADerivative() {
    String m =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    Runs.eval(
                        Grad.grad(x -> List.of(x.get(0).sum().cast(DType.F32))),
                        Tensor.of(new int[] {1}, 1)))
            .getMessage();
    assertEquals(
        "grad: operands to differentiate by must be floating: Input[name=arg0, type=i32[1]]; leave"
            + " it out of wrt",
        m);
  }

  private static String refusal(Fn f, int... wrt) {
    return assertThrows(IllegalArgumentException.class, () -> Runs.eval(Grad.grad(f, wrt), X))
        .getMessage();
  }
}
