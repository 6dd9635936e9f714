package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import io.fragua.transform.Control;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Loops whose threads each go through all steps, and products by a matrix that stays the same. */
class PiecesTest {
  private static final Tolerance CLOSE = Tolerance.sum(100, 4);

  private static Tensor f32(int... dims) {
    return Values.range(-1, 1).make(TensorType.of(DType.F32, dims), Arrays.hashCode(dims));
  }

  /**
   * A loop over 5 rows.
   *
   * @param step from the state, the step's row, a matrix [8, 8] and a mask [B, 8] to the next state
   * @param forward scans that run in two pieces
   * @param all with those of the gradient
   */
  private record Case(String name, int batch, Step step, int forward, int all) {
    @Override
    public String toString() {
      return name;
    }
  }

  @FunctionalInterface
  private interface Step {
    Tensor apply(Tensor h, Tensor x, Tensor w, Tensor mask);
  }

  static Stream<Case> cases() {
    BinaryOperator<Tensor> plain = (h, x) -> h.add(x).tanh();
    return Stream.of(
        new Case("product", 32, (h, x, w, m) -> plain.apply(h.matmul(w), x), 1, 2),
        new Case("mask", 32, (h, x, w, m) -> plain.apply(h.matmul(w).mul(m), x), 1, 2),
        new Case("row sums", 32, (h, x, w, m) -> plain.apply(softmax(h.matmul(w)), x), 1, 2),
        new Case("parts", 32, (h, x, w, m) -> plain.apply(swapped(h.matmul(w)), x), 1, 2),
        new Case("mean of the batch", 32, (h, x, w, m) -> plain.apply(mixed(h.matmul(w)), x), 0, 0),
        new Case("reversed batch", 32, (h, x, w, m) -> plain.apply(h.matmul(w).flip(0), x), 0, 0),
        new Case("states' product", 32, (h, x, w, m) -> plain.apply(square(h).matmul(h), x), 0, 0),
        new Case("odd batch", 33, (h, x, w, m) -> plain.apply(h.matmul(w), x), 0, 0),
        new Case("few examples", 16, (h, x, w, m) -> plain.apply(h.matmul(w), x), 0, 0));
  }

  private static Tensor softmax(Tensor x) {
    Tensor e = x.exp();
    return e.div(e.sum(1).expandDims(1).broadcastTo(x.shape()));
  }

  private static Tensor swapped(Tensor x) {
    List<Tensor> p = x.split(1, 3, 5);
    return Movement.concat(1, List.of(p.get(1), p.get(0)));
  }

  private static Tensor mixed(Tensor x) {
    return x.sub(x.mean(0).expandDims(0).broadcastTo(x.shape()));
  }

  private static Tensor square(Tensor h) {
    return h.matmul(h.transpose()).mul(0.01f);
  }

  private static Fn loss(Case c) {
    return in -> {
      Tensor w = in.get(1);
      Tensor mask = in.get(2);
      Control.Scan s =
          Control.scan(
              (h, x) -> {
                Tensor next = c.step().apply(h.get(0), x.get(0), w, mask);
                return new Control.Scan(List.of(next), List.of(next));
              },
              List.of(in.get(3)),
              List.of(in.get(0)));
      return List.of(s.ys().get(0).square().sum());
    };
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aLoopRunsInPiecesWhereExamplesDoNotMix(Case c) {
    List<Tensor> in = List.of(f32(5, c.batch, 8), f32(8, 8), f32(c.batch, 8), f32(c.batch, 8));
    List<TensorType> types = in.stream().map(Tensor::type).toList();
    List<Graph> graphs =
        List.of(
            Jit.graph(loss(c), types), Jit.graph(Grad.valueAndGrad(loss(c), 0, 1, 2, 3), types));
    int[] pieces = {c.forward, c.all};
    for (int k = 0; k < 2; k++) {
      List<Tensor> expected = Runs.on(Backends.reference(), graphs.get(k), in);
      try (Allocator memory = new Allocator("pieces");
          Program p =
              new CpuBackend().compile(graphs.get(k), CompileOptions.DEFAULT.withThreads(2));
          Execution e = p.newExecution(memory)) {
        assertEquals(pieces[k], p.explain().split("in 2 pieces", -1).length - 1, p.explain());
        for (int run = 0; run < 3; run++) {
          for (int i = 0; i < in.size(); i++) {
            e.input(i).copyFrom(in.get(i).buffer());
          }
          e.run();
          for (int i = 0; i < expected.size(); i++) {
            Tensor y = Tensor.of(expected.get(i).type(), e.output(i));
            assertNull(CLOSE.difference(expected.get(i), y), c.name + ", result " + i);
          }
        }
      }
    }
  }

  /**
   * The last thread has fewer rows, or several have none. A matrix that changes is packed in each
   * run, where oneDNN would not copy it: without AVX-512.
   */
  @ParameterizedTest
  @CsvSource({
    "1, 64, 96, true", "1, 1030, 96, true", "2, 128, 96, true", "3, 500, 96, true",
    "16, 1030, 96, true", "1, 32, 384, false", "1, 300, 640, false", "2, 200, 1536, false"
  })
  void aMatrixIsWrittenInOneDnnsLayoutFirst(int threads, int rows, int columns, boolean fixed) {
    List<Fn> all = new ArrayList<>();
    all.add(in -> List.of(in.get(0).matmul(in.get(1))));
    all.add(in -> List.of(in.get(0).matmul(in.get(1)).add(in.get(2)).tanh()));
    if (fixed) { // oneDNN reads transposed ones well where they lie
      all.add(in -> List.of(in.get(0).matmul(in.get(3).transpose()).mul(0.5f)));
    }
    all.add(in -> List.of(in.get(0).matmul(in.get(1).mul(in.get(1))).logistic()));
    List<Tensor> in = List.of(f32(rows, 48), f32(48, columns), f32(columns), f32(columns, 48));
    Set<Integer> stay = fixed ? Set.of(1, 2, 3) : Set.of();
    List<TensorType> types = in.stream().map(Tensor::type).toList();
    for (Fn f : all) {
      Graph g = Jit.graph(f, types);
      try (Allocator memory = new Allocator("fixed");
          Program p =
              new CpuBackend()
                  .compile(g, CompileOptions.DEFAULT.withThreads(threads).withFixed(stay));
          Execution e = p.newExecution(memory)) {
        boolean packed = p.explain().contains("by a packed matrix");
        assertEquals(fixed || !OneDnn.wide(), packed, p.explain());
        for (int run = 0; run < 3; run++) { // bound anew, other elements count
          List<Tensor> now = new ArrayList<>();
          for (int i = 0; i < in.size(); i++) {
            now.add(Values.range(-1, 1).make(types.get(i), 10 * run + i));
            e.bindInput(i, now.get(i).buffer());
          }
          e.run();
          Tensor expected = Runs.on(Backends.reference(), g, now).get(0);
          assertNull(CLOSE.difference(expected, Tensor.of(expected.type(), e.output(0))));
        }
      }
    }
  }

  /** A weight's gradient over many rows; the last piece has fewer, and further ones are longer. */
  @ParameterizedTest
  @CsvSource({
    "1, 1024, 64, 96, 2",
    "1, 1500, 70, 65, 3",
    "2, 1030, 128, 200, 3",
    "3, 40000, 200, 64, 64",
    "1, 1023, 64, 96, 1",
    "1, 2048, 63, 96, 1",
    "3, 2048, 100, 63, 1"
  })
  void aDeepProductIsCutAlongK(int threads, int k, int rows, int columns, int pieces) {
    Fn f = in -> List.of(in.get(0).transpose().matmul(in.get(1)));
    List<Tensor> in = List.of(f32(k, rows), f32(k, columns));
    Graph g = Jit.graph(f, in.stream().map(Tensor::type).toList());
    Tensor expected = Runs.on(Backends.reference(), g, in).get(0);
    try (Allocator memory = new Allocator("deep");
        Program p = new CpuBackend().compile(g, CompileOptions.DEFAULT.withThreads(threads));
        Execution e = p.newExecution(memory)) {
      String text = ", K in " + pieces + " pieces";
      assertEquals(pieces > 1 && !OneDnn.wide(), p.explain().contains(text), p.explain());
      for (int run = 0; run < 2; run++) { // what lay there before does not count
        for (int i = 0; i < in.size(); i++) {
          e.bindInput(i, in.get(i).buffer());
        }
        e.run();
        Tensor y = Tensor.of(expected.type(), e.output(0));
        assertNull(Tolerance.sum(k, 4).difference(expected, y));
      }
    }
  }

  /** The product has two axes, what it takes in has four, and these are swapped. */
  @ParameterizedTest
  @CsvSource({"true", "false"})
  void aReshapedProductIsNotWrittenSwapped(boolean fixed) {
    Fn f =
        in -> {
          Tensor y = in.get(0).matmul(in.get(1)).reshape(2, 40, 3, 32).add(in.get(2));
          return List.of(y.logistic().transpose(0, 2, 1, 3));
        };
    List<Tensor> in = List.of(f32(240, 48), f32(48, 32), f32(32));
    Graph g = Jit.graph(f, in.stream().map(Tensor::type).toList());
    Set<Integer> stay = fixed ? Set.of(1) : Set.of();
    try (Allocator memory = new Allocator("swapped");
        Program p = new CpuBackend().compile(g, CompileOptions.DEFAULT.withFixed(stay));
        Execution e = p.newExecution(memory)) {
      for (int i = 0; i < in.size(); i++) {
        e.bindInput(i, in.get(i).buffer());
      }
      e.run();
      Tensor expected = Runs.on(Backends.reference(), g, in).get(0);
      assertNull(CLOSE.difference(expected, Tensor.of(expected.type(), e.output(0))));
    }
  }

  /** Of more points than an axis may have, a number that is the same at all of them. */
  @Test
  void moreThan2To31PointsAreCompiled() {
    Fn f =
        in -> {
          Tensor x = in.get(0);
          return List.of(x.expandDims(1).sub(x.expandDims(0)).mul(in.get(1)).sum());
        };
    List<TensorType> types = List.of(TensorType.of(DType.F32, 65_536), TensorType.of(DType.F32));
    try (Program p = new CpuBackend().compile(Jit.graph(f, types), CompileOptions.DEFAULT)) {
      assertEquals(1, p.graph().outputs().size());
    }
  }
}
