package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Precision;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.nn.Activations;
import io.fragua.nn.Conv;
import io.fragua.nn.Dense;
import io.fragua.nn.Flatten;
import io.fragua.nn.Layer;
import io.fragua.nn.Losses;
import io.fragua.nn.Network;
import io.fragua.nn.Sequential;
import io.fragua.nn.TransformerEncoderLayer;
import io.fragua.optim.Optimizers;
import io.fragua.optim.Schedules;
import io.fragua.optim.Training;
import io.fragua.random.Key;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.GraphCases;
import io.fragua.testing.OpCase;
import io.fragua.testing.OpCases;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Precision BF16, as compiled for CPUs that multiply bf16 and for those that do not: products of
 * rounded operands, handed on rounded.
 */
class Bf16StorageTest {
  private static final CompileOptions BF16 =
      CompileOptions.DEFAULT.withPrecision(Precision.BF16).withThreads(2);

  /** Units of f32 in one of bf16. */
  private static final double UNIT = 0x1p16;

  private static List<Tensor> run(Graph g, CompileOptions o, boolean bf16, List<Tensor> in) {
    try (Program p = new CpuProgram(g, o, bf16)) {
      return Jit.run(p, in);
    }
  }

  private static Stream<Boolean> kinds() {
    return OneDnn.multipliesBf16() ? Stream.of(true, false) : Stream.of(false);
  }

  private static Tensor rounded(Tensor x) {
    return x.dtype() == DType.F32 ? x.cast(DType.BF16).cast(DType.F32) : x;
  }

  /** A product alone is that of its rounded operands, in f32: nothing else is rounded. */
  @TestFactory
  Stream<DynamicTest> rowsRoundTheirOperandsAndNothingElse() {
    return Stream.of("matmul", "conv", "conv_input_grad", "conv_kernel_grad")
        .flatMap(op -> kinds().map(k -> DynamicTest.dynamicTest(op + " " + k, () -> rows(op, k))));
  }

  private static void rows(String op, boolean bf16) {
    int n = 0;
    for (OpCase c : OpCases.of(op)) {
      boolean finite = c.inputs().stream().allMatch(x -> finite(x));
      if (c.types().get(0).dtype() == DType.F32 && finite) {
        List<Tensor> in = c.inputs();
        List<Tensor> halves = in.stream().map(Bf16StorageTest::rounded).toList();
        Tensor want = Runs.on(Backends.reference(), c.graph(), halves).get(0);
        Tensor got = run(c.graph(), BF16, bf16, in).get(0);
        String d = c.tolerance().difference(want, got);
        if (d != null && isSum(in)) { // which is no product to the compiler
          d = c.tolerance().difference(Runs.on(Backends.reference(), c.graph(), in).get(0), got);
        }
        assertEquals(null, d, c.toString());
        n++;
      }
    }
    assertTrue(n > 10, op);
  }

  /** True for outer products and for a matrix times one column, which are computed in f32. */
  private static boolean isSum(List<Tensor> in) {
    return in.get(0).shape().dim(-1) == 1 || in.get(1).shape().dim(-1) == 1;
  }

  private static boolean finite(Tensor x) {
    if (x.dtype() == DType.F32) {
      for (float f : x.toFloats()) {
        if (!Float.isFinite(f)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Whole graphs differ from the definition by what rounding explains. */
  @TestFactory
  Stream<DynamicTest> graphsAreCloseToTheReference() {
    return GraphCases.all().stream()
        .flatMap(
            c -> kinds().map(k -> DynamicTest.dynamicTest(c.name() + " " + k, () -> graph(c, k))));
  }

  private static void graph(GraphCases.GraphCase c, boolean bf16) {
    List<Tensor> want = Runs.on(Backends.reference(), c.graph(), c.inputs());
    List<Tensor> got = run(c.graph(), BF16, bf16, c.inputs());
    for (int i = 0; i < want.size(); i++) {
      Tensor w = want.get(i);
      if (w.dtype() == DType.F32) {
        double size = 1;
        for (float f : w.toFloats()) {
          size = Math.max(size, Math.abs(f));
        }
        Tolerance t = new Tolerance(8 * UNIT, 4 * UNIT * size);
        assertEquals(null, t.difference(w, got.get(i)), c.name());
      } else {
        assertEquals(w.type(), got.get(i).type());
      }
    }
  }

  /** A function of f32, and the same with every rounding written out; and what explain says. */
  record Chain(String name, Fn function, Fn roundings, List<String> says, int[]... dims) {}

  private static Tensor r(Tensor x) {
    return x.cast(DType.BF16).cast(DType.F32);
  }

  private static Tensor product(Tensor x, Tensor w) {
    return r(x).matmul(r(w));
  }

  private static List<Chain> chains() {
    return List.of(
        new Chain(
            "two layers",
            x -> List.of(x.get(0).matmul(x.get(1)).relu().matmul(x.get(2))),
            x -> List.of(product(r(product(x.get(0), x.get(1))).relu(), x.get(2))),
            List.of(" of bf16 to bf16", "kernel cast+relu+cast"),
            new int[] {40, 24},
            new int[] {24, 48},
            new int[] {48, 24}),
        new Chain(
            "gelu between layers",
            x ->
                List.of(Activations.gelu(x.get(0).matmul(x.get(1)).add(x.get(2))).matmul(x.get(1))),
            x ->
                List.of(
                    product(
                        r(Activations.gelu(product(x.get(0), x.get(1)).add(x.get(2)))), x.get(1))),
            List.of("to bf16 + bias gelu"),
            new int[] {40, 24},
            new int[] {24, 24},
            new int[] {24}),
        new Chain(
            "a gelu whose operand is read again",
            x -> {
              Tensor h = x.get(0).matmul(x.get(1));
              return List.of(Activations.gelu(h).matmul(x.get(1)), h.mul(2).exp());
            },
            x -> {
              Tensor h = r(product(x.get(0), x.get(1)));
              return List.of(product(r(Activations.gelu(h)), x.get(1)), h.mul(2).exp());
            },
            List.of(" of bf16 to bf16 (", "logistic+mul+cast"),
            new int[] {40, 24},
            new int[] {24, 24}),
        new Chain(
            "a sum around a layer",
            x -> {
              Tensor h = x.get(0).mul(3).sin();
              return List.of(h.matmul(x.get(1)).add(h));
            },
            x -> {
              Tensor h = r(x.get(0).mul(3).sin());
              return List.of(r(product(h, x.get(1))).add(h));
            },
            List.of(
                " of bf16 to bf16",
                "mul+sin+cast over [960] vector; reads 3,840, writes 1,920 bytes"),
            new int[] {40, 24},
            new int[] {24, 24}),
        new Chain(
            "a result that is also an operand",
            x -> {
              Tensor h = x.get(0).matmul(x.get(1)).exp();
              return List.of(h, h.matmul(x.get(1)));
            },
            x -> {
              Tensor h = r(product(x.get(0), x.get(1))).exp();
              return List.of(h, product(h, x.get(1)));
            },
            List.of(" of bf16 to bf16"),
            new int[] {40, 24},
            new int[] {24, 24}),
        new Chain(
            "moved between products",
            x -> {
              Tensor h = x.get(0).matmul(x.get(1)).reshape(8, 5, 6, 4).transpose(0, 2, 1, 3);
              return List.of(h.reshape(8, 120).matmul(x.get(2)));
            },
            x -> {
              Tensor h = r(product(x.get(0), x.get(1)));
              h = h.reshape(8, 5, 6, 4).transpose(0, 2, 1, 3);
              return List.of(product(h.reshape(8, 120), x.get(2)));
            },
            List.of("to bf16[8, 6, 5, 4]"),
            new int[] {40, 24},
            new int[] {24, 24},
            new int[] {120, 8}),
        new Chain(
            "a small result stays f32",
            x -> List.of(x.get(0).transpose(1, 0).matmul(x.get(1)).mul(0.3).exp()),
            x -> List.of(product(x.get(0).transpose(1, 0), x.get(1)).mul(0.3).exp()),
            List.of(" of bf16 scaled ("),
            new int[] {512, 24},
            new int[] {512, 24}));
  }

  @TestFactory
  Stream<DynamicTest> valuesAreRoundedWhereTheyAreHandedOn() {
    return chains().stream()
        .flatMap(
            c -> kinds().map(k -> DynamicTest.dynamicTest(c.name + " " + k, () -> chain(c, k))));
  }

  private static void chain(Chain c, boolean bf16) {
    List<Tensor> in = new ArrayList<>();
    for (int[] d : c.dims) {
      in.add(Values.range(-0.5, 0.5).make(TensorType.of(DType.F32, d), in.size()));
    }
    List<TensorType> types = in.stream().map(Tensor::type).toList();
    Graph g = Jit.graph(c.function, types);
    List<Tensor> want = Runs.on(Backends.reference(), Jit.graph(c.roundings, types), in);
    try (Program p = new CpuProgram(g, BF16, bf16)) {
      List<Tensor> got = Jit.run(p, in);
      for (int i = 0; i < want.size(); i++) {
        // another order of a sum may round it to the other side, once in a while
        Tolerance t = new Tolerance(0.25 * UNIT, 0.25 * UNIT);
        assertEquals(null, t.difference(want.get(i), got.get(i)), p.explain());
      }
      for (String s : c.says) {
        assertTrue(!bf16 || p.explain().contains(s), s + " in " + p.explain());
      }
      assertTrue(bf16 || p.explain().contains("BF16 in f32"), p.explain());
    }
  }

  @Test
  void fixedWeightsAreRoundedOnce() {
    Fn f = x -> List.of(x.get(0).matmul(x.get(1)));
    List<TensorType> types =
        List.of(TensorType.of(DType.F32, 32, 16), TensorType.of(DType.F32, 16, 64));
    for (boolean bf16 : kinds().toList()) {
      try (CpuProgram p = new CpuProgram(Jit.graph(f, types), BF16.withFixed(Set.of(1)), bf16)) {
        assertEquals(1, p.once(), p.explain());
      }
    }
  }

  /** Attention runs tile by tile, as it does in f32. */
  @Test
  void attentionStaysInCache() {
    Layer layer = new TransformerEncoderLayer(4, 64, Activations.get("gelu"), 0, false);
    TensorType x = TensorType.of(DType.F32, 4, 64, 64);
    Network.Variables v = Network.init(Network.of(layer), List.of(x), Key.of(3));
    Fn f =
        in ->
            List.of(
                Network.apply(
                        Network.of(layer),
                        new Network.Variables(
                            v.params().withLeaves(in.subList(1, in.size())), v.state()),
                        in.subList(0, 1),
                        false,
                        null,
                        null)
                    .output());
    List<Tensor> in = new ArrayList<>(List.of(Values.range(-2, 2).make(x, 1)));
    in.addAll(v.params().leaves());
    Graph g = Jit.graph(f, in.stream().map(Tensor::type).toList());
    Tensor want = Runs.on(Backends.reference(), g, in).get(0);
    for (boolean bf16 : kinds().toList()) {
      try (CpuProgram p = new CpuProgram(g, BF16, bf16)) {
        assertEquals(
            null, new Tolerance(2 * UNIT, 4 * UNIT).difference(want, Jit.run(p, in).get(0)));
        assertTrue(
            p.steps().stream()
                .anyMatch(s -> s instanceof TiledStep t && t.describe().contains("matmul")));
      }
    }
  }

  private static final Layer MLP =
      new Sequential(new Dense(16), Activations.get("tanh"), new Dense(1));
  private static final Layer CNN =
      new Sequential(new Conv(8, 3, 3), Activations.get("relu"), new Flatten(), new Dense(1));

  @Test
  void smallNetworksLearn() {
    Tensor x = Values.range(-1, 1).make(TensorType.of(DType.F32, 64, 2), 5);
    Tensor y = x.slice(1, 0, 1).mul(x.slice(1, 1, 2)).greater(0).cast(DType.F32).reshape(64);
    learns(MLP, x, y);
    Tensor images = Values.range(-1, 1).make(TensorType.of(DType.F32, 32, 6, 6, 1), 6);
    learns(CNN, images, images.reshape(32, 36).sum(1).greater(0).cast(DType.F32));
  }

  private static void learns(Layer layer, Tensor x, Tensor y) {
    int n = y.shape().dim(0);
    Training t =
        new Training(
            Network.of(layer),
            (out, in) -> Losses.binaryCrossEntropyWithLogits(out.reshape(n), in.get(0)).mean(),
            Optimizers.adam(Schedules.constant(0.02)));
    Network.Variables v = Network.init(t.body(), List.of(x.type()), Key.of(1));
    double first;
    double last = 0;
    try (Training.Run run = t.start(v, List.of(x.type()), List.of(y.type()), Key.of(2), BF16)) {
      first = run.step(x, y);
      for (int i = 0; i < 300; i++) {
        last = run.step(x, y);
      }
      run.variables().params().asMap().forEach((k, p) -> assertTrue(finite(p), k));
    }
    assertTrue(last < first / 4, first + " to " + last);
  }

  @Test
  void gradientsAreThoseOfF32ButForRounding() {
    Fn loss = x -> List.of(x.get(0).matmul(x.get(1)).tanh().matmul(x.get(2)).square().mean());
    Fn f = x -> Grad.grad(loss).apply(x);
    List<Tensor> in = new ArrayList<>();
    for (int[] d : new int[][] {{64, 32}, {32, 48}, {48, 16}}) {
      in.add(Values.range(-1, 1).make(TensorType.of(DType.F32, d), in.size()));
    }
    Graph g = Jit.graph(f, in.stream().map(Tensor::type).toList());
    List<Tensor> want = Runs.on(Backends.reference(), g, in);
    for (boolean bf16 : kinds().toList()) {
      List<Tensor> got = run(g, BF16, bf16, in);
      for (int i = 0; i < 3; i++) {
        double size = want.get(i).abs().max().item();
        Tolerance t = new Tolerance(0, 8 * UNIT * size);
        assertEquals(null, t.difference(want.get(i), got.get(i)));
      }
    }
  }

  @Test
  void otherTypesAreLeftAlone() {
    Fn f = x -> List.of(x.get(0).matmul(x.get(1)).exp().matmul(x.get(1)));
    TensorType t = TensorType.of(DType.F64, 16, 16);
    List<Tensor> in = List.of(Values.range(-1, 1).make(t, 1), Values.range(-1, 1).make(t, 2));
    Graph g = Jit.graph(f, List.of(t, t));
    String d =
        new Tolerance(64, 64)
            .difference(Runs.on(Backends.reference(), g, in).get(0), run(g, BF16, true, in).get(0));
    assertEquals(null, d);
  }

  /** Also when operands come and go. */
  @Test
  void runningAllocatesNoMemoryOfTheWorkspace() {
    Fn f = x -> List.of(x.get(0).matmul(x.get(1)).tanh().matmul(x.get(1)));
    TensorType t = TensorType.of(DType.F32, 64, 64);
    Allocator memory = new Allocator("test");
    try (Program p = Backends.cpu().compile(Jit.graph(f, List.of(t, t)), BF16);
        Execution x = p.newExecution(memory)) {
      x.input(0);
      x.input(1);
      x.run();
      long bytes = memory.bytes();
      Buffer other = Buffer.collected(t.byteSize());
      x.bindInput(0, other);
      x.run();
      assertTrue(memory.bytes() <= bytes);
      assertFalse(p.explain().contains("interpreted"));
    }
    memory.close();
  }
}
