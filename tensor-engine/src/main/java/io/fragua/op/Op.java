package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.ShapeException;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A row of the op table: a primitive stated once, as data. Backends, gradients, tests and
 * documentation are readers of the same rows. Immutable; built by the family builders of the pages
 * ({@code ElementwiseOps} and so on).
 *
 * @param name lower_snake, NumPy's word where there is one
 * @param family what it shares with its neighbours
 * @param arity number of operands, or -1 for one or more
 * @param dtypes accepted element types of the operands that compute (indices and masks are checked
 *     by the type rule)
 * @param type the type rule
 * @param vjp the derivative, or null when there is none (see {@code noGradient})
 * @param noGradient why there is no derivative; null when there is one
 * @param batch how the row acts on a further axis; null only for a row without operands
 * @param scalar meaning and code of an elementwise row; null for the others
 * @param onnx the ONNX operator and opset ({@code "Tanh-13"}), or {@code "none: reason"}
 * @param source the standard it follows
 */
public record Op(
    String name,
    Family family,
    int arity,
    Set<DType> dtypes,
    TypeRule type,
    Vjp vjp,
    String noGradient,
    Batch batch,
    Scalar scalar,
    String onnx,
    String source) {

  /**
   * Name of the ops that {@code CustomVjp} makes. They are in no table: such an op is its first
   * operand, with a derivative with respect to the others ({@link Vjp.Part}), and in a graph it
   * stands behind a {@code stop_gradient} that backends compute.
   */
  public static final String CUSTOM = "custom_vjp";

  /** Computes the result's type, or throws {@code ShapeException} with a four-part message. */
  @FunctionalInterface
  public interface TypeRule {
    /** Applies the rule; the number of operands has been checked. */
    TensorType infer(Op op, List<TensorType> in, Attrs attrs);

    /** The types of all results: of the one, unless the rule is {@link Many}. */
    default List<TensorType> inferAll(Op op, List<TensorType> in, Attrs attrs) {
      return List.of(infer(op, in, attrs));
    }

    /** The type rule of a row with several results. */
    @FunctionalInterface
    interface Many extends TypeRule {
      @Override
      List<TensorType> inferAll(Op op, List<TensorType> in, Attrs attrs);

      /** The type of the first result. */
      @Override
      default TensorType infer(Op op, List<TensorType> in, Attrs attrs) {
        return inferAll(op, in, attrs).get(0);
      }
    }
  }

  /** Vector-Jacobian product, written in tensor operations so that it differentiates again. */
  @FunctionalInterface
  public interface Vjp {
    /**
     * Pulls a gradient back.
     *
     * @param g gradient with respect to the result, of the result's type
     * @param in the operands
     * @param out the result
     * @return one gradient an operand, of its type; null for an operand without one (an index)
     */
    List<Tensor> apply(Tensor g, List<Tensor> in, Tensor out, Attrs attrs);

    /**
     * Pulls the gradients of all results back.
     *
     * @param g one gradient a result, of its type; null for a result without one, but one is there
     * @param out the results
     * @return as {@link #apply}
     */
    default List<Tensor> applyAll(List<Tensor> g, List<Tensor> in, List<Tensor> out, Attrs attrs) {
      return apply(g.get(0), in, out.get(0), attrs);
    }

    /**
     * Stands for a derivative that cannot be had, where leaving it out would be a wrong gradient.
     *
     * @param reason what is refused, and what to do instead
     */
    static Vjp refused(String reason) {
      return new Refused(reason);
    }

    /** The derivative of a row with several results. */
    @FunctionalInterface
    interface Many extends Vjp {
      @Override
      List<Tensor> applyAll(List<Tensor> g, List<Tensor> in, List<Tensor> out, Attrs attrs);

      /** As {@link #applyAll}, of a use with one result. */
      @Override
      default List<Tensor> apply(Tensor g, List<Tensor> in, Tensor out, Attrs attrs) {
        return applyAll(List.of(g), in, List.of(out), attrs);
      }
    }

    /**
     * The derivative of a function with several results, each of which has an equation of its own:
     * its operands are the result, then those of the function. Who goes back gathers the gradients
     * of all equations that have an equal {@link #key}, and applies one of them once.
     *
     * @param whole the function's derivative; the results themselves are not passed to it
     * @param result which of the results the equation gives
     * @param results how many the function has
     */
    record Part(Many whole, int result, int results) implements Many {
      /** Equal for equations that are gone back from at once: of one function, on one point. */
      public Object key(List<?> inputs) {
        return List.of(whole, inputs.subList(1, inputs.size()));
      }

      /**
       * Pulls the gradients of all results of the function back.
       *
       * @param g one gradient a result of the function; null for a result without one
       * @param in the operands of the equation
       */
      @Override
      public List<Tensor> applyAll(List<Tensor> g, List<Tensor> in, List<Tensor> out, Attrs attrs) {
        List<Tensor> back = new ArrayList<>();
        back.add(null);
        back.addAll(whole.applyAll(g, in.subList(1, in.size()), List.of(), attrs));
        return back;
      }
    }
  }

  /** A derivative that throws when asked for. */
  record Refused(String reason) implements Vjp.Many {
    @Override
    public List<Tensor> applyAll(List<Tensor> g, List<Tensor> in, List<Tensor> out, Attrs attrs) {
      throw new IllegalArgumentException(reason);
    }
  }

  /** The row on many examples at once, written in tensor operations. */
  @FunctionalInterface
  public interface Batch {
    /**
     * Applies the row to each example.
     *
     * @param in the operands; a mapped one has the axis of the examples in front
     * @param mapped which operands differ from example to example; at least one does
     * @return the results, with the axis of the examples in front
     * @source JAX {@code jax.interpreters.batching.primitive_batchers}
     */
    Tensor apply(Op op, List<Tensor> in, List<Boolean> mapped, Attrs attrs);

    /** As {@link #apply}, giving all results, each with the axis of the examples in front. */
    default List<Tensor> applyAll(Op op, List<Tensor> in, List<Boolean> mapped, Attrs attrs) {
      return List.of(apply(op, in, mapped, attrs));
    }

    /** The batching rule of a row with several results. */
    @FunctionalInterface
    interface Many extends Batch {
      @Override
      List<Tensor> applyAll(Op op, List<Tensor> in, List<Boolean> mapped, Attrs attrs);

      /** The first result. */
      @Override
      default Tensor apply(Op op, List<Tensor> in, List<Boolean> mapped, Attrs attrs) {
        return applyAll(op, in, mapped, attrs).get(0);
      }
    }
  }

  /** True if gradients flow through it. */
  public boolean differentiable() {
    return vjp != null && !(vjp instanceof Refused);
  }

  /**
   * The only result's type.
   *
   * @throws ShapeException if the operands do not fit
   * @throws IllegalArgumentException if there are several results
   */
  public TensorType infer(List<TensorType> in, Attrs attrs) {
    List<TensorType> all = inferAll(in, attrs);
    io.fragua.tensor.Check.that(
        all.size() == 1,
        "%s: one result is asked for, there are several: %s; ask for all",
        name,
        all);
    return all.get(0);
  }

  /** The results' types; throws {@code ShapeException} if the operands do not fit. */
  public List<TensorType> inferAll(List<TensorType> in, Attrs attrs) {
    io.fragua.tensor.Check.shape(
        arity < 0 ? !in.isEmpty() : in.size() == arity,
        "%s: takes %s operands: %d given %s; pass the right number",
        name,
        arity < 0 ? "one or more" : arity,
        in.size(),
        in);
    try {
      return type.inferAll(this, in, attrs);
    } catch (ArithmeticException e) { // a sum or product of sizes; hostile graphs try it
      throw new ShapeException(
          name + ": sizes must stay below 2^31: " + in + " {" + attrs + "}; correct the settings");
    }
  }

  /** Rows are singletons, equal by name. */
  @Override
  public boolean equals(Object o) {
    return o instanceof Op p && name.equals(p.name);
  }

  @Override
  public int hashCode() {
    return name.hashCode();
  }

  @Override
  public String toString() {
    return name;
  }
}
