package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.random.Key;
import io.fragua.random.Random;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** In which order a program computes its values, by what it has to keep. */
class OrderTest {
  private static final int LAYERS = 8;
  private static final TensorType MATRIX = TensorType.of(DType.F32, 64, 64);

  /** Of so many layers' weights and what goes through them. */
  static Fn loss(int layers) {
    return args -> {
      Tensor y = args.get(layers);
      for (int i = 0; i < layers; i++) {
        y = y.matmul(args.get(i)).tanh();
      }
      return List.of(y.square().sum());
    };
  }

  /** A step of gradient descent: new weights, last layer first or last, over the old ones. */
  private static Graph step(boolean lastFirst) {
    List<Graph.Input> in = new ArrayList<>();
    List<String> out = new ArrayList<>();
    for (int i = 0; i < LAYERS; i++) {
      in.add(new Graph.Input("w" + i, MATRIX));
      out.add("new w" + (lastFirst ? LAYERS - 1 - i : i));
    }
    in.add(new Graph.Input("x", MATRIX));
    Fn loss = loss(LAYERS);
    return Tracer.trace(
        in,
        out,
        args -> {
          List<Tensor> results = new ArrayList<>();
          for (String name : out) {
            int i = Integer.parseInt(name.substring(5));
            results.add(args.get(i).sub(Grad.grad(loss, i).apply(args).get(0).mul(0.1)));
          }
          return results;
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void gradientsAndWhatTheyNeedDieLayerByLayer(boolean lastFirst) {
    Graph g = step(lastFirst);
    Map<Integer, Integer> donated = new HashMap<>();
    for (int o = 0; o < LAYERS; o++) {
      donated.put(o, lastFirst ? LAYERS - 1 - o : o);
    }
    try (CpuProgram p = new CpuProgram(g, CompileOptions.DEFAULT.withDonated(donated))) {
      assertEquals(List.of(), p.plan().copies(), p.passes().get("plan"));
      // What every layer made; a layer's slope, gradient, the slope before it; a product's scratch.
      long most = (LAYERS + 4) * MATRIX.byteSize();
      assertTrue(p.plan().workspaceBytes() <= most, () -> p.passes().get("plan"));
    }
  }

  @Test
  void aResultIsWrittenOverAnOperandAfterAllItsReaders() {
    // The second result reads the old operand, and takes more steps than the first.
    Graph g =
        Tracer.trace(
            List.of(new Graph.Input("w", MATRIX), new Graph.Input("x", MATRIX)),
            List.of("next", "product"),
            a ->
                List.of(
                    a.get(0).add(1), a.get(1).matmul(a.get(1)).matmul(a.get(1)).matmul(a.get(0))));
    Tensor w = Random.normal(Key.of(1), MATRIX.shape());
    Tensor x = Random.normal(Key.of(2), MATRIX.shape());
    float[] want = x.matmul(x).matmul(x).matmul(w).toFloats();
    float[] next = w.add(1).toFloats();
    CompileOptions over = CompileOptions.DEFAULT.withDonated(Map.of(0, 0));
    try (Allocator memory = new Allocator("order test");
        CpuProgram p = new CpuProgram(g, over);
        Execution e = p.newExecution(memory)) {
      assertEquals(List.of(), p.plan().copies(), p.passes().get("plan"));
      Buffer both = Buffer.collected(MATRIX.byteSize());
      both.copyFrom(w.buffer());
      e.bindInput(0, both);
      e.bindOutput(0, both);
      e.bindInput(1, x.buffer());
      e.run();
      assertArrayEquals(next, Tensor.of(MATRIX, both).toFloats());
      assertArrayEquals(want, Tensor.of(MATRIX, e.output(1)).toFloats());
    }
  }
}
