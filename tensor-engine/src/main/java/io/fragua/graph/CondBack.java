package io.fragua.graph;

import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The derivative of a branch: a branch between the derivatives, each of which computes again. */
final class CondBack {
  private CondBack() {}

  /** As {@link io.fragua.op.Op.Vjp.Many} of cond. */
  static List<Tensor> back(List<Tensor> g, List<Tensor> in, Attrs a) {
    int n = in.size() - 1;
    int[] given = IntStream.range(0, g.size()).filter(i -> g.get(i) != null).toArray();
    int[] floats = IntStream.range(0, n).filter(i -> in.get(i + 1).dtype().isFloating()).toArray();
    Tensor[] out = new Tensor[in.size()];
    if (floats.length > 0) {
      List<Tensor> operands = new ArrayList<>(in);
      Arrays.stream(given).forEach(i -> operands.add(g.get(i)));
      List<TensorType> types =
          operands.subList(1, operands.size()).stream().map(Tensor::type).toList();
      Attrs b =
          a.with("on_true", branch((Graph) a.body("on_true"), types, given, floats))
              .with("on_false", branch((Graph) a.body("on_false"), types, given, floats));
      List<Tensor> r = Tensor.applyAll(OpTable.get("cond"), b, operands);
      for (int i = 0; i < floats.length; i++) {
        out[floats[i] + 1] = r.get(i);
      }
    }
    return Arrays.asList(out);
  }

  /** From operands and gradients of the given results to gradients of floating operands. */
  private static Graph branch(Graph f, List<TensorType> types, int[] given, int[] floats) {
    List<Graph.Input> inputs = new ArrayList<>();
    types.forEach(t -> inputs.add(new Graph.Input("arg" + inputs.size(), t)));
    int n = f.inputs().size();
    return Tracer.trace(
        inputs,
        x -> {
          Tensor[] cotangents = new Tensor[f.outputs().size()];
          for (int i = 0; i < given.length; i++) {
            cotangents[given[i]] = x.get(n + i);
          }
          return PullBack.run(f, f.evaluate(x.subList(0, n)), Arrays.asList(cotangents), floats);
        });
  }
}
