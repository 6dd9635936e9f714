package io.fragua.transform;

import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Branches and loops inside functions that are traced: a loop is one equation of the graph, however
 * many steps it has. The functions given here are traced once each; they may capture tensors, whose
 * gradients flow.
 *
 * <p>All functions are pure: the tensors of one step are known only in that step. On concrete
 * tensors a loop runs at once.
 *
 * @source JAX {@code jax.lax} control flow operators, with their names, order of arguments and
 *     meaning
 */
public final class Control {
  /**
   * What a loop gives, and what one step of it gives.
   *
   * @param carry values that go from step to step
   * @param ys of a step: what it gives besides; of the loop: those of all steps, a row each
   */
  public record Scan(List<Tensor> carry, List<Tensor> ys) {
    /** Copies the lists. */
    public Scan {
      carry = List.copyOf(carry);
      ys = List.copyOf(ys);
    }
  }

  /** One step of a loop. */
  @FunctionalInterface
  public interface Step {
    /**
     * From what the step before left to what the next will find.
     *
     * @param carry the values that go from step to step
     * @param x one row of each tensor that is scanned over
     */
    Scan apply(List<Tensor> carry, List<Tensor> x);
  }

  /** One step of a counted loop. */
  @FunctionalInterface
  public interface CountedStep {
    /**
     * The values after a step.
     *
     * @param i the number of the step, an i32 scalar
     * @param values those before the step
     */
    List<Tensor> apply(Tensor i, List<Tensor> values);
  }

  private Control() {}

  /**
   * Applies a function to one row after another, carrying values along: {@code for x in xs: carry,
   * y = f(carry, x)}. Differentiable; the gradient goes back step by step and keeps what each step
   * started from and its products.
   *
   * @param init values that the first step finds; steps keep their types
   * @param xs tensors with one row a step, at least one
   * @return the carry after the last step, and the ys stacked along a new first axis
   * @throws io.fragua.tensor.ShapeException if the numbers of rows differ, or a step changes the
   *     types of the carry
   * @source JAX {@code jax.lax.scan}
   */
  public static Scan scan(Step f, List<Tensor> init, List<Tensor> xs) {
    Check.shape(
        !xs.isEmpty(),
        "scan: length must be given when nothing is scanned over: xs are"
            + " empty; pass the number of steps");
    Check.shape(
        xs.get(0).shape().rank() > 0,
        "scan: what is scanned over must have one row a step: %s; give it an axis in front",
        xs.get(0).type());
    return scan(f, init, xs, xs.get(0).shape().dim(0), false);
  }

  /**
   * As {@link #scan(Step, List, List)}.
   *
   * @param xs tensors with one row a step; may be none
   * @param length number of steps
   * @param reverse true to go from the last row to the first; ys are in the order of xs all the
   *     same
   */
  public static Scan scan(Step f, List<Tensor> init, List<Tensor> xs, int length, boolean reverse) {
    Check.shape(length >= 0, "scan: length must not be negative: %d; correct it", length);
    int n = init.size();
    List<TensorType> types = new ArrayList<>(types(init));
    for (Tensor x : xs) {
      Check.shape(
          x.shape().rank() > 0 && x.shape().dim(0) == length,
          "scan: what is scanned over must have one row a step: %s for %d steps; slice or transpose"
              + " it, or correct the length",
          x.type(),
          length);
      types.add(x.type().with(x.shape().without(0)));
    }
    Tracer.Closure c =
        closure(
            types,
            in -> {
              Scan s = f.apply(in.subList(0, n), in.subList(n, in.size()));
              Check.shape(
                  types(s.carry()).equals(types(init)),
                  "scan: a step must keep the types of the carry: %s become %s; cast or reshape"
                      + " what the function returns",
                  types(init),
                  types(s.carry()));
              List<Tensor> out = new ArrayList<>(s.carry());
              out.addAll(s.ys());
              return out;
            });
    Check.shape(
        !c.graph().outputs().isEmpty(),
        "scan: a step must give something: no carry, no ys; return" + " a tensor");
    List<Tensor> in = new ArrayList<>(init);
    in.addAll(xs);
    in.addAll(c.captured());
    Attrs a =
        Attrs.of("body", c.graph())
            .with("carries", n)
            .with("xs", xs.size())
            .with("length", length)
            .with("reverse", reverse ? 1 : 0)
            .with("save", new int[0]);
    List<Tensor> out = Tensor.applyAll(OpTable.get("scan"), a, in);
    return new Scan(out.subList(0, n), out.subList(n, out.size()));
  }

  /**
   * One of two functions, by a condition. Only the one is computed, except where {@code vmap} makes
   * the condition differ from example to example: then both are, for all examples, and an index
   * that the condition guards has to be clipped, or it is an error in the examples it guards
   * against.
   *
   * @param condition a bool scalar
   * @param onTrue and {@code onFalse} give results of the same types
   * @throws io.fragua.tensor.ShapeException if the condition is no bool scalar or the results
   *     differ in type
   * @source JAX {@code jax.lax.cond}
   */
  public static List<Tensor> cond(Tensor condition, Fn onTrue, Fn onFalse, Tensor... operands) {
    Check.shape(
        condition.type().equals(TensorType.of(DType.BOOL)),
        "cond: the condition must be a bool scalar: %s; compare or reduce it",
        condition.type());
    List<Tensor> own = List.of(operands);
    int n = own.size();
    Tracer.Closure yes = closure(types(own), onTrue::apply);
    Tracer.Closure no = closure(types(own), onFalse::apply);
    Check.shape(
        yes.graph().outputTypes().equals(no.graph().outputTypes()),
        "cond: both functions must give the same types: %s and %s; cast or reshape their results",
        yes.graph().outputTypes(),
        no.graph().outputTypes());
    Check.shape(
        !yes.graph().outputs().isEmpty(), "cond: must have a result: none; return a tensor");
    List<Tensor> all = new ArrayList<>(List.of(condition));
    all.addAll(own);
    all.addAll(yes.captured());
    all.addAll(no.captured());
    List<TensorType> types = types(all.subList(1, all.size()));
    int m = n + yes.captured().size();
    Graph first = Jit.graph(x -> yes.graph().call(x.subList(0, m)), types);
    Graph second =
        Jit.graph(
            x -> {
              List<Tensor> in = new ArrayList<>(x.subList(0, n));
              in.addAll(x.subList(m, x.size()));
              return no.graph().call(in);
            },
            types);
    return Tensor.applyAll(
        OpTable.get("cond"), Attrs.of("on_true", first).with("on_false", second), all);
  }

  /**
   * Applies a function as long as a condition holds. Has no derivative, for the number of steps is
   * not known beforehand: where a gradient is asked, an error says so. Under {@code vmap} the body
   * is computed for all examples until the last has ended, those that have keep their values.
   *
   * @param condition gives a bool scalar
   * @param body from values to the next values, of the same types
   * @throws io.fragua.tensor.ShapeException if the condition is no bool scalar or a step changes
   *     the types of the values
   * @source JAX {@code jax.lax.while_loop}
   */
  public static List<Tensor> whileLoop(Fn condition, Fn body, List<Tensor> init) {
    List<TensorType> types = types(init);
    Check.shape(!init.isEmpty(), "while_loop: must have a value: none; pass one");
    Tracer.Closure c = closure(types, condition::apply);
    Check.shape(
        c.graph().outputTypes().equals(List.of(TensorType.of(DType.BOOL))),
        "while_loop: the condition must be one bool scalar: %s; compare or reduce it",
        c.graph().outputTypes());
    Tracer.Closure b = closure(types, body::apply);
    Check.shape(
        b.graph().outputTypes().equals(types),
        "while_loop: a step must keep the types of the values: %s become %s; cast or reshape what"
            + " the body returns",
        types,
        b.graph().outputTypes());
    List<Tensor> in = new ArrayList<>(init);
    in.addAll(c.captured());
    in.addAll(b.captured());
    Attrs a =
        Attrs.of("condition", c.graph())
            .with("body", b.graph())
            .with("carries", init.size())
            .with("condition_consts", c.captured().size());
    return Tensor.applyAll(OpTable.get("while_loop"), a, in);
  }

  /**
   * Applies a function for each number from {@code lower} to {@code upper}, which is not reached.
   * Differentiable, as a {@link #scan}.
   *
   * @source JAX {@code jax.lax.fori_loop}
   */
  public static List<Tensor> foriLoop(int lower, int upper, CountedStep body, List<Tensor> init) {
    Step step =
        (carry, x) -> {
          Tensor i = carry.get(0);
          List<Tensor> next = new ArrayList<>(List.of(i.add(Tensor.scalar(DType.I32, 1))));
          next.addAll(body.apply(i, carry.subList(1, carry.size())));
          return new Scan(next, List.of());
        };
    List<Tensor> start = new ArrayList<>(List.of(Tensor.scalar(DType.I32, lower)));
    start.addAll(init);
    int n = Check.size("fori_loop", Math.max(0, (long) upper - lower));
    List<Tensor> end = scan(step, start, List.of(), n, false).carry();
    return end.subList(1, end.size());
  }

  /**
   * Applies a function to one row after another and stacks its results: what {@code vmap} computes,
   * with the memory of one row at a time.
   *
   * @source JAX {@code jax.lax.map}
   */
  public static List<Tensor> map(Fn f, Tensor... xs) {
    return scan((carry, x) -> new Scan(List.of(), f.apply(x)), List.of(), List.of(xs)).ys();
  }

  private static Tracer.Closure closure(
      List<TensorType> types, Function<List<Tensor>, List<Tensor>> f) {
    return Tracer.traceClosure(types, f, true);
  }

  private static List<TensorType> types(List<Tensor> tensors) {
    return tensors.stream().map(Tensor::type).toList();
  }
}
