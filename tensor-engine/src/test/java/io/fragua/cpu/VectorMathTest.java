package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Program;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.transform.Jit;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Elementary functions in generated kernels: how exact they are, and that they never change. */
class VectorMathTest {
  private static final float[] EDGES = {
    0f,
    -0f,
    1f,
    -1f,
    Float.NaN,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.MIN_VALUE,
    -Float.MIN_VALUE,
    Float.MIN_NORMAL,
    -Float.MIN_NORMAL,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    88.72283f,
    88.72284f,
    -87.4f,
    -103.9f,
    -104.1f,
    1e-7f,
    -0.9999999f
  };

  /** A function, its meaning, the interval of most inputs, and the largest error in ulps. */
  private enum Function {
    EXP(Tensor::exp, Math::exp, -105, 90, 1.0),
    EXP2(Tensor::exp2, x -> Math.pow(2, x), -151, 129, 1.0),
    POW(x -> x.pow(1.7), x -> Math.pow(x, 1.7f), 0, 1000, 0.51),
    SIN(Tensor::sin, StrictMath::sin, -2e4, 2e4, 1.0),
    COS(Tensor::cos, StrictMath::cos, -2e4, 2e4, 1.0),
    TAN(Tensor::tan, StrictMath::tan, -2e4, 2e4, 2.2),
    ERF(Tensor::erf, io.fragua.op.Special::erf, -4.5, 4.5, 1.5),
    ERFC(Tensor::erfc, io.fragua.op.Special::erfc, -5, 10, 5.5),
    EXPM1(Tensor::expm1, Math::expm1, -20, 89, 1.5),
    LOG(Tensor::log, Math::log, 0, 10, 0.9),
    LOG1P(Tensor::log1p, Math::log1p, -1, 3, 1.5),
    TANH(Tensor::tanh, Math::tanh, -10, 10, 2.5),
    LOGISTIC(Tensor::logistic, x -> 1 / (1 + Math.exp(-x)), -100, 100, 2.5);

    final UnaryOperator<Tensor> tensor;
    final DoubleUnaryOperator meaning;
    final double low;
    final double high;
    final double ulps;

    Function(
        UnaryOperator<Tensor> tensor,
        DoubleUnaryOperator meaning,
        double low,
        double high,
        double ulps) {
      this.tensor = tensor;
      this.meaning = meaning;
      this.low = low;
      this.high = high;
      this.ulps = ulps;
    }

    /** True if results that are hardly normal numbers, or less, are 0. */
    boolean flushes() {
      return this == EXP || this == LOGISTIC || this == ERFC;
    }

    /** The edges, numbers of the interval, numbers near 0, and numbers of any size. */
    float[] inputs(int n) {
      SplittableRandom r = new SplittableRandom(7);
      float[] x = new float[n];
      for (int i = 0; i < n; i++) {
        x[i] =
            i < EDGES.length
                ? EDGES[i]
                : switch (i % 3) {
                  case 0 -> (float) r.nextDouble(low, high);
                  case 1 -> (float) r.nextDouble(-0.5, 0.5);
                  default -> Float.intBitsToFloat(r.nextInt());
                };
      }
      return x;
    }
  }

  @ParameterizedTest
  @EnumSource(Function.class)
  void errorsAreWithinTheirBounds(Function f) {
    float[] x = f.inputs(300_000);
    float[] y = run(f, x, 1);
    for (int i = 0; i < x.length; i++) {
      double exact = f.meaning.applyAsDouble(x[i]);
      float nearest = (float) exact;
      String at = f + "(" + x[i] + ") = " + y[i] + ", not " + exact;
      if (Float.isNaN(nearest) || Float.isInfinite(nearest) || nearest == 0) {
        assertEquals(nearest, y[i], at); // with its sign
      } else {
        boolean flushed = f.flushes() && y[i] == 0 && exact < 2 * Float.MIN_NORMAL;
        assertTrue(flushed || Math.abs(y[i] - exact) <= f.ulps * Math.ulp(nearest), at);
      }
    }
  }

  /** The first run is interpreted; ten thousand later the kernel is machine code. */
  @ParameterizedTest
  @EnumSource(Function.class)
  void compiledCodeGivesTheBitsOfInterpretedCode(Function f) {
    float[] x = f.inputs(128);
    assertArrayEquals(run(f, x, 1), run(f, x, 10_000));
  }

  private static final float[] ENDS = {
    0.999f,
    127.9f,
    -128.9f,
    255.9f,
    256f,
    32767.9f,
    -32769f,
    8388607.5f,
    16777217f,
    2147483520f,
    2147483648f,
    -2147483520f,
    -2147483648f,
    -2147483904f
  };

  /** Floats to integers: what Java's own cast gives, at most the ends of the range. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"I32", "I16", "I8", "U8"})
  void castsTruncateAndStopAtTheEnds(DType to) {
    float[] x = Function.EXP.inputs(4096);
    System.arraycopy(ENDS, 0, x, EDGES.length, ENDS.length);
    Tensor in = Tensor.of(x, x.length);
    var graph = Jit.graph(t -> List.of(t.get(0).cast(to)), List.of(in.type()));
    try (Program p = Backends.cpu().compile(graph, CompileOptions.DEFAULT)) {
      for (int run = 0; run < 3000; run++) { // at the end it is machine code
        Tensor y = Jit.run(p, List.of(in)).get(0);
        for (int i = 0; i < x.length && run % 2999 == 0; i++) {
          long least = to.least();
          long most = to.greatest();
          assertEquals(
              Math.max(least, Math.min(most, (int) x[i])), y.buffer().getLong(to, i), "of " + x[i]);
        }
      }
    }
  }

  /** Results of the last of some runs. */
  private static float[] run(Function f, float[] x, int times) {
    Tensor in = Tensor.of(x, x.length);
    var graph = Jit.graph(t -> List.of(f.tensor.apply(t.get(0))), List.of(in.type()));
    try (Program p = Backends.cpu().compile(graph, CompileOptions.DEFAULT)) {
      float[] y = null;
      for (int i = 0; i < times; i++) {
        y = Jit.run(p, List.of(in)).get(0).toFloats();
      }
      return y;
    }
  }
}
