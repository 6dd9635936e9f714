package io.fragua.optim;

import io.fragua.nn.ParamTree;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/**
 * A transform that checks names and prints itself, and what the formulas of all verbs share.
 * Parameters of half types are f32 to a verb, and so is what it remembers of them: f16 has no 1e-8,
 * and an average in bf16 stands still. Only updates are rounded.
 */
record Verb(String text, UnaryOperator<ParamTree> start, Verb.Step step)
    implements GradientTransform {
  static final TensorType COUNT = TensorType.of(DType.F32);

  /** The update function of a verb. */
  @FunctionalInterface
  interface Step {
    Update apply(ParamTree grads, ParamTree state, ParamTree params);
  }

  static GradientTransform stateless(String text, BiFunction<ParamTree, ParamTree, ParamTree> f) {
    return new Verb(text, p -> ParamTree.EMPTY, (g, s, p) -> new Update(f.apply(g, p), s));
  }

  static ParamTree zeros(ParamTree like) {
    return full(like, 0);
  }

  static ParamTree full(ParamTree like, double value) {
    return like.map(t -> Tensor.full(t.type(), value));
  }

  static ParamTree count() {
    return ParamTree.of("count", Tensor.full(COUNT, 0));
  }

  /** {@code decay * old + (1 - decay) * value}. */
  static Tensor average(double decay, Tensor old, Tensor value) {
    return value.mul(1 - decay).add(faded(old.mul(decay)));
  }

  /**
   * What is left of the past, rounded so that no number below the smallest normal one is left of
   * it, which a unit that has stopped learning would keep for ever: processors compute with such
   * numbers a hundred times as long, and XLA makes them 0. What is added and taken away again
   * changes no number beyond 1e-24 in f32, and none in f16.
   */
  static Tensor faded(Tensor x) {
    double grain = x.dtype() == DType.F64 ? Double.MIN_NORMAL * 0x1p100 : Float.MIN_NORMAL * 0x1p46;
    return x.add(grain).sub(grain);
  }

  /** {@code 1 - decay^t}: what an average that started at 0 has gathered of 1 so far. */
  static Tensor gathered(double decay, Tensor t) {
    return Tensor.scalar(t.dtype(), decay).lift(t).pow(t).neg().add(1);
  }

  static void unit(String who, String name, double v) {
    Check.that(v >= 0 && v < 1, "%s: %s lies in [0, 1): %s; correct it", who, name, v);
  }

  static void notNegative(String who, String name, double v) {
    Check.that(
        v >= 0 && Double.isFinite(v),
        "%s: %s is finite and not negative: %s; correct it",
        who,
        name,
        v);
  }

  @Override
  public ParamTree init(ParamTree params) {
    return start.apply(wide(params));
  }

  @Override
  public Update update(ParamTree grads, ParamTree state, ParamTree params) {
    Check.that(
        grads.names().equals(params.names()),
        "%s: gradients must have the parameters' names and order: %s for %s; make them with"
            + " params.withLeaves",
        this,
        grads,
        params);
    grads.zip(
        params,
        (g, p) -> {
          Check.shape(
              g.shape().equals(p.shape()),
              "%s: a gradient must have its parameter's shape: %s for %s; sum or reshape it",
              this,
              g.type(),
              p.type());
          return g;
        });
    Update u = step.apply(wide(grads), state, wide(params));
    return new Update(u.updates().zip(params, (x, p) -> x.cast(p.dtype())), u.state());
  }

  private static ParamTree wide(ParamTree tree) {
    return tree.map(t -> t.cast(t.dtype().wide()));
  }

  @Override
  public String toString() {
    return text;
  }
}
