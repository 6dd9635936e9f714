package io.fragua.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.exec.Backends;
import io.fragua.exec.CompileOptions;
import io.fragua.exec.Program;
import io.fragua.graph.Graph;
import io.fragua.op.OpTable;
import io.fragua.tensor.Tensor;
import io.fragua.transform.Jit;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What every backend must do: compute what {@link Backends#reference()} computes, case by case and
 * in whole graphs, and keep the promises of {@link Program}. A backend's test extends this class.
 */
public abstract class BackendContract extends ExecutionContract {
  private static final int SHOWN = 8;

  /** Every case of every row. */
  @TestFactory
  Stream<DynamicTest> rowsAgreeWithTheReference() {
    return OpTable.rows().stream()
        .map(op -> DynamicTest.dynamicTest(op.name(), () -> check(OpCases.of(op.name()))));
  }

  private void check(List<OpCase> cases) {
    List<String> wrong = new ArrayList<>();
    for (OpCase c : cases) {
      List<Tensor> in = c.inputs();
      try {
        List<Tensor> expected = Runs.on(Backends.reference(), c.graph(), in);
        List<Tensor> actual = Runs.on(backend(), c.graph(), in);
        for (int i = 0; i < expected.size(); i++) {
          String d = c.tolerance().difference(expected.get(i), actual.get(i));
          if (d != null) {
            wrong.add(c + ", result " + i + ": " + d);
          }
        }
      } catch (RuntimeException | LinkageError e) {
        wrong.add(c + ": " + e);
      }
    }
    int n = wrong.size();
    assertEquals(
        "", String.join("\n", wrong.subList(0, Math.min(n, SHOWN))), n + " of " + cases.size());
  }

  /** Whole graphs, where equations may be fused, reordered and share memory. */
  @TestFactory
  Stream<DynamicTest> graphsAgreeWithTheReference() {
    return GraphCases.all().stream()
        .flatMap(c -> Stream.of(1, 2).map(threads -> graph(c, threads)));
  }

  private DynamicTest graph(GraphCases.GraphCase c, int threads) {
    return DynamicTest.dynamicTest(
        c.name() + ", threads " + threads,
        () -> {
          Graph g = c.graph();
          List<Tensor> in = c.inputs();
          List<Tensor> expected = Runs.on(Backends.reference(), g, in);
          List<Tensor> actual;
          try (Program p = backend().compile(g, CompileOptions.DEFAULT.withThreads(threads))) {
            actual = Jit.run(p, in);
          }
          for (int i = 0; i < expected.size(); i++) {
            String d = c.tolerance().difference(expected.get(i), actual.get(i));
            assertEquals(null, d, g.outputs().get(i).name());
          }
        });
  }
}
