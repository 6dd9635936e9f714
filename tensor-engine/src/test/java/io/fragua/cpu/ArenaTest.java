package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Runs;
import io.fragua.transform.Control;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Places in memory, and programs whose workspace is more than one buffer holds. */
class ArenaTest {
  private static Tensor normal(int seed, int... dims) {
    Random r = new Random(seed);
    float[] x = new float[(int) TensorType.of(DType.F32, dims).shape().size()];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) r.nextGaussian();
    }
    return Tensor.of(x, dims);
  }

  /** What a program gives whose arenas hold at most so many bytes. */
  private static <T> T with(int bytes, Supplier<T> program) {
    System.setProperty("fragua.arena", Integer.toString(bytes));
    try {
      return program.get();
    } finally {
      System.clearProperty("fragua.arena");
    }
  }

  /** Three layers of attention and a dense layer, with all kinds of steps in it. */
  private static List<Tensor> layers(List<Tensor> in) {
    Tensor x = in.get(0);
    for (int i = 0; i < 3; i++) {
      Tensor w = x.matmul(x.transpose()).mul(0.1).softmax(-1);
      x = w.matmul(x).add(x).matmul(in.get(1)).add(in.get(2)).tanh();
    }
    return List.of(x.square().mean());
  }

  private static Tensor body(Tensor x) {
    return x.exp().matmul(x.tanh()).sin().matmul(x);
  }

  @Test
  void aPlaceIsGivenOutAgainAndNeighboursJoin() {
    Arena a = new Arena(3, 1000, false);
    Arena.Held first = a.allocate(1);
    Arena.Held second = a.allocate(100);
    Arena.Held third = a.allocate(64);
    assertEquals(new Place(3, 0), first.place());
    assertEquals(new Place(3, 64), second.place());
    assertEquals(new Place(3, 192), third.place());
    first.release();
    assertNull(a.allocate(1000 - 192), "what is free does not lie together");
    second.release();
    assertEquals(new Place(3, 0), a.allocate(192).place());
    third.release();
    assertEquals(new Place(3, 192), a.allocate(700).place(), "the last free piece grows");
    assertEquals(192 + 704, a.bytes());
    assertNull(a.allocate(200));
    assertNull(a.allocate(Long.MAX_VALUE / 2));
  }

  @Test
  void severalArenasGiveTheSameBits() {
    List<Tensor> in = List.of(normal(1, 8, 16, 24), normal(2, 24, 24), normal(3, 24));
    Graph g =
        Jit.graph(
            Grad.valueAndGrad(ArenaTest::layers, 0, 1, 2), in.stream().map(Tensor::type).toList());
    List<Tensor> want = Runs.on(new CpuBackend(), g, in);
    for (int threads = 1; threads <= 2; threads++) {
      CompileOptions options = CompileOptions.DEFAULT.withThreads(threads);
      try (CpuProgram p = with(40_000, () -> new CpuProgram(g, options))) {
        assertTrue(p.plan().areas().size() > 2, () -> p.plan().areas().toString());
        assertTrue(p.passes().get("plan").contains("workspace 3 + "), p.passes().get("plan"));
        List<Tensor> got = TilesTest.run(p, in);
        for (int i = 0; i < want.size(); i++) {
          assertArrayEquals(want.get(i).toFloats(), got.get(i).toFloats(), 0);
        }
      }
    }
  }

  @Test
  void whatIsTooLargeForOneIsAnError() {
    Graph g = Jit.graph(Fn.of(x -> x.exp().matmul(x)), List.of(TensorType.of(DType.F32, 64, 64)));
    assertEquals(
        "cpu: a value or what a step needs while it runs holds at most 8192 bytes: 16384 are"
            + " needed; use smaller batches",
        assertThrows(
                IllegalArgumentException.class,
                () -> with(8192, () -> new CpuProgram(g, CompileOptions.DEFAULT)))
            .getMessage());
    Graph loop =
        Jit.graph(
            Fn.of(
                x -> Control.foriLoop(0, 3, (i, c) -> List.of(body(c.get(0))), List.of(x)).get(0)),
            List.of(TensorType.of(DType.F32, 32, 32)));
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> with(4096, () -> new CpuProgram(loop, CompileOptions.DEFAULT)))
            .getMessage();
    assertTrue(
        message.startsWith("cpu: the body of a loop or branch needs at most 4096 bytes"), message);
  }
}
