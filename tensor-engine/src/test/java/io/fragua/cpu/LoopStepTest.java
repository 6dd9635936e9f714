package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.exec.Allocator;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Execution;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.testing.Runs;
import io.fragua.testing.Values;
import io.fragua.transform.Control;
import io.fragua.transform.Control.Scan;
import io.fragua.transform.Fn;
import io.fragua.transform.Grad;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Loops and branches as programs inside a program. */
class LoopStepTest {
  private static final TensorType XS = TensorType.of(DType.F32, 7, 4, 5);
  private static final TensorType W = TensorType.of(DType.F32, 5, 5);

  private static List<Tensor> recurrent(List<Tensor> in) {
    Tensor w = in.get(1);
    Tensor h = Tensor.zeros(DType.F32, 4, 5).lift(w);
    Scan s =
        Control.scan(
            (c, x) -> {
              Tensor next = c.get(0).matmul(w).add(x.get(0)).tanh();
              return new Scan(List.of(next), List.of(next));
            },
            List.of(h),
            List.of(in.get(0)));
    return List.of(s.ys().get(0).square().sum());
  }

  private static int count(String text, String part) {
    return text.split(part, -1).length - 1;
  }

  @Test
  void theForwardLoopOfAGradientRunsOnce() {
    Graph g = Jit.graph(Grad.valueAndGrad(LoopStepTest::recurrent), List.of(XS, W));
    assertEquals(3, g.equations().stream().filter(e -> e.op().name().equals("scan")).count());
    try (Program p = new CpuBackend().compile(g, CompileOptions.DEFAULT)) {
      String text = p.explain();
      assertEquals(2, count(text, "scan of 7 steps"), text);
      assertEquals(1, count(text, "scan of 7 steps, last first"), text);
      assertTrue(text.contains("\n      cpu program: "), text);
      // the gradient of the matrix is one product over all steps, after both loops
      assertTrue(text.indexOf("matmul 5x28 * 28x5") > text.lastIndexOf("cpu program"), text);
    }
  }

  @Test
  void executionsAreReusedAndTheirMemoryRebound() {
    Graph g = Jit.graph(Grad.valueAndGrad(LoopStepTest::recurrent), List.of(XS, W));
    for (int threads = 1; threads <= 2; threads++) {
      Allocator memory = new Allocator("loops");
      try (Program p = new CpuBackend().compile(g, CompileOptions.DEFAULT.withThreads(threads));
          Execution e = p.newExecution(memory)) {
        for (int run = 0; run < 4; run++) {
          List<Tensor> in =
              List.of(Values.range(-1, 1).make(XS, run), Values.range(-1, 1).make(W, 10 + run));
          if (run % 2 == 0) {
            e.bindInput(0, in.get(0).buffer());
            e.bindInput(1, in.get(1).buffer());
          } else {
            e.bindInput(0, Buffer.collected(XS.byteSize()));
            e.input(0).copyFrom(in.get(0).buffer());
            e.input(1).copyFrom(in.get(1).buffer()); // the same memory, other elements
          }
          e.run();
          List<Tensor> expected = Runs.reference(g::call, in.toArray(Tensor[]::new));
          for (int i = 0; i < expected.size(); i++) {
            double[] y = expected.get(i).toDoubles();
            double[] actual = new double[y.length];
            for (int k = 0; k < y.length; k++) {
              actual[k] = e.output(i).getDouble(DType.F32, k);
            }
            assertArrayEquals(y, actual, 1e-4);
          }
        }
      }
      assertEquals(0, memory.bytes());
      memory.close();
    }
  }

  @Test
  void whatABranchMakesOfConstantsIsMadeAnew() {
    Tensor row = Tensor.of(new float[] {1, 2, 3}, 3);
    Fn f =
        in -> {
          Tensor x = in.get(0);
          // a short row of constants is written out in the workspace, which others use as well
          Fn yes = v -> List.of(v.get(0).mul(row));
          Fn no = v -> List.of(v.get(0).neg());
          Tensor y = Control.cond(in.get(1).greater(0), yes, no, x).get(0);
          Tensor z = y.exp().transpose(1, 0).reshape(50, 3).add(1).reverse(0);
          return List.of(y, z.matmul(Tensor.of(new float[] {1, 2, 3}, 3, 1)));
        };
    TensorType t = TensorType.of(DType.F32, 50, 3);
    List<Tensor> in = List.of(Values.range(-1, 1).make(t, 1), Tensor.scalar(DType.F32, 1));
    List<Tensor> expected = Runs.reference(f, in.toArray(Tensor[]::new));
    Graph g = Jit.graph(f, List.of(t, TensorType.of(DType.F32)));
    try (Allocator memory = new Allocator("branches");
        Program p = new CpuBackend().compile(g, CompileOptions.DEFAULT);
        Execution e = p.newExecution(memory)) {
      e.bindInput(0, in.get(0).buffer());
      e.bindInput(1, in.get(1).buffer());
      for (int run = 0; run < 3; run++) {
        e.run();
        for (int k = 0; k < 150; k++) {
          assertEquals(expected.get(0).toFloats()[k], e.output(0).getDouble(DType.F32, k), 1e-6);
        }
      }
    }
  }

  @Test
  void aCarryMayTakeTheDonatedMemory() {
    Fn f =
        in ->
            Control.scan(
                    (c, x) -> new Scan(List.of(c.get(1), c.get(0).add(x.get(0))), List.of()),
                    in.subList(0, 2),
                    in.subList(2, 3))
                .carry();
    TensorType t = TensorType.of(DType.F32, 33);
    Graph g = Jit.graph(f, List.of(t, t, TensorType.of(DType.F32, 3, 33)));
    CompileOptions options = CompileOptions.DEFAULT.withDonated(Map.of(0, 0, 1, 1));
    try (Allocator memory = new Allocator("donated");
        Program p = new CpuBackend().compile(g, options);
        Execution e = p.newExecution(memory)) {
      List<Tensor> in = new ArrayList<>();
      for (Graph.Input i : g.inputs()) {
        in.add(Values.range(-1, 1).make(i.type(), in.size()));
      }
      List<Tensor> expected = f.apply(in);
      for (int i = 0; i < 3; i++) {
        Buffer b = Buffer.collected(in.get(i).type().byteSize());
        b.copyFrom(in.get(i).buffer());
        e.bindInput(i, b);
        if (i < 2) {
          e.bindOutput(i, b);
        }
      }
      e.run();
      for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 33; k++) {
          assertEquals(expected.get(i).toFloats()[k], e.output(i).getDouble(DType.F32, k));
        }
      }
    }
  }
}
