package io.fragua.transform;

import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The results of a function at a point, and how they change along a direction.
 *
 * <p>A pull-back is linear in the cotangents, so its own pull-back is the function's derivative:
 * there is no second list of rules, and any function that has a gradient has this.
 *
 * @param outputs the results
 * @param tangents the Jacobian times the direction, one a result and of its type; zero for a result
 *     that is not floating
 * @source JAX {@code jax.jvp}; the double transposition is Townsend, "A new trick for calculating
 *     Jacobian vector products", 2017
 */
public record Jvp(List<Tensor> outputs, List<Tensor> tangents) {
  /**
   * Evaluates a function and its derivative along a direction.
   *
   * @param operands the point
   * @param direction one tangent an operand, of its type; that of an operand that is not floating
   *     is not looked at
   */
  public static Jvp jvp(Fn f, List<Tensor> operands, List<Tensor> direction) {
    Vjp.checkTypes("jvp: tangents", direction, operands.stream().map(Tensor::type).toList());
    int n = operands.size();
    Fn both =
        in -> {
          Vjp first = Vjp.vjp(f, in.subList(0, n));
          // where the pull-back is taken does not matter: it is linear
          Vjp second =
              Vjp.vjp(first.pullBack(), first.outputs().stream().map(Grad::zeros).toList());
          List<Tensor> all = new ArrayList<>(first.outputs());
          all.addAll(second.pullBack().apply(in.subList(n, 2 * n)));
          return all;
        };
    List<Tensor> in = new ArrayList<>(operands);
    in.addAll(direction);
    // traced as one, so that the pull-back itself, which is not needed, is not computed
    Traced t = Traced.of(both, in);
    List<Tensor> results = t.graph().call(t.arguments());
    int half = results.size() / 2;
    return new Jvp(results.subList(0, half), results.subList(half, results.size()));
  }
}
