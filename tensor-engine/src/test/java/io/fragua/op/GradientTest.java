package io.fragua.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.GradCheck;
import io.fragua.testing.OpCase;
import io.fragua.testing.OpCases;
import io.fragua.testing.Runs;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The derivative of every row, first and second order, against finite differences. */
class GradientTest {
  /** The cases of a row that can be differentiated numerically. */
  static List<OpCase> differentiable(Op op) {
    return OpCases.of(op.name()).stream()
        .filter(c -> c.smooth() && c.size() <= 60)
        .filter(c -> c.types().stream().anyMatch(t -> t.dtype() == DType.F64))
        .filter(c -> c.results().stream().anyMatch(t -> t.dtype() == DType.F64))
        .toList();
  }

  @TestFactory
  Stream<DynamicTest> derivativesAgreeWithDifferences() {
    return OpTable.rows().stream()
        .filter(Op::differentiable)
        .map(
            op ->
                DynamicTest.dynamicTest(
                    op.name(),
                    () -> {
                      List<String> wrong = new ArrayList<>();
                      for (OpCase c : differentiable(op)) {
                        List<Tensor> at = c.inputs();
                        String d = GradCheck.first(c.function(), at);
                        if (d == null) {
                          d = GradCheck.second(c.function(), at);
                          d = d == null ? null : "second order: " + d;
                        }
                        if (d != null) {
                          wrong.add(c + ": " + d);
                        }
                      }
                      assertEquals(List.of(), wrong);
                    }));
  }

  @TestFactory
  Stream<DynamicTest> nothingFlowsThroughRowsWithoutADerivative() {
    return OpTable.rows().stream()
        .filter(op -> op.noGradient() != null && op.arity() > 0)
        .map(
            op ->
                DynamicTest.dynamicTest(
                    op.name() + ": " + op.noGradient(),
                    () -> {
                      List<OpCase> cases =
                          OpCases.of(op.name()).stream()
                              .filter(c -> c.size() > 0 && c.size() < 50)
                              .toList();
                      assertFalse(cases.isEmpty());
                      cases.forEach(GradientTest::checkNoFlow);
                    }));
  }

  /**
   * The operands are made from one f64 tensor each, whose gradient through the row must be zero.
   */
  private static void checkNoFlow(OpCase c) {
    Fn f =
        x -> {
          List<Tensor> in = new ArrayList<>();
          for (int i = 0; i < x.size(); i++) {
            in.add(x.get(i).cast(c.types().get(i).dtype()));
          }
          Tensor sum = x.get(0).sum();
          for (Tensor y : c.function().apply(in)) {
            sum = sum.add(y.cast(DType.F64).sum());
          }
          return List.of(sum);
        };
    Tensor[] at =
        c.types().stream()
            .map(t -> Values.range(0.5, 1).make(new TensorType(DType.F64, t.shape()), 5))
            .toArray(Tensor[]::new);
    List<Tensor> g = Runs.reference(Grad.grad(f), at);
    for (int i = 0; i < g.size(); i++) {
      double[] expected = new double[Math.toIntExact(at[i].shape().size())];
      java.util.Arrays.fill(expected, i == 0 ? 1 : 0); // the sum alone, to show that grad works
      assertArrayEquals(expected, g.get(i).toDoubles(), c + ", operand " + i);
    }
  }
}
