package io.fragua.transform;

import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.op.OpTable;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Trades time for memory: inside the function nothing is kept for the gradient, which computes it
 * again from the operands. The gradients are the same numbers. For a layer see {@link
 * io.fragua.nn.Remat}, which knows of its state.
 *
 * @source JAX {@code jax.checkpoint}; Chen et al., "Training deep nets with sublinear memory cost",
 *     2016
 */
public final class Checkpoint {
  private Checkpoint() {}

  /**
   * The function, forgetting its intermediate values. They are computed again once, for all results
   * that have gradients. Only compiled programs save memory by it.
   */
  public static Fn checkpoint(Fn f) {
    return args -> {
      if (Traced.tracedOf(args.stream()) == null) {
        return f.apply(args);
      }
      // what f captures has gradients too, so it becomes an operand
      Tracer.Closure c = Traced.closure(f, args.stream().map(Tensor::type).toList());
      List<Tensor> all = new ArrayList<>(args);
      all.addAll(c.captured());
      return CustomVjp.of(c.graph()::call, types -> (g, in, out, a) -> back(c.graph(), g, in))
          .apply(all);
    };
  }

  /** Evaluates again, and goes back from there. */
  private static List<Tensor> back(Graph g, List<Tensor> cotangents, List<Tensor> in) {
    List<Tensor> given = cotangents.stream().filter(Objects::nonNull).toList();
    int[] real =
        IntStream.range(0, in.size()).filter(i -> in.get(i).dtype().isFloating()).toArray();
    List<Tensor> grads = Grad.pullBack(g, g.evaluate(after(in, given)), cotangents, real);
    Tensor[] back = new Tensor[in.size()];
    Iterator<Tensor> each = after(grads, grads).iterator();
    IntStream.of(real).forEach(i -> back[i] = each.next());
    return Arrays.asList(back);
  }

  /*
   * The compiler makes equal computations one, which would undo the recomputation, and orders them
   * by what they need. So the operands are made to need the cotangents: each is selected by a
   * condition that holds for every number (it equals itself, or, NaN, does not). In the same way
   * each gradient needs all others, so that none is put off with what was computed for it. JAX has
   * optimization_barrier for this; here no backend needs to know.
   */
  private static List<Tensor> after(List<Tensor> tensors, List<Tensor> needed) {
    Tensor always = null;
    for (Tensor c : needed) {
      if (c.isTraced() && c.dtype().isFloating() && c.shape().size() > 0) {
        Tensor one = first(c);
        Tensor holds = one.equal(one).or(one.notEqual(one));
        always = always == null ? holds : always.and(holds);
      }
    }
    if (always == null) {
      return tensors;
    }
    Tensor condition = always;
    return tensors.stream()
        .map(
            x ->
                OpTable.get("select").dtypes().contains(x.dtype())
                    ? condition.select(x, Tensor.scalar(x.dtype(), 0))
                    : x)
        .toList();
  }

  private static Tensor first(Tensor t) {
    Tensor part = t;
    for (int axis = 0; axis < t.shape().rank(); axis++) {
      part = part.slice(axis, 0, 1);
    }
    return part.reshape();
  }
}
