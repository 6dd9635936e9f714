package io.fragua.testing;

import io.fragua.graph.Graph;
import io.fragua.op.Op;
import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One use of a row on given operands, with how closely a backend must agree with the reference. The
 * operands follow from the case alone, so a failure can be repeated by name.
 *
 * @param smooth the row is differentiable around these operands (no ties, kinks, special values)
 */
public record OpCase(
    String op, Attrs attrs, List<Operand> operands, Tolerance tolerance, boolean smooth) {
  /** An operand's type and how its elements are chosen. */
  public record Operand(TensorType type, Values values) {}

  /** A case on operands drawn from one range. */
  public static OpCase of(String op, Attrs attrs, Tolerance tolerance, Operand... operands) {
    return new OpCase(op, attrs, List.of(operands), tolerance, false);
  }

  /** An operand. */
  public static Operand operand(DType t, Values v, int... dims) {
    return new Operand(TensorType.of(t, dims), v);
  }

  /** This case, known to be differentiable. */
  public OpCase differentiable() {
    return new OpCase(op, attrs, operands, tolerance, true);
  }

  /** The row. */
  public Op row() {
    return OpTable.get(op);
  }

  /** Types of the operands. */
  public List<TensorType> types() {
    return operands.stream().map(Operand::type).toList();
  }

  /** Types of the results. */
  public List<TensorType> results() {
    return row().inferAll(types(), attrs);
  }

  /** The row as a function. */
  public Fn function() {
    return x -> Tensor.applyAll(row(), attrs, x);
  }

  /** Concrete operands, the same on every call. */
  public List<Tensor> inputs() {
    List<Tensor> in = new ArrayList<>();
    for (int i = 0; i < operands.size(); i++) {
      Operand o = operands.get(i);
      in.add(o.values().make(o.type(), toString().hashCode() * 31L + i));
    }
    return in;
  }

  /** A graph of this one equation. */
  public Graph graph() {
    List<Graph.Input> inputs = new ArrayList<>();
    List<Integer> numbers = new ArrayList<>();
    for (Operand o : operands) {
      numbers.add(inputs.size());
      inputs.add(new Graph.Input("x" + inputs.size(), o.type()));
    }
    List<TensorType> types = results();
    List<Graph.Output> outputs = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      outputs.add(new Graph.Output("y" + i, inputs.size() + i));
    }
    return new Graph(
        inputs, List.of(), List.of(new Graph.Equation(row(), attrs, numbers, types)), outputs);
  }

  /** Number of elements of the largest operand. */
  public long size() {
    return types().stream().map(TensorType::shape).mapToLong(Shape::size).max().orElse(0);
  }

  /** For instance {@code add(f32[3] edges, f32[3] [-1.0, 1.0]) {axis=1}}. */
  @Override
  public String toString() {
    return op
        + operands.stream()
            .map(o -> o.type() + " " + o.values().name())
            .collect(Collectors.joining(", ", "(", ")"))
        + (attrs.asMap().isEmpty() ? "" : " {" + attrs + "}");
  }
}
