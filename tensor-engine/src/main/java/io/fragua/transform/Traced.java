package io.fragua.transform;

import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A function traced for its operands: how a transform looks into a function. What the function
 * captures of traces around it stands behind the operands, so transforms nest.
 *
 * @param arguments the operands, then what is captured; all traced if one of them is
 */
record Traced(Graph graph, List<Tensor> arguments) {
  /** Traces on these operands. */
  static Traced of(Fn f, List<Tensor> operands) {
    Tracer.Closure c = closure(f, operands.stream().map(Tensor::type).toList());
    List<Tensor> all = new ArrayList<>(operands);
    all.addAll(c.captured());
    return new Traced(c.graph(), together(all));
  }

  /** Traces for operands of these types. */
  static Tracer.Closure closure(Fn f, List<TensorType> types) {
    return Tracer.traceClosure(types, f::apply);
  }

  /** All values of the graph, at once or recorded. */
  List<Tensor> values() {
    return graph.evaluate(arguments);
  }

  /** The results among the values. */
  List<Tensor> results(List<Tensor> values) {
    return graph.outputs().stream().map(o -> values.get(o.value())).toList();
  }

  /** These tensors, all traced if one of them is. */
  static List<Tensor> together(List<Tensor> tensors) {
    Tensor traced = tracedOf(tensors.stream());
    return traced == null ? tensors : tensors.stream().map(t -> t.lift(traced)).toList();
  }

  /** One that is traced, or null. */
  static Tensor tracedOf(Stream<Tensor> tensors) {
    return tensors.filter(t -> t != null && t.isTraced()).findFirst().orElse(null);
  }
}
