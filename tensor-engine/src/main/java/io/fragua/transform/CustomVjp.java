package io.fragua.transform;

import io.fragua.graph.Tracer;
import io.fragua.op.Family;
import io.fragua.op.Op;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Autograd;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;

/**
 * A function with its user's own derivative: where the derivative of the formula is inaccurate or
 * not wanted (clipped, straight through).
 *
 * @source JAX {@code jax.custom_vjp}
 */
public final class CustomVjp {
  /** Pulls gradients back through a function. */
  @FunctionalInterface
  public interface PullBack {
    /**
     * The gradients of the operands. It is written in tensor operations, is linear in the
     * cotangents, and computes again what it needs of the function's values; the compiler makes
     * equal computations one.
     *
     * @param operands of the function
     * @param cotangents one gradient a result, of its type
     * @return one gradient an operand, of its type; not looked at for one that is not floating
     */
    List<Tensor> apply(List<Tensor> operands, List<Tensor> cotangents);
  }

  private CustomVjp() {}

  /**
   * The function with this derivative. Gradients, directional derivatives and maps of it use the
   * pull-back, once for each result; the function itself is computed as before.
   *
   * @throws io.fragua.tensor.ShapeException when differentiated, if the gradients are not of the
   *     operands' types
   * @throws IllegalArgumentException when applied, if {@code f} captures a traced tensor: it would
   *     silently have no gradient
   */
  public static Fn customVjp(Fn f, PullBack pullBack) {
    return args -> {
      if (Traced.tracedOf(args.stream()) == null) {
        return args.stream().anyMatch(Tensor::isTracked) && Autograd.isOn()
            ? eager(f, pullBack, args)
            : f.apply(args); // to be differentiated otherwise it is traced
      }
      Tracer.Closure c = Traced.closure(f, args.stream().map(Tensor::type).toList());
      Check.that(
          c.captured().isEmpty(),
          "custom_vjp: the function must have all traced tensors as operands: it captures %s; pass"
              + " them",
          c.captured());
      List<Tensor> in = Traced.together(args);
      List<TensorType> types = c.graph().outputTypes();
      List<Tensor> results = new ArrayList<>();
      for (Tensor y : c.graph().call(in)) {
        List<Tensor> behind = new ArrayList<>(List.of(y));
        behind.addAll(in);
        results.add(
            y.dtype().isFloating()
                ? Tensor.record(op(results.size(), types, pullBack), Attrs.NONE, behind)
                : y);
      }
      return results;
    };
  }

  /** The results, from which eager gradients go back by the pull-back. */
  private static List<Tensor> eager(Fn f, PullBack pullBack, List<Tensor> args) {
    List<Tensor> values = f.apply(args.stream().map(Tensor::detach).toList());
    List<TensorType> types = values.stream().map(Tensor::type).toList();
    List<Tensor> results = new ArrayList<>();
    for (Tensor y : values) {
      Check.that(
          !y.isTracked(),
          "custom_vjp: the function must have all tensors that require gradients as operands: a"
              + " captured one makes %s; pass it",
          y.type());
      List<Tensor> behind = new ArrayList<>(List.of(y));
      behind.addAll(args);
      Op op = op(results.size(), types, pullBack);
      results.add(
          y.dtype().isFloating() ? Tensor.remember(op, Attrs.NONE, behind, List.of(y)).get(0) : y);
    }
    return results;
  }

  /** An op that is its first operand, the result of this number; the others get the gradients. */
  private static Op op(int result, List<TensorType> types, PullBack pullBack) {
    return new Op(
        Op.CUSTOM,
        Family.ELEMENTWISE,
        -1,
        EnumSet.allOf(DType.class),
        (op, in, a) -> in.get(0),
        (g, in, y, a) -> pullBack(result, types, pullBack, g, in),
        null,
        (op, in, mapped, a) -> batch(result, types, pullBack, in, mapped),
        null,
        "none: it is what its function is",
        "JAX jax.custom_vjp");
  }

  private static List<Tensor> pullBack(
      int result, List<TensorType> types, PullBack pullBack, Tensor g, List<Tensor> in) {
    List<Tensor> cotangents = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      Tensor zero = Tensor.scalar(types.get(i).dtype(), 0).lift(g);
      cotangents.add(i == result ? g : zero.broadcastTo(types.get(i).shape()));
    }
    List<Tensor> operands = in.subList(1, in.size());
    List<Tensor> grads = pullBack.apply(operands, cotangents);
    Check.that(
        grads.size() == operands.size(),
        "custom_vjp: the pull-back must give one gradient for each operand: %d for %d; correct it",
        grads.size(),
        operands.size());
    List<Tensor> back = new ArrayList<>();
    back.add(null);
    for (int i = 0; i < grads.size(); i++) {
      TensorType t = operands.get(i).type();
      boolean real = t.dtype().isFloating();
      Check.shape(
          !real || grads.get(i).type().equals(t),
          "custom_vjp: a gradient must have its operand's type: %s for operand %d, %s; cast, sum or"
              + " broadcast it",
          grads.get(i),
          i,
          t);
      back.add(real ? grads.get(i) : null);
    }
    return back;
  }

  private static Tensor batch(
      int result,
      List<TensorType> types,
      PullBack pullBack,
      List<Tensor> in,
      List<Boolean> mapped) {
    int n = in.get(mapped.indexOf(true)).shape().dim(0);
    List<Tensor> all = new ArrayList<>();
    for (int i = 0; i < in.size(); i++) {
      all.add(mapped.get(i) ? in.get(i) : Vmap.spread(in.get(i), n));
    }
    int operands = in.size() - 1;
    Fn one =
        x -> pullBack.apply(x.subList(0, operands), x.subList(operands, operands + types.size()));
    PullBack each =
        (x, g) -> {
          List<Tensor> both = new ArrayList<>(x);
          both.addAll(g);
          return Vmap.vmap(one).apply(both);
        };
    List<TensorType> wide =
        types.stream().map(t -> t.with(io.fragua.tensor.Shape.of(n).concat(t.shape()))).toList();
    return Tensor.record(op(result, wide, each), Attrs.NONE, all);
  }
}
