package io.fragua.graph;

import io.fragua.tensor.Autograd;
import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A graph on many examples at once, by the rows' batching rules. */
public final class Batched {
  private Batched() {}

  /**
   * Every value of a graph for all examples.
   *
   * @param args operands; a mapped one has the axis of the examples in front
   * @param mapped which operands are mapped; grows to say which values are
   */
  public static List<Tensor> evaluate(Graph g, List<Tensor> args, List<Boolean> mapped) {
    Tensor traced = args.stream().filter(Tensor::isTraced).findFirst().orElse(null);
    List<Tensor> v = new ArrayList<>(args);
    for (Tensor c : g.constants()) {
      v.add(traced == null ? c : c.lift(traced));
      mapped.add(false);
    }
    for (Graph.Equation equation : g.equations()) {
      Graph.Equation e = traced == null ? equation : equation.rule();
      List<Tensor> in = e.inputs().stream().map(v::get).toList();
      List<Boolean> m = e.inputs().stream().map(mapped::get).toList();
      mapped.addAll(Collections.nCopies(e.types().size(), m.contains(true)));
      if (traced == null) {
        refuseEager(equation, in);
      }
      if (m.contains(true)) {
        v.addAll(e.op().batch().applyAll(e.op(), in, m, e.attrs()));
      } else if (traced == null) {
        v.addAll(Tensor.applyAll(e.op(), e.attrs(), in));
      } else {
        v.addAll(Tensor.recordAll(e.op(), e.attrs(), in));
      }
    }
    return v;
  }

  /** The eager gradients of an equation with a rule of its own would be those of none. */
  private static void refuseEager(Graph.Equation e, List<Tensor> in) {
    Check.that(
        e.rule() == e || !Autograd.isOn() || in.stream().noneMatch(Tensor::isTracked),
        "vmap: eager gradients do not go through a mapped function with a derivative of its own:"
            + " operands %s; use Grad.grad of what is mapped, or detach the operands",
        in.stream().map(Tensor::type).toList());
  }
}
