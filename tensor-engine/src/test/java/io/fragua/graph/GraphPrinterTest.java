package io.fragua.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.GraphCases;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The printed form is stable: it is stored and compared. */
class GraphPrinterTest {
  static Graph layer() {
    return Tracer.trace(
        List.of(
            new Graph.Input("x", TensorType.of(DType.F32, 2, 3)),
            new Graph.Input("kernel", TensorType.of(DType.F32, 3, 4)),
            new Graph.Input("bias", TensorType.of(DType.F32, 4))),
        List.of("y", "top"),
        in -> {
          Tensor y = in.get(0).matmul(in.get(1)).add(in.get(2)).mul(2).relu();
          return List.of(y.pad(0, 1, 0, Double.NEGATIVE_INFINITY), y.argmax(1));
        });
  }

  @Test
  void printsOneEquationALine() {
    assertEquals(
        """
        graph (x %0: f32[2, 3], kernel %1: f32[3, 4], bias %2: f32[4]) {
          %3 = constant f32[] {2.0}
          %4: f32[2, 4] = matmul(%0, %1)
          %5: f32[2, 4] = broadcast_in_dim(%2) {dims=[1], shape=[2, 4]}
          %6: f32[2, 4] = add(%4, %5)
          %7: f32[2, 4] = broadcast_in_dim(%3) {dims=[], shape=[2, 4]}
          %8: f32[2, 4] = mul(%6, %7)
          %9: f32[2, 4] = relu(%8)
          %10: f32[3, 4] = pad(%9) {axis=0, high=0, interior=0, low=1, value=-Infinity}
          %11: i32[2] = argmax(%9) {axis=1}
          return y %10, top %11
        }
        """,
        layer().toString());
  }

  @Test
  void printsLongConstantsInPart() {
    Tensor c = Tensor.of(new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, 9);
    Graph g = Tracer.trace(List.of(), in -> List.of(c));
    assertEquals(
        """
        graph () {
          %0 = constant i32[9] {1, 2, 3, 4, 5, 6, 7, 8, ...}
          return out0 %0
        }
        """,
        g.toString());
  }

  @Test
  void tracingTwicePrintsTheSame() {
    for (GraphCases.GraphCase c : GraphCases.all()) {
      assertEquals(c.graph().toString(), c.graph().toString(), c.name());
    }
  }

  @Test
  void settingsPrintInOrderOfNameAndCompareByTypeAndValue() {
    Attrs a = Attrs.of("b", 1).with("a", new int[] {1, 2}).with("c", 0.5).with("t", DType.BF16);
    assertEquals("a=[1, 2], b=1, c=0.5, t=bf16", a.toString());
    Attrs same = Attrs.of("t", "bf16").with("c", 0.5).with("a", new int[] {1, 2}).with("b", 1);
    assertEquals(a, same);
    assertEquals(a.hashCode(), same.hashCode());
    for (Object other : new Object[] {"1", 1.0, new int[] {1}, 2}) {
      org.junit.jupiter.api.Assertions.assertNotEquals(Attrs.of("b", 1), Attrs.of("b", other));
    }
  }
}
