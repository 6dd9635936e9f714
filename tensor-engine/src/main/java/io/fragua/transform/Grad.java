package io.fragua.transform;

import io.fragua.graph.Graph;
import io.fragua.graph.PullBack;
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
      return apply(Traced.of(f, args), args.size(), w);
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
    return Tracer.trace(g.inputs(), outputs, args -> apply(new Traced(g, args), args.size(), wrt));
  }

  private static List<Tensor> apply(Traced t, int operands, int[] wrt) {
    checkWrt("grad", t.graph(), operands, wrt);
    List<Tensor> values = t.values();
    List<Tensor> results = new ArrayList<>(t.results(values));
    results.addAll(gradients(t.graph(), values, wrt));
    return results;
  }

  /** The gradients of a graph's first result, a scalar, by some of its values. */
  static List<Tensor> gradients(Graph g, List<Tensor> values, int[] wrt) {
    Check.shape(
        !g.outputs().isEmpty()
            && g.outputTypes().get(0).shape().rank() == 0
            && g.outputTypes().get(0).dtype().isFloating(),
        "grad: the function's first result must be a floating scalar: %s; reduce it, for instance"
            + " with mean()",
        g.outputTypes());
    Tensor[] cotangents = new Tensor[g.outputs().size()];
    cotangents[0] = Tensor.scalar(g.outputTypes().get(0).dtype(), 1);
    return pullBack(g, values, Arrays.asList(cotangents), wrt);
  }

  /** Checks the operands to differentiate by. */
  static void checkWrt(String who, Graph g, int operands, int[] wrt) {
    for (int i : wrt) {
      Check.that(
          i >= 0 && i < operands,
          "%s: wrt must name operands by position: %d of %d operands; correct it",
          who,
          i,
          operands);
      Check.shape(
          g.inputs().get(i).type().dtype().isFloating(),
          "%s: operands to differentiate by must be floating: %s; leave it out of wrt",
          who,
          g.inputs().get(i));
    }
  }

  /** As {@link PullBack#run}. */
  static List<Tensor> pullBack(Graph g, List<Tensor> values, List<Tensor> cotangents, int[] wrt) {
    return PullBack.run(g, values, cotangents, wrt);
  }

  /** Zeros of a tensor's type: the gradient of an operand the result does not depend on. */
  static Tensor zeros(Tensor like) {
    return PullBack.zeros(like);
  }
}
