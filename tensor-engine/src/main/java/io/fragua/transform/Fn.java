package io.fragua.transform;

import io.fragua.tensor.Tensor;
import java.util.List;

/** A pure function from tensors to tensors: what the transforms take and give. */
@FunctionalInterface
public interface Fn {
  /** Applies it, on concrete or traced tensors. */
  List<Tensor> apply(List<Tensor> arguments);

  /** Applies it to the given operands and gives its only result. */
  default Tensor call(Tensor... arguments) {
    return apply(List.of(arguments)).get(0);
  }

  /** A function with one operand and one result. */
  static Fn of(java.util.function.UnaryOperator<Tensor> f) {
    return a -> List.of(f.apply(a.get(0)));
  }

  /** A function with two operands and one result. */
  static Fn of(java.util.function.BinaryOperator<Tensor> f) {
    return a -> List.of(f.apply(a.get(0), a.get(1)));
  }
}
