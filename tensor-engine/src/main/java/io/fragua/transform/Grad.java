package io.fragua.transform;

import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Reverse-mode differentiation: a function Graph -&gt; Graph built from the rows' vjp rules. Rules
 * are written in tensor operations, so a gradient differentiates again.
 */
public final class Grad {
  private Grad() {}

  /**
   * The gradient of a scalar function with respect to some operands, by default all of them.
   *
   * @param f its first result must be a floating scalar; other results are ignored
   * @param wrt positions of operands
   * @return a function giving one gradient per named operand
   * @throws io.fragua.tensor.ShapeException when applied, if the result is not a floating scalar
   */
  public static Fn grad(Fn f, int... wrt) {
    Fn both = valueAndGrad(f, wrt);
    return args -> {
      List<Tensor> r = both.apply(args);
      int grads = wrt.length == 0 ? args.size() : wrt.length;
      return r.subList(r.size() - grads, r.size());
    };
  }

  /** As {@link #grad}, giving all results of {@code f} first, then the gradients. */
  public static Fn valueAndGrad(Fn f, int... wrt) {
    return args -> {
      int[] w = wrt.length == 0 ? IntStream.range(0, args.size()).toArray() : wrt;
      List<Graph.Input> inputs = new ArrayList<>();
      for (int i = 0; i < args.size(); i++) {
        inputs.add(new Graph.Input("arg" + i, args.get(i).type()));
      }
      return apply(Tracer.trace(inputs, f::apply), args, w);
    };
  }

  /**
   * As {@link #valueAndGrad} on graphs.
   *
   * @param names of the gradients among the outputs
   */
  public static Graph valueAndGrad(Graph g, int[] wrt, List<String> names) {
    List<String> outputs = new ArrayList<>();
    g.outputs().forEach(o -> outputs.add(o.name()));
    outputs.addAll(names);
    return Tracer.trace(g.inputs(), outputs, args -> apply(g, args, wrt));
  }

  private static List<Tensor> apply(Graph g, List<Tensor> args, int[] wrt) {
    Check.shape(
        !g.outputs().isEmpty()
            && g.outputTypes().get(0).shape().rank() == 0
            && g.outputTypes().get(0).dtype().isFloating(),
        "grad: the function's first result must be a floating scalar: %s; reduce it, for instance"
            + " with mean()",
        g.outputTypes());
    for (int i : wrt) {
      Check.that(
          i >= 0 && i < g.inputs().size(),
          "grad: wrt must name operands by position: %d of %d operands; correct it",
          i,
          g.inputs().size());
      Check.shape(
          g.inputs().get(i).type().dtype().isFloating(),
          "grad: operands to differentiate by must be floating: %s; leave it out of wrt",
          g.inputs().get(i));
    }
    List<Tensor> values = g.evaluate(args);
    Tensor[] grads = new Tensor[values.size()];
    int loss = g.outputs().get(0).value();
    grads[loss] = Tensor.scalar(g.type(loss).dtype(), 1).lift(values.get(loss));
    boolean[] needed = dependsOn(g, wrt);
    int first = g.inputs().size() + g.constants().size();
    for (int v = values.size() - 1; v >= first; v--) {
      if (grads[v] == null || !needed[v]) {
        continue;
      }
      Graph.Equation e = g.definition(v);
      if (e.op().vjp() == null) {
        continue; // constant almost everywhere (integers, comparisons, stop_gradient)
      }
      List<Tensor> in = e.inputs().stream().map(values::get).toList();
      List<Tensor> back = e.op().vjp().apply(grads[v], in, values.get(v), e.attrs());
      for (int k = 0; k < in.size(); k++) {
        int x = e.inputs().get(k);
        if (needed[x] && back.get(k) != null && in.get(k).dtype().isFloating()) {
          grads[x] = grads[x] == null ? back.get(k) : grads[x].add(back.get(k));
        }
      }
    }
    List<Tensor> results = new ArrayList<>();
    g.outputs().forEach(o -> results.add(values.get(o.value())));
    for (int i : wrt) {
      results.add(grads[i] != null ? grads[i] : zeros(args, i));
    }
    return results;
  }

  /** An operand the result does not depend on has gradient zero. */
  private static Tensor zeros(List<Tensor> args, int i) {
    Tensor traced = args.stream().filter(Tensor::isTraced).findFirst().orElse(args.get(i));
    return Tensor.scalar(args.get(i).dtype(), 0).lift(traced).broadcastTo(args.get(i).shape());
  }

  /** Which values depend on the operands: gradients of the others are never built. */
  private static boolean[] dependsOn(Graph g, int[] wrt) {
    boolean[] d = new boolean[g.values()];
    Arrays.stream(wrt).forEach(i -> d[i] = true);
    for (int v = g.inputs().size() + g.constants().size(); v < d.length; v++) {
      d[v] = g.definition(v).inputs().stream().anyMatch(x -> d[x]);
    }
    return d;
  }
}
