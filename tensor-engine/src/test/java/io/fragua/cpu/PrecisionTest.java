package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Precision;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.nn.Activations;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.tensor.Window;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Products in BF16_MATH: operands rounded to 8 bits of mantissa, sums in f32. So the error is at
 * most 2 * 2^-9 (a little more, as both are rounded) of the product of the magnitudes.
 */
class PrecisionTest {
  /** Units of f32 in one of bf16. */
  private static final double UNIT = 0x1p16;

  private static final double BOUND = 2 * Math.scalb(1, -9) * 1.01;

  /**
   * A product of two operands, however they lie in memory.
   *
   * @param odd whether rows of the left one lie whole and have an odd length
   */
  record Case(String name, Fn product, int[] left, int[] right, boolean odd) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> cases() {
    Fn plain = x -> List.of(x.get(0).matmul(x.get(1)));
    return Stream.of(
        new Case("square", plain, new int[] {64, 64}, new int[] {64, 64}, false),
        new Case(
            "parts of inputs",
            x -> List.of(x.get(0).slice(0, 0, 32).matmul(x.get(1).slice(1, 0, 32))),
            new int[] {128, 64},
            new int[] {64, 96},
            false),
        new Case("odd", plain, new int[] {33, 17}, new int[] {17, 19}, true),
        new Case("one row", plain, new int[] {1, 40}, new int[] {40, 24}, false),
        new Case("one column", plain, new int[] {40, 24}, new int[] {24, 1}, false),
        new Case("batch", plain, new int[] {3, 5, 8}, new int[] {3, 8, 7}, false),
        new Case("repeated", plain, new int[] {3, 5, 8}, new int[] {1, 8, 7}, false),
        new Case(
            "transposed left",
            x -> List.of(x.get(0).transpose(1, 0).matmul(x.get(1))),
            new int[] {17, 33},
            new int[] {17, 19},
            false),
        new Case(
            "transposed right",
            x -> List.of(x.get(0).matmul(x.get(1).transpose(1, 0))),
            new int[] {33, 17},
            new int[] {19, 17},
            true),
        new Case(
            "parts",
            x -> List.of(x.get(0).slice(1, 3, 20).matmul(x.get(1).slice(0, 2, 19))),
            new int[] {33, 25},
            new int[] {21, 19},
            true));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void roundsOperandsAndNothingElse(Case c) {
    Tensor a = random(c.left, 1);
    Tensor b = random(c.right, 2);
    float[] exact = run(c.product, Precision.STRICT, a, b);
    float[] rounded = run(c.product, Precision.BF16_MATH, a, b);
    float[] size = run(x -> c.product.apply(x), Precision.STRICT, a.abs(), b.abs());
    assertEquals(exact.length, rounded.length);
    boolean differs = false;
    for (int i = 0; i < exact.length; i++) {
      differs |= exact[i] != rounded[i];
      assertTrue(
          Math.abs(exact[i] - rounded[i]) <= BOUND * size[i] + 1e-30,
          c + " at " + i + ": " + rounded[i] + ", not " + exact[i] + " of " + size[i]);
    }
    boolean vector = c.left[c.left.length - 2] == 1 || c.right[c.right.length - 1] == 1;
    boolean odd = c.odd && !OneDnn.multipliesTiles(); // then f32, lest NaN spreads
    assertTrue(differs || vector || odd || !OneDnn.multipliesBf16(), "no operand was rounded");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void numbersOfFewBitsStayExact(Case c) {
    Tensor a = whole(c.left, 3);
    Tensor b = whole(c.right, 4);
    assertArrayEquals(
        run(c.product, Precision.STRICT, a, b), run(c.product, Precision.BF16_MATH, a, b));
  }

  /**
   * A function, and the same with the roundings of operands written out.
   *
   * @param says what explain says on CPUs that multiply bf16
   */
  record Chain(String name, Fn function, Fn roundings, List<String> says, int[]... dims) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Tensor r(Tensor x) {
    return x.cast(DType.BF16).cast(DType.F32);
  }

  private static Tensor product(Tensor x, Tensor w) {
    return r(x).matmul(r(w));
  }

  private static Tensor conv(Tensor x, Tensor w, int height, int width) {
    return x.conv(w, Window.of(3, 3).same(height, width), 1);
  }

  private static Tensor maxima(Tensor x) {
    Window w = Window.of(3, 3).withStrides(2, 2).withPadding(new int[] {1, 1}, new int[] {1, 1});
    return x.maxPool(w).reshape(32, 20);
  }

  static List<Chain> chains() {
    return List.of(
        new Chain(
            "product of a product",
            x -> List.of(x.get(0).matmul(x.get(1)).matmul(x.get(1))),
            x -> List.of(product(product(x.get(0), x.get(1)), x.get(1))),
            List.of("of bf16 to bf16"),
            new int[] {40, 24},
            new int[] {24, 24}),
        new Chain(
            "what others read stays f32",
            x -> {
              Tensor h = x.get(0).mul(3).sin();
              return List.of(h.matmul(x.get(1)).sin(), h.mul(2));
            },
            x -> {
              Tensor h = x.get(0).mul(3).sin();
              return List.of(product(h, x.get(1)).sin(), h.mul(2));
            },
            List.of("kernel mul+sin+cast+mul over [960] vector; reads 3,840, writes 5,760 bytes"),
            new int[] {40, 24},
            new int[] {24, 24}),
        new Chain(
            "a product that others read stays f32",
            x -> {
              Tensor h = x.get(0).matmul(x.get(1));
              return List.of(h.matmul(x.get(1)).add(h));
            },
            x -> {
              Tensor h = product(x.get(0), x.get(1));
              return List.of(product(h, x.get(1)).add(h));
            },
            List.of("kernel cast over [960]"),
            new int[] {40, 24},
            new int[] {24, 24}),
        new Chain(
            "two layers",
            x -> List.of(x.get(0).matmul(x.get(1)).add(x.get(2)).relu().matmul(x.get(1))),
            x -> List.of(product(product(x.get(0), x.get(1)).add(x.get(2)).relu(), x.get(1))),
            List.of("kernel relu+cast over [960] vector; reads 3,840, writes 1,920 bytes"),
            new int[] {40, 24},
            new int[] {24, 24},
            new int[] {24}),
        new Chain(
            "gelu between layers",
            x ->
                List.of(Activations.gelu(x.get(0).matmul(x.get(1)).add(x.get(2))).matmul(x.get(1))),
            x ->
                List.of(
                    product(Activations.gelu(product(x.get(0), x.get(1)).add(x.get(2))), x.get(1))),
            List.of("to bf16 + bias gelu"),
            new int[] {40, 24},
            new int[] {24, 24},
            new int[] {24}),
        new Chain(
            "moved between products",
            x -> {
              Tensor h = x.get(0).matmul(x.get(1)).reshape(4, 4, 6, 4).transpose(0, 2, 1, 3);
              return List.of(h.reshape(4, 96).matmul(x.get(2)));
            },
            x -> {
              Tensor h = product(x.get(0), x.get(1)).reshape(4, 4, 6, 4).transpose(0, 2, 1, 3);
              return List.of(product(h.reshape(4, 96), x.get(2)));
            },
            List.of("to bf16[4, 6, 4, 4]"),
            new int[] {16, 24},
            new int[] {24, 24},
            new int[] {96, 8}),
        new Chain(
            "convolutions and an image around them",
            x -> {
              Tensor h = conv(x.get(0), x.get(1), 6, 6).relu();
              return List.of(conv(h, x.get(1), 6, 6).add(x.get(0)));
            },
            x -> {
              Tensor h = conv(r(x.get(0)), r(x.get(1)), 6, 6).relu();
              return List.of(conv(r(h), r(x.get(1)), 6, 6).add(x.get(0)));
            },
            List.of("of bf16 to bf16 relu", "of bf16 + residual"),
            new int[] {2, 6, 6, 16},
            new int[] {3, 3, 16, 16}),
        new Chain(
            "maxima, of NaN too, with channels left over",
            x -> List.of(maxima(x.get(0).sqrt()).matmul(x.get(1))),
            x -> List.of(product(maxima(x.get(0).sqrt()), x.get(1))),
            List.of("max_pool bf16[2, 7, 7, 20]", "kernel sqrt+cast"),
            new int[] {2, 7, 7, 20},
            new int[] {20, 8}),
        new Chain(
            "a vector",
            x -> List.of(x.get(0).matmul(x.get(1)).matmul(x.get(2))),
            x -> List.of(product(x.get(0), x.get(1)).matmul(x.get(2))),
            List.of("24x24 of bf16 ", "matmul 40x24 * 24x1 ("),
            new int[] {40, 24},
            new int[] {24, 24},
            new int[] {24, 1}));
  }

  /** With AMX oneDNN may round what is left to it, so that there is nothing to compare with. */
  private static List<Boolean> kinds() {
    if (OneDnn.multipliesTiles()) {
      return List.of(true);
    }
    return OneDnn.multipliesBf16() ? List.of(true, false) : List.of(false);
  }

  /** Also with threads and fixed weights, and in f32 where the CPU does not multiply bf16. */
  @ParameterizedTest
  @MethodSource("chains")
  void operandsAloneAreRoundedHoweverFarBack(Chain c) {
    List<Tensor> in = new ArrayList<>();
    for (int[] d : c.dims) {
      in.add(random(d, in.size()).mul(0.5));
    }
    if (c.name.contains("NaN")) {
      in.set(0, in.get(0).add(0.499)); // one in a thousand is below 0
    }
    List<TensorType> types = in.stream().map(Tensor::type).toList();
    Graph g = Jit.graph(c.function, types);
    List<Tensor> exact = Runs.on(Backends.reference(), g, in);
    List<Tensor> rounded = Runs.on(Backends.reference(), Jit.graph(c.roundings, types), in);
    CompileOptions one = CompileOptions.DEFAULT.withPrecision(Precision.BF16_MATH);
    for (CompileOptions o : List.of(one, one.withFixed(Set.of(1, 2)), one.withThreads(2))) {
      for (boolean bf16 : kinds()) {
        try (Program p = new CpuProgram(g, o, bf16)) {
          List<Tensor> got = Jit.run(p, in);
          for (int i = 0; i < got.size(); i++) {
            // another order of a sum may round it to the other side, once in a while
            Tolerance t = bf16 ? new Tolerance(0.2 * UNIT, 0.2 * UNIT) : new Tolerance(64, 64);
            List<Tensor> want = bf16 ? rounded : exact;
            assertEquals(null, t.difference(want.get(i), got.get(i)), p.explain());
          }
          for (String s : c.says) {
            assertTrue(!bf16 || p.explain().contains(s), s + " in " + p.explain());
          }
          assertTrue(bf16 || !p.explain().contains("bf16"), p.explain());
        }
      }
    }
  }

  /** A NaN stays in its row or pixel, whatever the length of rows. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 31, 36, 48, 64, 85})
  void rowsStayApart(int k) {
    Tensor x = Tensor.full(TensorType.of(DType.F32, 32, k), 1);
    x.buffer().putDouble(DType.F32, 2 * k, Double.NaN);
    Tensor w = Tensor.full(TensorType.of(DType.F32, k, 8), 1);
    Fn product = v -> List.of(v.get(0).matmul(v.get(1)));
    Fn conv = v -> List.of(v.get(0).reshape(1, 4, 8, k).conv(v.get(1).reshape(1, 1, k, 8)));
    Fn wide = v -> List.of(conv(v.get(0).reshape(1, 4, 8, k), nine(v.get(1), 8), 4, 8));
    Fn groups =
        v -> {
          Tensor twice =
              Movement.concat(
                  3, List.of(v.get(0).reshape(1, 4, 8, k), v.get(0).reshape(1, 4, 8, k)));
          return List.of(twice.conv(nine(v.get(1), 8), Window.of(3, 3), 2));
        };
    for (Fn f : List.of(product, conv, wide, groups)) {
      float[] want = run(f, Precision.STRICT, x, w);
      for (Precision p : List.of(Precision.BF16_MATH, Precision.BF16)) {
        assertArrayEquals(want, run(f, p, x, w), p.toString());
      }
    }
    Fn halves =
        v -> List.of(v.get(0).cast(DType.BF16).matmul(v.get(1).cast(DType.BF16)).cast(DType.F32));
    assertArrayEquals(run(halves, Precision.STRICT, x, w), run(product, Precision.STRICT, x, w));
  }

  /** A kernel of three by three of these. */
  private static Tensor nine(Tensor w, int out) {
    int k = w.shape().dim(0);
    return w.reshape(1, 1, k, out).broadcastTo(Shape.of(3, 3, k, out));
  }

  @Test
  void fixedWeightsAreRoundedAndPackedOnce() {
    assumeTrue(OneDnn.multipliesBf16());
    Fn f = x -> List.of(x.get(0).matmul(x.get(1)));
    List<TensorType> types =
        List.of(TensorType.of(DType.F32, 32, 64), TensorType.of(DType.F32, 64, 64));
    CompileOptions o =
        CompileOptions.DEFAULT.withPrecision(Precision.BF16_MATH).withFixed(Set.of(1));
    try (CpuProgram p = new CpuProgram(Jit.graph(f, types), o, true)) {
      assertEquals(2, p.once(), p.explain());
    }
  }

  private static Tensor random(int[] dims, long seed) {
    SplittableRandom r = new SplittableRandom(seed);
    float[] f = new float[(int) TensorType.of(DType.F32, dims).shape().size()];
    for (int i = 0; i < f.length; i++) {
      f[i] = (float) r.nextDouble(-1, 1);
    }
    return Tensor.of(f, dims);
  }

  private static Tensor whole(int[] dims, long seed) {
    float[] f = random(dims, seed).toFloats();
    for (int i = 0; i < f.length; i++) {
      f[i] = Math.round(f[i] * 100);
    }
    return Tensor.of(f, dims);
  }

  private static float[] run(Fn f, Precision precision, Tensor... in) {
    var types = Stream.of(in).map(Tensor::type).toList();
    CompileOptions options = CompileOptions.DEFAULT.withPrecision(precision);
    try (Program p = Backends.cpu().compile(Jit.graph(f, types), options)) {
      return Jit.run(p, List.of(in)).get(0).toFloats();
    }
  }
}
