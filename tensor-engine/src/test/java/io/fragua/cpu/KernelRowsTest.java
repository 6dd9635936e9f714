package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.testing.Runs;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Loops that go through rows, and products that write their rows where a copy would have them. */
class KernelRowsTest {
  private static Tensor numbers(int seed, int... dims) {
    int n = 1;
    for (int d : dims) {
      n *= d;
    }
    float[] x = new float[n];
    Random r = new Random(seed);
    for (int i = 0; i < n; i++) {
      x[i] = (float) r.nextGaussian();
    }
    return Tensor.of(x, dims);
  }

  /** Compares with the definition, for one to three threads; gives the last program's steps. */
  private static String check(Fn f, Tensor... args) {
    List<Tensor> in = List.of(args);
    Graph g = Jit.graph(f, in.stream().map(Tensor::type).toList());
    List<Tensor> want = Runs.on(Backends.reference(), g, in);
    String steps = "";
    for (int threads = 1; threads <= 3; threads++) {
      try (CpuProgram p = new CpuProgram(g, CompileOptions.DEFAULT.withThreads(threads))) {
        steps = p.explain();
        List<Tensor> got = Jit.run(p, in);
        for (int i = 0; i < want.size(); i++) {
          float[] w = want.get(i).toFloats();
          float[] x = got.get(i).toFloats();
          for (int e = 0; e < w.length; e++) {
            float off = Float.isFinite(w[e]) ? 1e-4f * (1 + Math.abs(w[e])) : 1;
            assertEquals(w[e], x[e], off, "result " + i + "[" + e + "]");
          }
        }
      }
    }
    return steps;
  }

  /** Rows along several axes, of which a call takes some or a thread begins in the middle. */
  @ParameterizedTest
  @CsvSource({"1, 1, 16", "3, 1, 64", "70, 9, 64", "5, 130, 64", "2, 3, 2048", "2, 3, 4096"})
  void rowsOfSeveralAxes(int a, int b, int n) {
    check(
        t -> {
          Tensor y = t.get(0).add(t.get(1)).mul(t.get(2));
          return List.of(y, y.sum(2), y.max(2), y.softmax(2), y.square().sumKeep(2).mul(y));
        },
        numbers(1, a, b, n),
        numbers(2, a, 1, n),
        numbers(3, b, 1));
  }

  @ParameterizedTest
  @CsvSource({"32", "40"})
  void extremesOfRows(int n) {
    float[] odd = {
      Float.NaN,
      Float.intBitsToFloat(0xffc00000), // NaN with a sign
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      -0f,
      0f,
      Float.MIN_VALUE
    };
    float[] x = new float[20 * n];
    for (int row = 0; row < 20; row++) {
      for (int i = 0; i < n; i++) {
        x[row * n + i] = row < 14 ? row % 7 == 5 ? -0f : -1 : row < 17 ? -0f : 0f;
      }
      if (row < 14) {
        x[row * n + row * 2 % n] = odd[row % 7];
      }
    }
    Tensor t = Tensor.of(x, 20, n);
    Fn f = v -> List.of(v.get(0).max(1), v.get(0).min(1));
    List<Tensor> want = Runs.on(Backends.reference(), Jit.graph(f, List.of(t.type())), List.of(t));
    List<Tensor> got = Runs.on(Backends.cpu(), Jit.graph(f, List.of(t.type())), List.of(t));
    for (int i = 0; i < want.size(); i++) {
      assertArrayEquals(want.get(i).toFloats(), got.get(i).toFloats(), 0);
    }
  }

  /** Loops count bytes of their widest operand; each width alone, and all in one loop. */
  @ParameterizedTest
  @CsvSource({"1, 1000", "5, 64", "7, 128", "3, 100", "9, 16"})
  void operandsOfEachWidth(int rows, int n) {
    check(
        t -> {
          Tensor x = t.get(0);
          Tensor half = t.get(1);
          Tensor small = t.get(2);
          Tensor flag = t.get(3);
          Tensor place = x.iotaLike(DType.F32, x.shape(), 1);
          Tensor sum = x.add(half.cast(DType.F32)).add(small.cast(DType.F32)).add(place);
          List<Tensor> all =
              List.of(
                  flag.select(sum, x),
                  half.add(half),
                  half.greater(half.square()),
                  small.add(small),
                  flag.not(),
                  half.add(place.cast(DType.BF16)),
                  sum.cast(DType.BF16),
                  sum.sum(1),
                  sum.sum(0));
          return all.stream().map(y -> y.cast(DType.F32)).toList();
        },
        numbers(7, rows, n),
        numbers(8, rows, n).cast(DType.BF16),
        numbers(9, rows, n).mul(20).cast(DType.U8),
        numbers(10, rows, n).greater(0));
  }

  /** Loops that take several vectors a turn, with operands and results of each width. */
  @ParameterizedTest
  @CsvSource({"1, 64", "5, 128", "30, 256", "3, 192", "4, 1000"})
  void sumsOfRows(int rows, int n) {
    List<Fn> sums =
        List.of(
            t -> List.of(t.get(0).sum(1)),
            t -> List.of(t.get(0).sub(t.get(1)).square().sum(1), t.get(0).sum(1)),
            t -> List.of(t.get(2).cast(DType.F32).mul(t.get(0)).sum(1)),
            t -> List.of(t.get(3).select(t.get(0), t.get(1)).sum(1)),
            t -> {
              Tensor y = t.get(0).mul(2).add(1); // is kept too
              return List.of(y.sum(1), y.cast(DType.BF16).cast(DType.F32), y.greater(0));
            },
            t -> {
              Tensor place = t.get(0).iotaLike(DType.F32, t.get(0).shape(), 1);
              return List.of(t.get(0).mul(place).sum(1));
            });
    for (Fn f : sums) {
      check(
          t -> f.apply(t).stream().map(y -> y.cast(DType.F32)).toList(),
          numbers(7, rows, n),
          numbers(8, rows, 1),
          numbers(9, rows, n).cast(DType.BF16),
          numbers(10, rows, n).greater(0));
    }
  }

  /** Folded rows along several axes, more and fewer than are added up in f32 alone. */
  @ParameterizedTest
  @CsvSource({"1, 1, 16", "3, 5, 64", "2, 300, 32", "130, 3, 48", "7, 129, 16", "3, 150, 40"})
  void sumsOfColumns(int a, int b, int n) {
    check(
        t -> {
          Tensor y = t.get(0).add(t.get(1)).mul(t.get(2)).add(t.get(3).cast(DType.F32));
          Tensor whole = t.get(0).mul(100).cast(DType.I32);
          return List.of(
              y,
              y.sum(0),
              y.sum(1),
              y.sum(0, 1),
              y.max(1),
              y.square().sum(1),
              y.greater(0).cast(DType.F32),
              whole.sum(0, 1).cast(DType.F32),
              whole.min(1).cast(DType.F32));
        },
        numbers(1, a, b, n),
        numbers(2, a, 1, n),
        numbers(3, b, 1),
        numbers(4, a, b, n).cast(DType.BF16));
  }

  /** A sum of exponentials that is 0, tiny, huge or infinite. */
  @Test
  void sharesOfAnySum() {
    float[] x = new float[6 * 32];
    float[] level = {0, -200, -86.9f, 85, 88.7f, Float.NaN};
    for (int i = 0; i < x.length; i++) {
      x[i] = level[i / 32];
    }
    check(
        Fn.of(
            v -> {
              Tensor e = v.exp();
              return e.div(e.sumKeep(1));
            }),
        Tensor.of(x, 6, 32));
  }

  /** Heads of a product that become features, which a product reads. */
  @ParameterizedTest
  @CsvSource({"3, 4, 64, 32, 48", "2, 5, 33, 40, 17", "1, 3, 300, 16, 32", "4, 2, 1, 24, 16"})
  void headsBecomeFeatures(int b, int h, int m, int k, int n) {
    String steps =
        check(
            t -> {
              Tensor y = t.get(0).matmul(t.get(1)).transpose(0, 2, 1, 3).reshape(b * m, h * n);
              return List.of(y.matmul(t.get(2)), y);
            },
            numbers(4, b, h, m, k),
            numbers(5, b, h, k, n),
            numbers(6, h * n, 8));
    if (OneDnn.wide() && m > 1) {
      assertTrue(steps.contains("swapped"), steps);
      assertFalse(steps.contains("copy"), steps);
    }
  }
}
