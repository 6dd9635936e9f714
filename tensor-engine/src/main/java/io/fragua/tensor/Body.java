package io.fragua.tensor;

import io.fragua.op.Op;
import java.util.List;

/**
 * A function of tensors as a setting of a row that applies it: a loop's body, a branch. Implemented
 * by {@code graph.Graph}, so that rows need not know graphs. Immutable, compared by what it
 * computes, printed in full.
 */
public interface Body {
  /** Types of the operands, in order. */
  List<TensorType> inputTypes();

  /** Types of the results, in order. */
  List<TensorType> outputTypes();

  /** Number of values it computes, operands and constants included. */
  int values();

  /** Type of a value by its number. */
  TensorType type(int value);

  /** The derivative of a row that has this function among its settings; see {@link Op.Vjp.Many}. */
  List<Tensor> back(Op op, List<Tensor> g, List<Tensor> in, List<Tensor> out, Attrs attrs);

  /** Such a row on many examples at once; see {@link Op.Batch.Many}. */
  List<Tensor> batch(Op op, List<Tensor> in, List<Boolean> mapped, Attrs attrs);
}
