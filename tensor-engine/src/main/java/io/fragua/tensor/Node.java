package io.fragua.tensor;

import io.fragua.op.Op;
import java.util.ArrayList;
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
  private final List<TensorType> types;
  private final int result;
  private final Node first;

  private Node(
      Op op, Attrs attrs, List<Tensor> inputs, List<TensorType> types, int result, Node first) {
    this.op = op;
    this.attrs = attrs;
    this.inputs = inputs;
    this.types = types;
    this.result = result;
    this.first = first == null ? this : first;
  }

  /** A node without an op. */
  Node(TensorType type, List<Tensor> inputs) {
    this(null, Attrs.NONE, inputs, List.of(type), 0, null);
  }

  /** The nodes of all results of one use of a row. */
  static List<Node> of(Op op, Attrs attrs, List<Tensor> inputs, List<TensorType> types) {
    List<Node> all = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      all.add(new Node(op, attrs, inputs, types, i, i == 0 ? null : all.get(0)));
    }
    return all;
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

  /** Types of all results that the row has. */
  public List<TensorType> types() {
    return types;
  }

  /** Which of the row's results this is. */
  public int result() {
    return result;
  }

  /** The node of the first result: the same for all results of one use of a row. */
  public Node first() {
    return first;
  }
}
