package io.fragua.cpu;

import io.fragua.exec.Allocator;
import io.fragua.graph.Graph;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Branches and loops: their functions are interpreted, step by step. */
final class ReferenceControl {
  private ReferenceControl() {}

  static void addTo(Map<String, ReferenceKernels.Kernel> kernels) {
    kernels.put("cond", (ReferenceKernels.Kernel.Many) ReferenceControl::cond);
    kernels.put("while_loop", (ReferenceKernels.Kernel.Many) ReferenceControl::whileLoop);
    kernels.put("scan", (ReferenceKernels.Kernel.Many) ReferenceControl::scan);
  }

  /** The function with some of its values as further results. */
  static Graph saving(Graph g, int[] save) {
    List<Graph.Output> outputs = new ArrayList<>(g.outputs());
    for (int v : save) {
      outputs.add(new Graph.Output("save" + outputs.size(), v));
    }
    return new Graph(g.inputs(), g.constants(), g.equations(), outputs);
  }

  private static void cond(
      Attrs a, List<TensorType> in, Buffer[] x, List<TensorType> out, Buffer[] y) {
    boolean yes = x[0].getLong(DType.BOOL, 0) != 0;
    try (Allocator memory = new Allocator("reference cond");
        ReferenceExecution f =
            new ReferenceExecution((Graph) a.body(yes ? "on_true" : "on_false"), memory)) {
      for (int i = 1; i < x.length; i++) {
        f.bindInput(i - 1, x[i]);
      }
      for (int i = 0; i < y.length; i++) {
        f.bindOutput(i, y[i]);
      }
      f.run();
    }
  }

  private static void whileLoop(
      Attrs a, List<TensorType> in, Buffer[] x, List<TensorType> out, Buffer[] y) {
    int carries = a.integer("carries");
    int consts = carries + a.integer("condition_consts");
    try (Allocator memory = new Allocator("reference while_loop");
        ReferenceExecution condition = new ReferenceExecution((Graph) a.body("condition"), memory);
        ReferenceExecution body = new ReferenceExecution((Graph) a.body("body"), memory)) {
      for (int i = 0; i < carries; i++) {
        y[i].copyFrom(x[i]);
        condition.bindInput(i, y[i]);
        body.bindInput(i, y[i]);
        body.bindOutput(i, y[i]); // written when everything is known
      }
      for (int i = carries; i < x.length; i++) {
        if (i < consts) {
          condition.bindInput(i, x[i]);
        } else {
          body.bindInput(i - consts + carries, x[i]);
        }
      }
      condition.run();
      while (condition.output(0).getLong(DType.BOOL, 0) != 0) {
        body.run();
        condition.run();
      }
    }
  }

  private static void scan(
      Attrs a, List<TensorType> in, Buffer[] x, List<TensorType> out, Buffer[] y) {
    int carries = a.integer("carries");
    int rows = carries + a.integer("xs");
    int length = a.integer("length");
    Graph g = saving((Graph) a.body("body"), a.ints("save"));
    try (Allocator memory = new Allocator("reference scan");
        ReferenceExecution body = new ReferenceExecution(g, memory)) {
      for (int i = 0; i < carries; i++) {
        y[i].copyFrom(x[i]);
        body.bindInput(i, y[i]);
        body.bindOutput(i, y[i]);
      }
      for (int i = rows; i < x.length; i++) {
        body.bindInput(i, x[i]);
      }
      for (int step = 0; step < length; step++) {
        int row = a.integer("reverse") == 1 ? length - 1 - step : step;
        for (int i = carries; i < rows; i++) {
          body.bindInput(i, row(x[i], row, length));
        }
        for (int i = carries; i < y.length; i++) {
          body.bindOutput(i, row(y[i], row, length));
        }
        body.run();
      }
    }
  }

  private static Buffer row(Buffer b, int row, int rows) {
    int size = b.size() / rows;
    return b.slice(row * size, size);
  }
}
