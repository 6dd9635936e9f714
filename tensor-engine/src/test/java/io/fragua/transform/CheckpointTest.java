package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.GradCheck;
import io.fragua.testing.Runs;
import io.fragua.testing.Tolerance;
import io.fragua.testing.Values;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class CheckpointTest {
  private static final int BLOCKS = 6;
  private static final Values ANY = Values.range(-0.3, 0.3);

  /** Wide inside, narrow between: [rows, 8] to [rows, width] and back. Parameters are captured. */
  private static Fn loss(UnaryOperator<Fn> transform) {
    return in -> {
      Tensor h = in.get(2);
      for (int i = 0; i < BLOCKS; i++) {
        Fn block =
            x -> {
              Tensor wide = x.get(0).matmul(in.get(0)).sin().matmul(in.get(3)).tanh();
              return List.of(wide.matmul(in.get(1)).add(x.get(0)));
            };
        h = transform.apply(block).call(h);
      }
      return List.of(h.square().mean());
    };
  }

  private static List<Tensor> inputs(int rows, int width) {
    return List.of(
        ANY.make(TensorType.of(DType.F32, 8, width), 1),
        ANY.make(TensorType.of(DType.F32, width, 8), 2),
        ANY.make(TensorType.of(DType.F32, rows, 8), 3),
        ANY.make(TensorType.of(DType.F32, width, width), 4));
  }

  private static Graph graph(UnaryOperator<Fn> transform, List<Tensor> in) {
    List<TensorType> types = in.stream().map(Tensor::type).toList();
    return Jit.graph(Grad.valueAndGrad(loss(transform)), types);
  }

  @Test
  void gradientsHaveTheSameBits() {
    List<Tensor> in = inputs(64, 32);
    List<Tensor> kept = Runs.on(Backends.reference(), graph(f -> f, in), in);
    Graph g = graph(Checkpoint::checkpoint, in);
    List<Tensor> again = Runs.on(Backends.reference(), g, in);
    List<Tensor> compiled = Runs.on(Backends.cpu(), g, in);
    for (int i = 0; i < kept.size(); i++) {
      assertEquals(null, Tolerance.BITS.difference(kept.get(i), again.get(i)), "result " + i);
      assertEquals(null, new Tolerance(100, 500).difference(kept.get(i), compiled.get(i)));
    }
  }

  @Test
  void derivativesOfEveryOrderAreTheSame() {
    List<Tensor> in = List.of(ANY.make(TensorType.of(DType.F64, 3, 2), 1));
    Fn f = Checkpoint.checkpoint(Fn.of(x -> x.sin().mul(x.exp()).tanh()));
    assertEquals(null, GradCheck.first(f, in));
    assertEquals(null, GradCheck.second(f, in));
    Fn whole = Fn.of(x -> f.call(x).sum());
    Fn each = Vmap.vmap(Grad.grad(whole));
    Tensor expected = Runs.eval(Grad.grad(whole), in.get(0));
    assertEquals(null, new Tolerance(4, 4).difference(expected, Runs.eval(each, in.get(0))));
    assertEquals(null, new Tolerance(4, 4).difference(expected, each.call(in.get(0))));
  }

  /** Elements of computed values that are made before the loss is and read after. */
  private static long live(Graph g) {
    int first = g.inputs().size() + g.constants().size();
    int loss = g.outputs().get(0).value();
    Set<Integer> across = new HashSet<>();
    for (int v = loss + 1; v < g.values(); v++) {
      g.definition(v).inputs().stream().filter(x -> x >= first && x < loss).forEach(across::add);
    }
    return across.stream().mapToLong(v -> g.type(v).shape().size()).sum();
  }

  @Test
  void fewerValuesLiveAcross() {
    List<Tensor> in = inputs(1024, 64);
    long kept = live(graph(f -> f, in));
    long forgotten = live(graph(Checkpoint::checkpoint, in));
    assertTrue(kept >= BLOCKS * 2 * 1024 * 64, "kept " + kept);
    assertTrue(forgotten <= (BLOCKS + 1) * 1024 * 8 + 8, "forgotten " + forgotten);
  }

  @Test
  void compiledProgramsNeedLessMemory() {
    List<Tensor> in = inputs(1024, 64);
    long kept = peak(graph(f -> f, in), in);
    long forgotten = peak(graph(Checkpoint::checkpoint, in), in);
    assertTrue(forgotten < 0.6 * kept, forgotten + " of " + kept + " bytes");
  }

  private static long peak(Graph g, List<Tensor> in) {
    try (Program p = Backends.cpu().compile(g, CompileOptions.DEFAULT);
        Allocator a = new Allocator("peak");
        Execution e = p.newExecution(a)) {
      for (int i = 0; i < in.size(); i++) {
        e.bindInput(i, in.get(i).buffer());
      }
      List<Buffer> out = new ArrayList<>();
      for (TensorType t : g.outputTypes()) {
        out.add(Buffer.collected(t.byteSize()));
        e.bindOutput(out.size() - 1, out.get(out.size() - 1));
      }
      e.run();
      return a.peak();
    }
  }
}
