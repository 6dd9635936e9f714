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
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.IntStream;

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
     * @param cotangents one gradient a result, of its type; zeros for a result that is not used
     * @return one gradient an operand, of its type; not looked at for one that is not floating
     */
    List<Tensor> apply(List<Tensor> operands, List<Tensor> cotangents);
  }

  private CustomVjp() {}

  /**
   * The function with this derivative. Gradients, directional derivatives and maps of it use the
   * pull-back, once for all results; the function itself is computed as before.
   *
   * @throws io.fragua.tensor.ShapeException when differentiated, if the gradients are not of the
   *     operands' types
   * @throws IllegalArgumentException when applied, if {@code f} captures a traced tensor: it would
   *     silently have no gradient
   */
  public static Fn customVjp(Fn f, PullBack pullBack) {
    return of(f, types -> (g, in, out, attrs) -> checked(pullBack, types, g, in));
  }

  /**
   * The function with this derivative, which gets null for a result without a gradient.
   *
   * @param rule from the types of the results
   */
  static Fn of(Fn f, Function<List<TensorType>, Op.Vjp.Many> rule) {
    return args -> {
      if (Traced.tracedOf(args.stream()) == null) {
        return args.stream().anyMatch(Tensor::isTracked) && Autograd.isOn()
            ? eager(f, rule, args)
            : f.apply(args); // to be differentiated otherwise it is traced
      }
      Tracer.Closure c = Traced.closure(f, args.stream().map(Tensor::type).toList());
      Check.that(
          c.captured().isEmpty(),
          "custom_vjp: the function must have all traced tensors as operands: it captures %s; pass"
              + " them",
          c.captured());
      List<Tensor> in = Traced.together(args);
      Op.Vjp.Many whole = rule.apply(c.graph().outputTypes());
      List<Tensor> values = c.graph().call(in);
      List<Tensor> results = new ArrayList<>();
      for (Tensor y : values) {
        results.add(
            y.dtype().isFloating()
                ? part(new Op.Vjp.Part(whole, results.size(), values.size()), y, in)
                : y);
      }
      return results;
    };
  }

  /** The results, from which eager gradients go back by the rule. */
  private static List<Tensor> eager(
      Fn f, Function<List<TensorType>, Op.Vjp.Many> rule, List<Tensor> args) {
    List<Tensor> values = f.apply(args.stream().map(Tensor::detach).toList());
    for (Tensor y : values) {
      Check.that(
          !y.isTracked(),
          "custom_vjp: the function must have all tensors that require gradients as operands: a"
              + " captured one makes %s; pass it",
          y.type());
    }
    Op.Vjp.Many whole = rule.apply(values.stream().map(Tensor::type).toList());
    return Tensor.remember(op(whole, null), Attrs.NONE, args, values);
  }

  /** A result of the function, from which gradients go back to its operands. */
  private static Tensor part(Op.Vjp.Part rule, Tensor result, List<Tensor> operands) {
    List<Tensor> in = new ArrayList<>(List.of(result));
    in.addAll(operands);
    return Tensor.record(op(rule, (op, x, mapped, a) -> batch(rule, x, mapped)), Attrs.NONE, in);
  }

  /** An op that is its first operand. */
  private static Op op(Op.Vjp rule, Op.Batch batch) {
    return new Op(
        Op.CUSTOM,
        Family.ELEMENTWISE,
        -1,
        EnumSet.allOf(DType.class),
        (op, in, a) -> in.get(0),
        rule,
        null,
        batch,
        null,
        "none: it is what its function is",
        "JAX jax.custom_vjp");
  }

  private static List<Tensor> checked(
      PullBack pullBack, List<TensorType> types, List<Tensor> g, List<Tensor> operands) {
    Tensor given = g.stream().filter(Objects::nonNull).findFirst().orElseThrow();
    List<Tensor> cotangents = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      Tensor zero = Tensor.scalar(types.get(i).dtype(), 0).lift(given);
      cotangents.add(g.get(i) != null ? g.get(i) : zero.broadcastTo(types.get(i).shape()));
    }
    List<Tensor> grads = pullBack.apply(operands, cotangents);
    Check.that(
        grads.size() == operands.size(),
        "custom_vjp: the pull-back must give one gradient for each operand: %d for %d; correct it",
        grads.size(),
        operands.size());
    List<Tensor> back = new ArrayList<>();
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

  private static Tensor batch(Op.Vjp.Part rule, List<Tensor> in, List<Boolean> mapped) {
    int n = in.get(mapped.indexOf(true)).shape().dim(0);
    Tensor y = mapped.get(0) ? in.get(0) : Vmap.spread(in.get(0), n);
    Mapped whole = new Mapped(rule.whole(), mapped.subList(1, mapped.size()));
    return part(new Op.Vjp.Part(whole, rule.result(), rule.results()), y, in.subList(1, in.size()));
  }

  /**
   * The derivative of a function of many examples from that of one. Equal for the results of one
   * function, so that they stay together.
   *
   * @param mapped which operands differ from example to example; the results do
   */
  private record Mapped(Op.Vjp.Many one, List<Boolean> mapped) implements Op.Vjp.Many {
    @Override
    public List<Tensor> applyAll(List<Tensor> g, List<Tensor> in, List<Tensor> out, Attrs attrs) {
      int n = in.size();
      List<Tensor> all = new ArrayList<>(in);
      g.stream().filter(Objects::nonNull).forEach(all::add);
      List<Integer> axes = new ArrayList<>();
      mapped.forEach(m -> axes.add(m ? 0 : null));
      axes.addAll(Collections.nCopies(all.size() - n, 0));
      int[] real = IntStream.range(0, n).filter(i -> in.get(i).dtype().isFloating()).toArray();
      Fn each =
          x -> {
            Iterator<Tensor> given = x.subList(n, x.size()).iterator();
            List<Tensor> of = g.stream().map(t -> t == null ? null : given.next()).toList();
            List<Tensor> grads = one.applyAll(of, x.subList(0, n), List.of(), attrs);
            return IntStream.of(real).mapToObj(grads::get).toList();
          };
      List<Tensor> grads = Vmap.vmap(each, axes).apply(all);
      Tensor[] back = new Tensor[n];
      for (int i = 0; i < real.length; i++) {
        Tensor grad = grads.get(i); // what all examples share has the sum of their gradients
        back[real[i]] = mapped.get(real[i]) ? grad : grad.sum(0);
      }
      return Arrays.asList(back);
    }
  }
}
