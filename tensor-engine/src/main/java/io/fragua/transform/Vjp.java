package io.fragua.transform;

import io.fragua.graph.Graph;
import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The results of a function at a point, and how gradients go back from there.
 *
 * @param outputs the results
 * @param pullBack from one gradient a result (a cotangent, of the result's type) to one gradient an
 *     operand: the cotangents times the Jacobian. Linear; may be applied many times, and
 *     transformed. A tensor that is not floating has gradient zero, and its cotangent is not looked
 *     at
 * @source JAX {@code jax.vjp}
 */
public record Vjp(List<Tensor> outputs, Fn pullBack) {
  /** Evaluates a function and keeps what its pull-back needs. */
  public static Vjp vjp(Fn f, List<Tensor> operands) {
    Traced t = Traced.of(f, operands);
    List<Tensor> values = t.values();
    int n = operands.size();
    return new Vjp(t.results(values), cotangents -> back(t.graph(), values, cotangents, n));
  }

  /** As {@link #vjp(Fn, List)}. */
  public static Vjp vjp(Fn f, Tensor... operands) {
    return vjp(f, List.of(operands));
  }

  private static List<Tensor> back(Graph g, List<Tensor> values, List<Tensor> cotangents, int n) {
    checkTypes("vjp: cotangents", cotangents, g.outputTypes());
    int[] real = IntStream.range(0, n).filter(i -> values.get(i).dtype().isFloating()).toArray();
    Iterator<Tensor> grads = Grad.pullBack(g, values, cotangents, real).iterator();
    return values.subList(0, n).stream()
        .map(x -> x.dtype().isFloating() ? grads.next() : Grad.zeros(x))
        .toList();
  }

  /** Checks given tensors against the types they must have, one by one. */
  static void checkTypes(String who, List<Tensor> given, List<TensorType> types) {
    List<TensorType> g = given.stream().map(Tensor::type).toList();
    Check.shape(
        g.equals(types),
        "%s must have the types of what they belong to, one by one: %s for %s; reshape or cast"
            + " them",
        who,
        g,
        types);
  }
}
