package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Precision;
import io.fragua.exec.Program;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Products in BF16_MATH: operands rounded to 8 bits of mantissa, sums in f32. So the error is at
 * most 2 * 2^-9 (a little more, as both are rounded) of the product of the magnitudes.
 */
class PrecisionTest {
  private static final double BOUND = 2 * Math.scalb(1, -9) * 1.01;

  /** A product of two operands, however they lie in memory. */
  record Case(String name, Fn product, int[] left, int[] right) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> cases() {
    Fn plain = x -> List.of(x.get(0).matmul(x.get(1)));
    return Stream.of(
        new Case("square", plain, new int[] {64, 64}, new int[] {64, 64}),
        new Case("odd", plain, new int[] {33, 17}, new int[] {17, 19}),
        new Case("one row", plain, new int[] {1, 40}, new int[] {40, 24}),
        new Case("one column", plain, new int[] {40, 24}, new int[] {24, 1}),
        new Case("batch", plain, new int[] {3, 5, 8}, new int[] {3, 8, 7}),
        new Case("repeated", plain, new int[] {3, 5, 8}, new int[] {1, 8, 7}),
        new Case(
            "transposed left",
            x -> List.of(x.get(0).transpose(1, 0).matmul(x.get(1))),
            new int[] {17, 33},
            new int[] {17, 19}),
        new Case(
            "transposed right",
            x -> List.of(x.get(0).matmul(x.get(1).transpose(1, 0))),
            new int[] {33, 17},
            new int[] {19, 17}),
        new Case(
            "parts",
            x -> List.of(x.get(0).slice(1, 3, 20).matmul(x.get(1).slice(0, 2, 19))),
            new int[] {33, 25},
            new int[] {21, 19}));
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
    assertTrue(differs || vector || !OneDnn.pairsOfBf16(), "no operand was rounded");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void numbersOfFewBitsStayExact(Case c) {
    Tensor a = whole(c.left, 3);
    Tensor b = whole(c.right, 4);
    assertArrayEquals(
        run(c.product, Precision.STRICT, a, b), run(c.product, Precision.BF16_MATH, a, b));
  }

  private static Tensor random(int[] dims, long seed) {
    SplittableRandom r = new SplittableRandom(seed);
    float[] f = new float[(int) TensorType.of(io.fragua.tensor.DType.F32, dims).shape().size()];
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
