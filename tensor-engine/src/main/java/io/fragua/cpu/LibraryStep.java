package io.fragua.cpu;

import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.TensorType;
import java.util.List;
import java.util.stream.IntStream;

/** A row that is defined by a library, which is also the fast way to compute it. */
final class LibraryStep extends CallsStep {
  private final String library;
  private final Graph.Equation equation;
  private final List<TensorType> types;

  LibraryStep(Value call, List<Value> results, String library) {
    super(call, results);
    this.library = library;
    List<Integer> inputs = IntStream.range(0, call.args.size()).boxed().toList();
    equation =
        new Graph.Equation(call.op, call.attrs, inputs, results.stream().map(r -> r.type).toList());
    types = inputs.stream().map(this::operand).toList();
  }

  @Override
  void run(Buffer[] in, Buffer[] out, Buffer scratch) {
    ReferenceKernels.compute(equation, types, in, out);
  }

  @Override
  String describe() {
    return super.describe() + ", by " + library;
  }
}
