package io.fragua.tensor;

import io.fragua.op.Op;
import java.util.List;

/**
 * How a traced tensor is computed: a row of the op table applied to tensors. A node without an op
 * is an input of the graph being traced, or, when it has one (concrete) operand, a constant of it.
 * Compared by identity.
 */
public final class Node {
  private final Op op;
  private final Attrs attrs;
  private final List<Tensor> inputs;

  Node(Op op, Attrs attrs, List<Tensor> inputs) {
    this.op = op;
    this.attrs = attrs;
    this.inputs = inputs;
  }

  /** The row, or null for an input or a constant of the graph being traced. */
  public Op op() {
    return op;
  }

  /** The settings. */
  public Attrs attrs() {
    return attrs;
  }

  /** The operands; concrete ones become constants of the graph. */
  public List<Tensor> inputs() {
    return inputs;
  }
}
