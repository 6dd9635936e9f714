package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.tensor.Window;
import io.fragua.testing.Runs;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Steps that run tile by tile give what the definition gives, for any number of threads. */
class TilesTest {
  private static Tensor normal(int seed, int... dims) {
    TensorType t = TensorType.of(DType.F32, dims);
    float[] x = new float[(int) t.shape().size()];
    Random r = new Random(seed);
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) r.nextGaussian();
    }
    return Tensor.of(x, dims);
  }

  private static Tensor norm(Tensor x) {
    Tensor c = x.sub(x.meanKeep(-1));
    return c.mul(c.square().meanKeep(-1).add(1e-6).rsqrt());
  }

  /** [B, T, H * D] to [B, H, T, D]. */
  private static Tensor heads(Tensor x, int h) {
    int[] d = x.shape().dims();
    return x.reshape(d[0], d[1], h, d[2] / h).transpose(0, 2, 1, 3);
  }

  private static Tensor attention(Tensor q, Tensor k, Tensor v, int h) {
    Tensor w = heads(q, h).mul(0.25).matmul(heads(k, h).transpose()).softmax(3);
    return w.matmul(heads(v, h)).transpose(0, 2, 1, 3).reshape(q.shape().dims());
  }

  private static void check(Fn f, int groups, Tensor... args) {
    List<Tensor> in = List.of(args);
    Graph g = Jit.graph(f, in.stream().map(Tensor::type).toList());
    List<Tensor> want = Runs.on(Backends.reference(), g, in);
    for (int threads = 1; threads <= 3; threads++) {
      try (CpuProgram p = new CpuProgram(g, CompileOptions.DEFAULT.withThreads(threads))) {
        assertEquals(
            groups,
            p.steps().stream().filter(s -> s instanceof TiledStep).count(),
            () -> "groups of\n" + p.explain());
        List<Tensor> first = run(p, in);
        List<Tensor> second = run(p, in);
        for (int i = 0; i < want.size(); i++) {
          float[] w = want.get(i).toFloats();
          float[] x = first.get(i).toFloats();
          for (int e = 0; e < w.length; e++) {
            assertEquals(w[e], x[e], 1e-4f * (1 + Math.abs(w[e])), "result " + i + "[" + e + "]");
          }
          assertArrayEquals(first.get(i).toFloats(), second.get(i).toFloats(), 0);
        }
      }
    }
  }

  static List<Tensor> run(CpuProgram p, List<Tensor> in) {
    try (Allocator a = new Allocator("tiles test");
        var e = p.newExecution(a)) {
      for (int i = 0; i < in.size(); i++) {
        e.bindInput(i, in.get(i).buffer());
      }
      e.run();
      e.run(); // on memory that holds the first run's values
      List<Tensor> out = new ArrayList<>();
      for (int i = 0; i < p.graph().outputs().size(); i++) {
        TensorType t = p.graph().outputTypes().get(i);
        Buffer b = Buffer.collected(t.byteSize());
        b.copyFrom(e.output(i));
        out.add(Tensor.of(t, b));
      }
      return out;
    }
  }

  @Test
  void softmaxOfRows() {
    check(Fn.of(x -> x.softmax(-1)), 1, normal(1, 1000, 130));
  }

  @Test
  void softmaxOfRowsThatAreNoWholeVectors() {
    check(Fn.of(x -> x.softmax(-1)), 1, normal(2, 6, 300, 77));
  }

  @Test
  void layerNormAndItsGradient() {
    Fn loss = Fn.of((x, w) -> norm(x).mul(w).square().sum());
    check(Grad.grad(loss, 0, 1), 1, normal(3, 640, 192), normal(4, 192));
  }

  @Test
  void normOfASum() {
    check(
        Fn.of((x, y) -> norm(norm(x.add(y)).add(y))), 1, normal(5, 512, 256), normal(6, 512, 256));
  }

  @Test
  void attentionRunsHeadByHead() {
    check(
        a -> List.of(attention(a.get(0), a.get(1), a.get(2), 4)),
        1,
        normal(7, 3, 96, 64),
        normal(8, 3, 96, 64),
        normal(9, 3, 96, 64));
  }

  @Test
  void gradientOfAttention() {
    Fn loss = a -> List.of(attention(a.get(0), a.get(1), a.get(2), 2).square().sum());
    check(
        Grad.grad(loss, 0, 1, 2),
        2,
        normal(10, 2, 128, 32),
        normal(11, 2, 128, 32),
        normal(12, 2, 128, 32));
  }

  /** Convolutions with a bias and relu, and a pool after them. */
  private static Tensor images(Tensor x, Tensor k, Tensor b, Tensor l) {
    Tensor h = x.conv(k).add(b).relu();
    return h.conv(l).relu().maxPool(Window.of(2, 2).withStrides(2, 2));
  }

  @Test
  void convolutionsRunImageByImage() {
    Fn f = a -> List.of(images(a.get(0), a.get(1), a.get(2), a.get(3)));
    check(f, 1, normal(15, 11, 22, 22, 8), normal(16, 3, 3, 8, 16), normal(17, 16), kernel());
  }

  @Test
  void gradientsOfConvolutionsRunImageByImage() {
    Fn loss =
        a -> {
          Tensor y = images(a.get(0), a.get(1), a.get(2), a.get(3));
          return List.of(y.square().mul(0.05).sum());
        };
    check(
        Grad.grad(loss, 1, 2, 3),
        1,
        normal(18, 11, 22, 22, 8),
        normal(19, 3, 3, 8, 16),
        normal(20, 16),
        kernel());
  }

  private static Tensor kernel() {
    return normal(21, 3, 3, 16, 16).mul(0.1);
  }

  @Test
  void whatOthersReadIsKept() {
    Fn f =
        a -> {
          Tensor s = a.get(0).softmax(-1);
          return List.of(s, s.transpose(1, 0).mul(2), s.sum(1));
        };
    check(f, 1, normal(13, 600, 128));
  }

  @Test
  void smallValuesAreLeftAlone() {
    check(Fn.of(x -> x.softmax(-1)), 0, normal(14, 64, 64));
  }

  @Test
  void tilesOfAViewAreThoseOfItsBase() {
    Value v = Value.input(TensorType.of(DType.F32, 8, 6), 0);
    assertTrue(Tiling.aligned(View.of(v), 4));
    assertTrue(!Tiling.aligned(View.of(v).transpose(new int[] {1, 0}), 2));
    assertTrue(!Tiling.aligned(View.of(v), 5));
    assertTrue(!Tiling.aligned(View.of(v).reverse(0), 4));
    assertTrue(Tiling.aligned(View.of(v).slice(1, 2, 5, 1), 4));
    assertTrue(!Tiling.aligned(View.of(v).slice(0, 0, 4, 1), 4));
  }
}
