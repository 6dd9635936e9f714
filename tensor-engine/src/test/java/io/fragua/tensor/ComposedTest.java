package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fragua.testing.Golden;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Functions composed of rows: NumPy's answers ({@code golden_composed.py}), types, derivatives. */
class ComposedTest {
  private interface Reduction {
    Tensor of(Tensor x, int[] axes);
  }

  private static final Map<String, UnaryOperator<Tensor>> UNARY = new HashMap<>();
  private static final Map<String, BinaryOperator<Tensor>> BINARY = new HashMap<>();
  private static final Map<String, Reduction> REDUCTIONS = new HashMap<>();

  static {
    UNARY.put("is_nan", Tensor::isNan);
    UNARY.put("is_inf", Tensor::isInf);
    UNARY.put("is_finite", Tensor::isFinite);
    UNARY.put("trunc", Tensor::trunc);
    UNARY.put("reciprocal", Tensor::reciprocal);
    UNARY.put("clip", x -> x.clip(-1.5, 2));
    UNARY.put("log2", Tensor::log2);
    UNARY.put("log10", Tensor::log10);
    UNARY.put("logit", Tensor::logit);
    UNARY.put("log_sigmoid", Tensor::logSigmoid);
    UNARY.put("sinc", Tensor::sinc);
    UNARY.put("deg2rad", Tensor::deg2rad);
    UNARY.put("rad2deg", Tensor::rad2deg);
    UNARY.put("bitwise_not", Tensor::bitwiseNot);
    UNARY.put("signbit", Tensor::signbit);
    UNARY.put("nan_to_num", Tensor::nanToNum);
    UNARY.put("nan_to_num_7", x -> x.nanToNum(7, 8, -9));
    UNARY.put("floor", Tensor::floor);
    UNARY.put("ceil", Tensor::ceil);
    UNARY.put("round", Tensor::round);
    UNARY.put("argmax_all", Tensor::argmax);
    UNARY.put("argmin_all", Tensor::argmin);
    UNARY.put("acos", Tensor::acos);
    UNARY.put("acosh", Tensor::acosh);
    UNARY.put("asin", Tensor::asin);
    UNARY.put("asinh", Tensor::asinh);
    UNARY.put("atan", Tensor::atan);
    UNARY.put("atanh", Tensor::atanh);
    UNARY.put("cbrt", Tensor::cbrt);
    UNARY.put("i0", Tensor::i0);
    UNARY.put("population_count", Tensor::populationCount);
    BINARY.put("atan2", Tensor::atan2);
    BINARY.put("nextafter", Tensor::nextafter);
    BINARY.put("fmod", Tensor::fmod);
    BINARY.put("gcd", Tensor::gcd);
    BINARY.put("linear_recurrence", (x, b) -> x.linearRecurrence(b, 1, false));
    BINARY.put("linear_recurrence_back", (x, b) -> x.linearRecurrence(b, -1, true));
    UNARY.put("is_posinf", Tensor::isPosinf);
    UNARY.put("is_neginf", Tensor::isNeginf);
    UNARY.put("round_2", x -> x.roundTo(2));
    UNARY.put("round_-1", x -> x.roundTo(-1));
    UNARY.put("fraction", x -> x.modf().get(0));
    UNARY.put("whole", x -> x.modf().get(1));
    UNARY.put("pow_0", x -> x.pow(0));
    UNARY.put("pow_1", x -> x.pow(1));
    UNARY.put("pow_7", x -> x.pow(7));
    BINARY.put("quotient", (a, b) -> a.divmod(b).get(0));
    BINARY.put("modulus", (a, b) -> a.divmod(b).get(1));
    BINARY.put("float_power", Tensor::floatPower);
    BINARY.put("less", Tensor::less);
    BINARY.put("less_equal", Tensor::lessEqual);
    BINARY.put("greater", Tensor::greater);
    BINARY.put("greater_equal", Tensor::greaterEqual);
    BINARY.put("maximum", Tensor::maximum);
    BINARY.put("minimum", Tensor::minimum);
    REDUCTIONS.put("max", Tensor::max);
    REDUCTIONS.put("min", Tensor::min);
    BINARY.put("fmax", Tensor::fmax);
    BINARY.put("fmin", Tensor::fmin);
    BINARY.put("lcm", Tensor::lcm);
    BINARY.put("logaddexp2", Tensor::logaddexp2);
    BINARY.put("remainder", Tensor::remainder);
    BINARY.put("floor_divide", Tensor::floorDivide);
    BINARY.put("heaviside", Tensor::heaviside);
    BINARY.put("logaddexp", Tensor::logaddexp);
    BINARY.put("ldexp", Tensor::ldexp);
    BINARY.put("isclose", (a, b) -> a.isclose(b, 1e-5, 1e-8));
    BINARY.put("allclose", (a, b) -> a.allclose(b, 1e-5, 1e-8));
    REDUCTIONS.put("sum", Tensor::sum);
    REDUCTIONS.put("prod", Tensor::prod);
    REDUCTIONS.put("mean", Tensor::mean);
    REDUCTIONS.put("var0", (x, a) -> x.var(0, a));
    REDUCTIONS.put("var1", (x, a) -> x.var(1, a));
    REDUCTIONS.put("std0", (x, a) -> x.std(0, a));
    REDUCTIONS.put("std1", (x, a) -> x.std(1, a));
    REDUCTIONS.put("norm1", (x, a) -> x.norm(1, a));
    REDUCTIONS.put("norm2", (x, a) -> x.norm(2, a));
    REDUCTIONS.put("norm3", (x, a) -> x.norm(3, a));
    REDUCTIONS.put("norm_inf", (x, a) -> x.norm(Double.POSITIVE_INFINITY, a));
    REDUCTIONS.put("logsumexp", Tensor::logSumExp);
    REDUCTIONS.put("ptp", Tensor::ptp);
    REDUCTIONS.put("average", (x, a) -> x.average(x.abs(), a));
    REDUCTIONS.put("nansum", Tensor::nansum);
    REDUCTIONS.put("nanmean", Tensor::nanmean);
    REDUCTIONS.put("count_nonzero", Tensor::countNonzero);
    REDUCTIONS.put("any", Tensor::any);
    REDUCTIONS.put("all", Tensor::all);
    REDUCTIONS.put("argmax", (x, a) -> x.argmax(a[0]));
    REDUCTIONS.put("argmin", (x, a) -> x.argmin(a[0]));
  }

  @Test
  void integersHaveNoNegativePowers() {
    Tensor x = Tensor.of(new int[] {2}, 1);
    assertEquals(
        "pow: integers have no negative powers: -1.0 of i32[1]; cast them to a floating type",
        assertThrows(IllegalArgumentException.class, () -> x.pow(-1)).getMessage());
    assertEquals(
        "round_to: takes -300 to 300 decimals: 400; correct it",
        assertThrows(IllegalArgumentException.class, () -> x.roundTo(400)).getMessage());
  }

  private static Map<String, List<JsonNode>> cases() {
    Map<String, List<JsonNode>> by = new LinkedHashMap<>();
    for (JsonNode c : Golden.json("composed.json").get("cases")) {
      String name = c.get("f").textValue().split(" ")[0];
      by.computeIfAbsent(name, k -> new ArrayList<>()).add(c);
    }
    return by;
  }

  @Test
  void everyFunctionHasAnswers() {
    Set<String> all = new HashSet<>(UNARY.keySet());
    all.addAll(BINARY.keySet());
    all.addAll(REDUCTIONS.keySet());
    assertEquals(all, cases().keySet());
  }

  @TestFactory
  Stream<DynamicTest> functionsGiveNumPysAnswers() {
    return cases().entrySet().stream()
        .map(
            e ->
                DynamicTest.dynamicTest(
                    e.getKey(), () -> e.getValue().forEach(c -> check(e.getKey(), c))));
  }

  private static void check(String name, JsonNode c) {
    List<Tensor> in = new ArrayList<>();
    c.get("inputs").forEach(n -> in.add(Golden.tensor(n)));
    Tolerance t =
        new Tolerance(c.get("tolerance").get(0).asDouble(), c.get("tolerance").get(1).asDouble());
    Tensor expected = Golden.tensor(c.get("output"));
    Fn f = x -> List.of(apply(name, c.get("f").textValue(), x));
    for (Tensor y : List.of(f.apply(in).get(0), Jit.jit(f).apply(in).get(0))) {
      assertEquals(null, t.difference(expected, y), () -> c.get("f") + " of " + in);
    }
  }

  private static Tensor apply(String name, String full, List<Tensor> x) {
    if (UNARY.containsKey(name)) {
      return UNARY.get(name).apply(x.get(0));
    }
    if (BINARY.containsKey(name)) {
      return BINARY.get(name).apply(x.get(0), x.get(1));
    }
    int[] axes = Stream.of(full.split(" ")[1].split(",")).mapToInt(Integer::parseInt).toArray();
    return REDUCTIONS.get(name).of(x.get(0), axes);
  }

  /** Kernels of many operations round after each, as one operation at a time does. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F16", "BF16", "I8", "U8", "I16"})
  void narrowTypesGiveTheSameBitsFusedOrNot(DType t) {
    Tensor a = Values.bits().make(TensorType.of(t, 3, 333), 1);
    Tensor b = Values.edges(1).make(TensorType.of(t, 3, 333), 2);
    Fn f =
        x -> {
          Tensor p = x.get(0).mul(x.get(1)).add(x.get(0)).sub(x.get(1).div(x.get(0)));
          Tensor q = p.less(x.get(1)).select(p, x.get(1).abs()).neg().maximum(x.get(0));
          Tensor r = t.isFloating() ? q.div(3).exp().mul(x.get(0)).sqrt() : q.xor(x.get(0));
          return List.of(p, q, r, r.cast(DType.F32).add(1).cast(t), r.max(1));
        };
    List<Tensor> eager = f.apply(List.of(a, b));
    List<Tensor> fused = Jit.jit(f).apply(List.of(a, b));
    for (int i = 0; i < eager.size(); i++) {
      assertEquals(null, Tolerance.EQUAL.difference(eager.get(i), fused.get(i)), "result " + i);
    }
  }

  @Test
  void keptAxesBroadcastAgainstTheOperand() {
    Tensor x = Values.range(-2, 2).make(TensorType.of(DType.F32, 2, 3, 4), 3);
    for (int[] axes : new int[][] {{}, {0}, {-1}, {2, 0}, {0, 1, 2}}) {
      Shape kept = x.sumKeep(axes).shape();
      assertEquals(3, kept.rank());
      for (Tensor y :
          List.of(
              x.prodKeep(axes),
              x.meanKeep(axes),
              x.maxKeep(axes),
              x.minKeep(axes),
              x.varKeep(1, axes),
              x.stdKeep(0, axes),
              x.normKeep(2, axes),
              x.logSumExpKeep(axes),
              x.anyKeep(axes),
              x.allKeep(axes),
              x.countNonzeroKeep(axes))) {
        assertEquals(kept, y.shape());
      }
      if (axes.length == 1) {
        assertEquals(kept, x.argmaxKeep(axes[0]).shape());
        assertArrayEquals(x.argmin(axes[0]).toInts(), x.argminKeep(axes[0]).toInts());
      }
      assertArrayEquals(x.sum(axes).toFloats(), x.sumKeep(axes).toFloats());
      assertEquals(x.shape(), x.sub(x.meanKeep(axes)).shape());
    }
  }

  @Test
  void derivativesStayFiniteWhereTheFunctionsAre() {
    Tensor x = Tensor.of(new float[] {0, 1, -1, 0.5f}, 4);
    for (Fn f :
        List.<Fn>of(
            Fn.of(t -> t.sinc().sum()),
            Fn.of(t -> t.logaddexp(t).sum()),
            Fn.of(t -> t.logaddexp2(t).sum()),
            Fn.of(t -> t.fmax(Tensor.scalar(DType.F32, Double.NaN)).sum()),
            Fn.of(t -> t.interp(t.sort(0).mul(0), t).sum()),
            Fn.of(t -> t.logSigmoid().sum()),
            Fn.of(t -> t.prod()),
            Fn.of(t -> t.cumprod(0).sum()),
            Fn.of(t -> t.hypot(t).sum()),
            Fn.of(t -> t.logSumExp()))) {
      for (float g : Grad.grad(f).call(x).toFloats()) {
        assertTrue(Float.isFinite(g));
      }
    }
    Tensor zeros = Tensor.of(new float[] {2, 0, 3, 0}, 4);
    assertArrayEquals(new float[4], Grad.grad(Fn.of(t -> t.prod())).call(zeros).toFloats());
    Tensor one = Tensor.of(new float[] {2, 0, 3}, 3);
    assertArrayEquals(new float[] {0, 6, 0}, Grad.grad(Fn.of(t -> t.prod())).call(one).toFloats());
  }

  private interface WithNumber {
    Tensor of(Tensor x, double number);
  }

  /** Functions of a number, by the name in their errors. */
  private static final Map<String, WithNumber> WITH_NUMBER =
      Map.ofEntries(
          Map.entry("add", Tensor::add),
          Map.entry("sub", Tensor::sub),
          Map.entry("mul", Tensor::mul),
          Map.entry("div", Tensor::div),
          Map.entry("pow", Tensor::pow),
          Map.entry("maximum", Tensor::maximum),
          Map.entry("minimum", Tensor::minimum),
          Map.entry("greater", Tensor::greater),
          Map.entry("less", Tensor::less),
          Map.entry("clip", (x, v) -> x.clip(v, v)),
          Map.entry("pad", (x, v) -> x.pad(0, 1, 1, v)),
          Map.entry("unique", (x, v) -> x.unique(3, v).values()),
          Map.entry("full", (x, v) -> Tensor.full(x.type(), v)));

  /** A number that an integer type does not hold is never another number instead. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"I8", "U8", "I16", "I32", "I64"})
  void numbersAreHeldOrRefused(DType t) {
    double least = t.least();
    double most = t.greatest();
    Tensor x = Tensor.full(TensorType.of(t, 2), 1);
    double over = t == DType.I64 ? 0x1p64 : most + 1;
    double under = t == DType.I64 ? -0x1p64 : least - 1;
    double inf = Double.POSITIVE_INFINITY;
    WITH_NUMBER.forEach(
        (name, f) -> {
          for (double bad : new double[] {0.5, -0.5, Double.NaN, inf, -inf, over, under}) {
            String m =
                assertThrows(
                        IllegalArgumentException.class, () -> f.of(x, bad), name + " of " + bad)
                    .getMessage();
            assertTrue(m.startsWith(name + ": ") && m.contains(t + "[2]"), m);
          }
        });
    assertArrayEquals(new double[] {most, most}, x.maximum(most).toDoubles());
    assertArrayEquals(new double[] {least, least}, x.minimum(least).toDoubles());
    assertArrayEquals(new double[] {1, 1}, x.clip(least, most).toDoubles());
    assertArrayEquals(new double[2], x.greater(most).toDoubles());
    assertEquals(t.greatest(), Tensor.scalar(t, most).buffer().getLong(t, 0));
    assertEquals(t.least(), x.segmentMax(2, Tensor.zeros(DType.I32, 2)).buffer().getLong(t, 1));
    assertEquals(t.greatest(), x.segmentMin(2, Tensor.zeros(DType.I32, 2)).buffer().getLong(t, 1));
    assertEquals(~1 & 255, x.bitwiseNot().buffer().getLong(t, 0) & 255);
    for (int n : new int[] {-1, 300}) {
      assertArrayEquals(new double[2], x.shiftLeft(n).toDoubles());
      assertArrayEquals(new double[2], x.shiftRightLogical(n).toDoubles());
      assertArrayEquals(new double[2], x.shiftRightArithmetic(n).toDoubles());
    }
  }

  @Test
  void theOrderOfANormMustBePositive() {
    String m =
        assertThrows(IllegalArgumentException.class, () -> Tensor.zeros(DType.F32, 2).norm(0))
            .getMessage();
    assertEquals(
        "norm: the order must be positive or infinite: 0.0 of f32[2]; use 1, 2 or infinity", m);
  }

  /** Two numbers of f16 may add up to more than it holds; a step may be longer than the axis. */
  @Test
  void ends() {
    Tensor x = Tensor.of(new float[] {60_000, -60_000, 60_000, 60_000}, 2, 2).cast(DType.F16);
    assertArrayEquals(new double[] {0, 60_000}, x.median(1).toDoubles());
    assertEquals(DType.F16, x.median(1).dtype());
    assertArrayEquals(new double[] {-30_000, 60_000}, x.quantile(0.25, 1).toDoubles());
    Tensor five = Tensor.of(new float[] {1, 2, 3, 4, 5}, 5);
    Fn first = Fn.of(v -> v.slice(0, 0, 5, Integer.MAX_VALUE).mul(2));
    assertArrayEquals(new float[] {2}, Jit.jit(first).call(five).toFloats());
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1, 2, 3, Double.POSITIVE_INFINITY})
  void aNormOfZerosHasAGradientOfZero(double order) {
    Fn norms = Fn.of(x -> x.norm(order, 1).sum());
    Tensor x = Tensor.of(new float[] {0, 0, 3, 0}, 2, 2);
    assertArrayEquals(new float[] {0, 3}, x.norm(order, 1).toFloats(), 1e-6f);
    float[] slope = Grad.grad(norms).call(x).toFloats();
    assertArrayEquals(new float[] {0, 0, 1, 0}, slope, 1e-6f);
    assertEquals(0, Tensor.zeros(DType.F32, 0).norm(order).item());
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"I8", "U8", "I16", "I32", "I64"})
  void distancesOfIntegersDoNotWrap(DType t) {
    Tensor most = Tensor.scalar(t, t.greatest());
    Tensor least = Tensor.scalar(t, t.least());
    assertEquals(0, least.isclose(most, 0, 2).item());
    assertEquals(0, most.allclose(least, 0, 2).item());
    assertEquals(1, Tensor.scalar(t, 5).isclose(Tensor.scalar(t, 7), 0, 2).item());
    assertEquals(0, Tensor.scalar(t, 100).isclose(Tensor.scalar(t, 99), 0.01, 0).item());
    assertEquals(1, Tensor.scalar(t, 99).isclose(Tensor.scalar(t, 100), 0.01, 0).item());
  }

  /** Whatever their lower 32 bits are. */
  @ParameterizedTest
  @ValueSource(longs = {(1L << 32) + 1, (1L << 32) - 1, Long.MAX_VALUE, Long.MIN_VALUE, 3, -1})
  void longElementsOutsideAreNotCounted(long outside) {
    Tensor x = Tensor.of(new long[] {2, outside}, 2);
    assertThrows(IndexOutOfBoundsException.class, () -> x.bincount(3));
    assertThrows(IndexOutOfBoundsException.class, () -> Jit.jit(Fn.of(v -> v.bincount(3))).call(x));
    assertArrayEquals(new int[] {0, 0, 1}, x.slice(0, 0, 1).bincount(3).toInts());
  }

  @Test
  void eyesAreNumPys() {
    assertArrayEquals(new float[] {1, 0, 0, 1}, Ranges.eye(DType.F32, 2).toFloats());
    assertArrayEquals(new int[] {0, 1, 0, 0, 0, 1}, Ranges.eye(DType.I32, 2, 3, 1).toInts());
    assertArrayEquals(new int[] {0, 0, 1, 0, 0, 1}, Ranges.eye(DType.U8, 3, 2, -1).toInts());
    assertArrayEquals(new double[6], Ranges.eye(DType.F64, 2, 3, 7).toDoubles());
    assertEquals(TensorType.of(DType.BOOL, 0, 3), Ranges.eye(DType.BOOL, 0, 3, 0).type());
  }

  @Test
  void diagonalsFarAwayAreEmpty() {
    Tensor x = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    for (int far : new int[] {4, Integer.MAX_VALUE}) {
      assertArrayEquals(x.toFloats(), x.tril(far).toFloats());
      assertArrayEquals(new float[6], x.triu(far).toFloats());
      assertEquals(Shape.of(0), x.diagonal(far).shape());
    }
    for (int far : new int[] {-3, Integer.MIN_VALUE}) {
      assertArrayEquals(new float[6], x.tril(far).toFloats());
      assertArrayEquals(x.toFloats(), x.triu(far).toFloats());
      assertEquals(Shape.of(0), x.diagonal(far).shape());
    }
    assertArrayEquals(new float[] {0, 0, 0, 4, 0, 0}, x.tril(-1).toFloats());
    assertArrayEquals(new float[] {0, 0, 3, 0, 0, 0}, x.triu(2).toFloats());
    assertArrayEquals(new float[] {3}, x.diagonal(2).toFloats());
  }

  @Test
  void aPlaceThatIsNotANumberHasNoValue() {
    Tensor nan = Tensor.of(new double[] {Double.NaN, 0.5}, 2);
    Tensor step = Tensor.of(new double[] {0, 1, 1}, 3);
    double[] y = nan.interp(step, Tensor.of(new double[] {5, 6, 7}, 3)).toDoubles();
    assertArrayEquals(new double[] {Double.NaN, 5.5}, y);
  }

  @Test
  void polygammaHasItsPoleFromBelow() {
    for (double x : new double[] {-1e-20, -1e-17, -1e-9, 1e-9}) {
      double one = Tensor.scalar(DType.F64, 1).polygamma(Tensor.scalar(DType.F64, x)).item();
      double two = Tensor.scalar(DType.F64, 2).polygamma(Tensor.scalar(DType.F64, x)).item();
      assertEquals(1, one * x * x, 1e-14);
      assertEquals(-2, two * x * x * x, 1e-14);
    }
  }
}
