package io.fragua.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Backends;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Runs;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class TracerTest {
  private static final TensorType LARGE = TensorType.of(DType.F32, 100, 200);

  private static Graph trace(TensorType t, Function<Tensor, Tensor> f) {
    return Tracer.trace(List.of(new Graph.Input("x", t)), in -> List.of(f.apply(in.get(0))));
  }

  @Test
  void scalarsStayScalarConstants() {
    Graph g =
        trace(
            LARGE, x -> x.mul(2.0).add(1).maximum(0).pow(3).greater(0.5).select(x, x.neg()).sub(x));
    assertEquals(5, g.constants().size());
    for (Tensor c : g.constants()) {
      assertEquals(Shape.SCALAR, c.shape());
    }
  }

  @Test
  void capturedTensorsBecomeConstantsOnce() {
    Tensor table = Tensor.of(new float[] {1, 2, 3}, 3);
    Tensor column = Tensor.of(new float[] {1, 2, 3}, 3, 1);
    Graph g =
        trace(TensorType.of(DType.F32, 2, 3), x -> x.add(table).mul(table).sub(x.matmul(column)));
    assertEquals(2, g.constants().size());
    assertSame(table, g.constants().get(0));
  }

  @Test
  void whatIsNotNeededIsNotRecorded() {
    Graph g =
        trace(
            LARGE,
            x -> {
              x.exp().mul(7).sum();
              return x.neg();
            });
    assertEquals(1, g.equations().size());
    assertEquals(0, g.constants().size());
  }

  @Test
  void sharedValuesAreRecordedOnce() {
    Graph g =
        trace(
            LARGE,
            x -> {
              Tensor y = x.exp();
              return y.add(y).mul(y);
            });
    assertEquals(3, g.equations().size());
  }

  @Test
  void deepProgramsNeedNoStack() {
    Graph g =
        trace(
            TensorType.of(DType.F32),
            x -> {
              Tensor y = x;
              for (int i = 0; i < 50_000; i++) {
                y = y.neg();
              }
              return y;
            });
    assertEquals(50_000, g.equations().size());
  }

  @Test
  void aTensorOfAnotherTraceIsRefused() {
    List<Tensor> leaked = new ArrayList<>();
    trace(
        LARGE,
        x -> {
          leaked.add(x.neg());
          return x;
        });
    String m =
        assertThrows(IllegalArgumentException.class, () -> trace(LARGE, x -> x.add(leaked.get(0))))
            .getMessage();
    assertEquals(
        "trace: a result depends on a tensor of another trace: traced f32[100, 200]; pass it as an"
            + " operand instead of capturing it",
        m);
  }

  @Test
  void valuesAreNotKnownWhileTracing() {
    String m =
        assertThrows(
                IllegalStateException.class,
                () ->
                    trace(
                        LARGE,
                        x -> {
                          x.toFloats();
                          return x;
                        }))
            .getMessage();
    assertTrue(
        m.startsWith("tensor: values are not known while tracing: a traced f32[100, 200];"), m);
  }

  @Test
  void everyResultNeedsAName() {
    String m =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    Tracer.trace(List.of(new Graph.Input("x", LARGE)), List.of("a", "b"), in -> in))
            .getMessage();
    assertEquals(
        "trace: every result needs a name: 1 results, names [a, b]; name each result once", m);
  }

  @Test
  void callOnTracedTensorsInlines() {
    Graph inner = trace(TensorType.of(DType.F32, 2), x -> x.mul(3).exp());
    Graph outer =
        trace(TensorType.of(DType.F32, 2), x -> inner.call(List.of(x.neg())).get(0).add(x));
    Tensor at = Tensor.of(new float[] {0, 1}, 2);
    float[] y = Runs.on(Backends.reference(), outer, List.of(at)).get(0).toFloats();
    assertEquals(1, y[0]);
    assertEquals(Math.exp(-3) + 1, y[1], 1e-6);
    assertEquals(5, outer.equations().size(), outer::toString);
  }

  @Test
  void callChecksItsArguments() {
    Graph g = trace(TensorType.of(DType.F32, 2), Tensor::neg);
    String m =
        assertThrows(
                IllegalArgumentException.class, () -> g.call(List.of(Tensor.zeros(DType.F64, 2))))
            .getMessage();
    assertEquals("graph: input \"x\" must be f32[2]: f64[2] given; reshape or cast it", m);
  }

  @Test
  void lookupByNameNamesWhatThereIs() {
    Graph g = trace(TensorType.of(DType.F32, 2), Tensor::neg);
    assertEquals(0, g.input("x"));
    assertEquals(0, g.output("out0"));
    for (Function<String, Integer> f : List.<Function<String, Integer>>of(g::input, g::output)) {
      String m = assertThrows(IllegalArgumentException.class, () -> f.apply("nobody")).getMessage();
      assertTrue(m.contains("\"nobody\""), m);
    }
  }
}
