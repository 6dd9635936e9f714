package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.graph.Graph;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.tensor.Window;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What becomes part of a convolution, and what a program of windows leaves in memory. */
class ConvEpilogueTest {
  private static final Tolerance CLOSE = Tolerance.sum(100, 2);

  private static Tensor f32(int... dims) {
    return Values.range(-1, 1).make(TensorType.of(DType.F32, dims), Arrays.hashCode(dims));
  }

  /** Compiles with all but the first operand fixed; checks the result; gives the explanation. */
  private static String explained(Fn f, Tensor... args) {
    List<TensorType> types = Arrays.stream(args).map(Tensor::type).toList();
    Graph g = Jit.graph(f, types);
    Set<Integer> fixed = new java.util.HashSet<>();
    IntStream.range(1, args.length).forEach(fixed::add);
    List<Tensor> expected = Runs.on(Backends.reference(), g, List.of(args));
    try (var p = Backends.cpu().compile(g, CompileOptions.DEFAULT.withFixed(fixed))) {
      List<Tensor> y = Jit.run(p, List.of(args));
      for (int i = 0; i < y.size(); i++) {
        assertNull(CLOSE.difference(expected.get(i), y.get(i)));
      }
      return p.explain();
    }
  }

  private static List<String> everyRun(String explain) {
    return explain
        .lines()
        .skip(1)
        .filter(l -> l.matches(" +\\d+  .*") && !l.contains("once: "))
        .toList();
  }

  @Test
  void aBatchNormWithFixedStatisticsCostsNothing() {
    Fn f =
        a -> {
          Tensor y = a.get(0).conv(a.get(1), Window.of(3, 3).same(6, 5), 1);
          y = y.sub(a.get(2)).mul(a.get(3).add(1e-5).rsqrt().mul(a.get(4))).add(a.get(5));
          return List.of(y.relu());
        };
    Tensor var = Values.range(0.5, 2).make(TensorType.of(DType.F32, 9), 1);
    String text = explained(f, f32(2, 6, 5, 4), f32(3, 3, 4, 9), f32(9), var, f32(9), f32(9));
    assertEquals(1, everyRun(text).size(), text);
    assertTrue(everyRun(text).get(0).contains("+ bias relu"), text);
  }

  /** Of sums of nothing an implementation of oneDNN read at address 0. */
  @Test
  void windowsInThePaddingAloneStayOutside() {
    Window w = Window.of(1).withStrides(4).withPadding(new int[] {2}, new int[] {3});
    for (String name : List.of("relu", "tanh", "logistic")) {
      Fn f = a -> List.of(Tensor.apply(name, Attrs.NONE, a.get(0).conv(a.get(1), w, 1)));
      for (int out : new int[] {1, 16}) {
        String text = explained(f, f32(1, 1, 24), f32(1, 24, out));
        assertEquals(2, everyRun(text).size(), text);
      }
    }
  }

  @Test
  void aResidualIsAddedInside() {
    Window w = Window.of(1, 1);
    Fn f =
        a -> {
          Tensor x = a.get(0).conv(a.get(1), w, 1).add(a.get(3)).relu();
          Tensor y = x.conv(a.get(2), w, 1).add(a.get(3)).add(x);
          return List.of(y.relu().logistic());
        };
    String text = explained(f, f32(2, 3, 3, 8), f32(1, 1, 8, 8), f32(1, 1, 8, 8), f32(8));
    assertTrue(text.contains("+ bias + residual relu"), text);
    assertEquals(3, everyRun(text).size(), text);
  }

  @Test
  void aResidualThatIsReadAgainKeepsItsElements() {
    Fn f =
        a -> {
          Tensor x = a.get(0).conv(a.get(1)).relu();
          Tensor y = x.conv(a.get(2)).add(x).relu();
          Tensor z = y.conv(a.get(1)).add(x).relu();
          return List.of(z.conv(a.get(2)).add(a.get(0)), y);
        };
    String text = explained(f, f32(2, 3, 3, 8), f32(1, 1, 8, 8), f32(1, 1, 8, 8));
    assertTrue(text.contains("+ residual relu"), text);
  }

  @Test
  void whatOthersReadStaysAValueOfItsOwn() {
    Fn f =
        a -> {
          Tensor y = a.get(0).conv(a.get(1));
          return List.of(y, y.relu(), y.add(a.get(2)));
        };
    String text = explained(f, f32(1, 4, 4, 3), f32(2, 2, 3, 8), f32(8));
    assertFalse(text.contains("+ bias"), text);
  }

  @Test
  void aRowMinusAConvolutionIsNoBias() {
    explained(
        a -> List.of(a.get(2).sub(a.get(0).conv(a.get(1)))),
        f32(1, 4, 4, 3),
        f32(2, 2, 3, 8),
        f32(8));
  }

  @Test
  void tanhAndGroupsToo() {
    Fn f =
        a -> List.of(a.get(0).conv(a.get(1), Window.of(3), 4).mul(a.get(2)).add(a.get(3)).tanh());
    String text = explained(f, f32(2, 7, 8), f32(3, 2, 12), f32(12), f32(12));
    assertEquals(OneDnn.wide() ? 1 : 2, everyRun(text).size(), text); // else tanh is a kernel
  }

  @Test
  void nanIsNotHidden() {
    float[] x = new float[16];
    x[5] = Float.NaN;
    Fn f = a -> List.of(a.get(0).conv(a.get(1)).add(a.get(2)).relu());
    Tensor y = Jit.jit(f).call(Tensor.of(x, 1, 4, 4, 1), f32(1, 1, 1, 8), f32(8));
    for (int c = 0; c < 8; c++) {
      assertTrue(Float.isNaN(y.toFloats()[5 * 8 + c]), "channel " + c);
      assertFalse(Float.isNaN(y.toFloats()[4 * 8 + c]), "channel " + c);
    }
  }

  @Test
  void aSecondRunGivesTheSame() {
    List<Fn> all = new ArrayList<>();
    Window two = Window.of(2, 2).withStrides(2, 2);
    all.add(Fn.of((x, g) -> Tensor.apply("max_pool_grad", size(two), x, g)));
    all.add(Fn.of((x, g) -> x.maxPool(two).add(g)));
    all.add(Fn.of((x, g) -> x.convKernelGrad(g, two, 1)));
    for (Fn f : all) {
      for (int c : new int[] {3, 8, 9, 16}) {
        Tensor[] in = {f32(2, 6, 4, c), f32(2, 3, 2, c)};
        Graph graph = Jit.graph(f, List.of(in[0].type(), in[1].type()));
        Tensor expected = Runs.on(Backends.reference(), graph, List.of(in)).get(0);
        try (var p = Backends.cpu().compile(graph, CompileOptions.DEFAULT.withThreads(2));
            Allocator memory = new Allocator("test");
            Execution e = p.newExecution(memory)) {
          for (int i = 0; i < 2; i++) {
            e.bindInput(i, in[i].buffer());
          }
          for (int i = 0; i < e.output(0).size(); i++) {
            e.output(0).bytes().put(i, (byte) 0x7f);
          }
          for (int i = 0; i < 3; i++) {
            e.run();
            assertNull(CLOSE.difference(expected, Tensor.of(expected.type(), e.output(0))));
          }
        }
      }
    }
  }

  private static io.fragua.tensor.Attrs size(Window w) {
    return w.attrs().with("size", w.size());
  }

  @Test
  void bf16MathIsCloseToIt() {
    Fn f = a -> List.of(a.get(0).conv(a.get(1)).relu());
    Tensor[] in = {f32(2, 9, 9, 16), f32(3, 3, 16, 24)};
    Graph g = Jit.graph(f, List.of(in[0].type(), in[1].type()));
    Tensor expected = Runs.on(Backends.reference(), g, List.of(in)).get(0);
    CompileOptions o = CompileOptions.DEFAULT.withPrecision(io.fragua.exec.Precision.BF16_MATH);
    try (var p = Backends.cpu().compile(g, o)) {
      Tensor y = Jit.run(p, List.of(in)).get(0);
      assertNull(new Tolerance(0, 0.1 * 0x1p23).difference(expected, y));
    }
  }
}
