package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backend;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.GraphCases;
import io.fragua.testing.Runs;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JitTest {
  private static final Tensor X = Tensor.of(new float[] {1, 2, 3}, 3);

  /** Counts what is compiled; computes by the reference. */
  private static final class Counting implements Backend {
    private final List<Graph> compiled = new ArrayList<>();

    @Override
    public String name() {
      return "counting";
    }

    @Override
    public Program compile(Graph graph, CompileOptions options) {
      compiled.add(graph);
      return Backends.reference().compile(graph, options);
    }
  }

  @Test
  void compilesOnceForEachListOfTypes() {
    Counting b = new Counting();
    int[] traced = {0};
    Fn f =
        Jit.jit(
            x -> {
              traced[0]++;
              return List.of(x.get(0).mul(2));
            },
            b,
            CompileOptions.DEFAULT);
    assertArrayEquals(new float[] {2, 4, 6}, f.call(X).toFloats());
    assertArrayEquals(new float[] {2, 4, 6}, f.call(X).toFloats());
    f.call(Tensor.zeros(DType.F32, 4));
    f.call(Tensor.zeros(DType.F64, 4));
    assertEquals(3, b.compiled.size());
    assertEquals(3, traced[0]);
  }

  @Test
  void callingItselfWhileItIsCompiledIsExplained() {
    Fn[] self = new Fn[1];
    self[0] = Jit.jit(x -> List.of(x.get(0).add(self[0].call(X))));
    for (int i = 0; i < 2; i++) { // the second call as the first
      String m = assertThrows(IllegalArgumentException.class, () -> self[0].call(X)).getMessage();
      assertEquals(
          "jit: a function must not call itself with values while it is compiled: operands"
              + " [f32[3]]; call there the function that was given to jit",
          m);
    }
    Fn other = Jit.jit(x -> List.of(x.get(0).add(self[0].call(x.get(0)))));
    assertThrows(IllegalArgumentException.class, () -> other.call(X)); // it inlines, and calls
  }

  @Test
  void inlinesWhenTraced() {
    Counting b = new Counting();
    Fn inner = Jit.jit(Fn.of(x -> x.mul(2).exp()), b, CompileOptions.DEFAULT);
    Fn outer = Fn.of(x -> inner.call(x).sum());
    Graph g = Jit.graph(outer, List.of(X.type()));
    assertEquals(0, b.compiled.size());
    assertEquals(4, g.equations().size(), g::toString);
    Fn gradient = Jit.jit(Grad.grad(outer), b, CompileOptions.DEFAULT);
    float[] d = gradient.call(X).toFloats();
    assertEquals(2 * Math.exp(4), d[1], 1e-4);
    assertEquals(1, b.compiled.size());
  }

  @Test
  void resultsAreNewTensors() {
    Fn f = Jit.jit(x -> List.of(x.get(0), x.get(0)), Backends.reference(), CompileOptions.DEFAULT);
    List<Tensor> r = f.apply(List.of(X));
    r.get(0).buffer().putDouble(DType.F32, 0, 9);
    assertArrayEquals(new float[] {1, 2, 3}, r.get(1).toFloats());
    assertArrayEquals(new float[] {1, 2, 3}, X.toFloats());
  }

  @TestFactory
  Stream<DynamicTest> equalsEagerUse() {
    return GraphCases.all().stream()
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.name(),
                    () -> {
                      List<Tensor> in = c.inputs();
                      List<Tensor> eager = c.function().apply(in);
                      List<Tensor> compiled = Jit.jit(c.function()).apply(in);
                      for (int i = 0; i < eager.size(); i++) {
                        assertEquals(null, c.tolerance().difference(eager.get(i), compiled.get(i)));
                      }
                    }));
  }

  @Test
  void refusesOperandsOfOtherTypes() {
    Program p =
        Backends.reference()
            .compile(
                Jit.graph(Fn.of(Tensor::neg), List.of(TensorType.of(DType.F32, 4))),
                CompileOptions.DEFAULT);
    String m =
        assertThrows(IllegalArgumentException.class, () -> Jit.run(p, List.of(X))).getMessage();
    assertEquals("graph: input \"arg0\" must be f32[4]: f32[3] given; reshape or cast it", m);
    m = assertThrows(IllegalArgumentException.class, () -> Jit.run(p, List.of())).getMessage();
    assertEquals(
        "graph: takes 1 inputs: 0 given; the inputs are [Input[name=arg0, type=f32[4]]]", m);
  }

  @Test
  void runsComposedFunctionsByName() {
    assertEquals(14, Runs.eval(x -> List.of(x.get(0).square().sum()), X).item());
  }

  /** Two results and an index; of the three operands two may require a gradient. */
  private static final Fn MIXED =
      in -> {
        Tensor y = in.get(0).mul(in.get(1)).gather(in.get(2));
        return List.of(y.exp(), y.sum(), in.get(2).add(1));
      };

  private static final Tensor IDS = Tensor.of(new int[] {2, 0, 2}, 3);

  /** The gradients of two operands, null for one that requires none. */
  private static List<float[]> slopes(Fn f, boolean first, boolean second, boolean both) {
    Tensor a = first ? X.div(4).requiresGrad() : X.div(4);
    Tensor b = second ? X.sub(2).requiresGrad() : X.sub(2);
    List<Tensor> y = f.apply(List.of(a.mul(2), b, IDS));
    (both ? y.get(0).sum().add(y.get(1).square()) : y.get(1)).backward();
    List<float[]> g = new ArrayList<>();
    g.add(first ? a.grad().toFloats() : null);
    g.add(second ? b.grad().toFloats() : null);
    return g;
  }

  @Test
  void eagerGradientsGoThrough() {
    Counting b = new Counting();
    Fn f = Jit.jit(MIXED, b, CompileOptions.DEFAULT.withDonated(java.util.Map.of()));
    boolean[] choice = {true, false};
    for (boolean first : choice) {
      for (boolean second : choice) {
        for (boolean both : choice) {
          if (first || second) {
            List<float[]> expected = slopes(MIXED, first, second, both);
            for (Fn compiled : List.of(f, Jit.jit(MIXED))) {
              List<float[]> actual = slopes(compiled, first, second, both);
              for (int i = 0; i < 2; i++) {
                assertArrayEquals(expected.get(i), actual.get(i), 1e-5f);
              }
            }
          }
        }
      }
    }
    // the function, and one program that goes back for each choice of operands
    assertEquals(4, b.compiled.size());
  }

  @Test
  void eagerGradientsAreForgottenRetainedAndSwitchedOff() {
    Fn square = Jit.jit(Fn.of(x -> x.square().sum()));
    Tensor x = X.mul(1).requiresGrad();
    Tensor y = square.call(x);
    y.backward(true);
    y.backward();
    assertArrayEquals(new float[] {4, 8, 12}, x.grad().toFloats());
    assertThrows(IllegalArgumentException.class, y::backward);
    assertEquals(false, io.fragua.tensor.Autograd.noGrad(() -> square.call(x)).isTracked());
    // rules of the user's own and checkpoints keep theirs
    Fn own = CustomVjp.customVjp(Fn.of(v -> v.round()), (in, g) -> g);
    Fn both = Jit.jit(Checkpoint.checkpoint(Fn.of(v -> own.call(v).mul(v).sum())));
    x.zeroGrad();
    both.call(x.add(0.25)).backward();
    assertArrayEquals(new float[] {2.25f, 4.25f, 6.25f}, x.grad().toFloats());
  }

  @Test
  void aDerivativeThatIsRefusedIsRefusedGoingBack() {
    Fn loop =
        Jit.jit(
            in ->
                Control.whileLoop(
                    s -> List.of(s.get(0).sum().less(50)), s -> List.of(s.get(0).mul(2)), in));
    Tensor y = loop.call(X.requiresGrad()).sum();
    String m = assertThrows(IllegalArgumentException.class, y::backward).getMessage();
    assertEquals("while_loop: has no derivative", m.substring(0, 29));
  }

  /**
   * Large memory does not come from the collector, which sees only that nobody holds the function.
   */
  @Test
  void aForgottenFunctionFreesWhatItHolds() throws InterruptedException {
    Tensor w = Tensor.zeros(DType.F32, 3, 1 << 20);
    Tensor x = Tensor.zeros(DType.F32, 2, 3).requiresGrad();
    long before = Allocator.held();
    Fn f = Jit.jit(Fn.of(v -> v.matmul(w).sum()));
    f.call(x).backward();
    assertTrue(Allocator.held() >= before + w.type().byteSize() / 2, "others may be collected");
    f = null;
    for (int i = 0; i < 200 && Allocator.held() > before + (1 << 20); i++) {
      System.gc();
      Thread.sleep(50);
    }
    assertTrue(Allocator.held() <= before + (1 << 20), () -> before + " " + Allocator.held());
  }

  /** A number that is known is cast as one that is not. */
  @ParameterizedTest
  @CsvSource({
    "1e10, I32",
    "-1e10, I16",
    "300, U8",
    "-1, U8",
    "Infinity, I32",
    "NaN, I8",
    "1e30, I64"
  })
  void knownNumbersAreCastAlike(double number, DType to) {
    Fn f = Fn.of(x -> x.cast(to).add(Tensor.zeros(to, 2).lift(x)));
    Tensor x = Tensor.scalar(DType.F64, number);
    Tensor known = Jit.jit(Fn.of(v -> f.call(x.lift(v)))).call(Tensor.zeros(DType.F64));
    Tensor expected = f.call(x.broadcastTo(Shape.of(1)).reshape());
    assertArrayEquals(expected.toDoubles(), known.toDoubles());
    assertArrayEquals(Jit.jit(f).call(x).toDoubles(), known.toDoubles());
  }
}
