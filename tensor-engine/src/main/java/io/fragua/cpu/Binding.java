package io.fragua.cpu;

import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import io.fragua.tensor.TensorType;
import java.util.Map;
import java.util.TreeSet;

/** What binding demands. */
final class Binding {
  private Binding() {}

  /** What {@link io.fragua.exec.Program#bindFixed} demands, whatever the backend. */
  static void checkFixed(Graph graph, CompileOptions options, Map<Integer, Buffer> operands) {
    Check.that(
        operands.keySet().equals(options.fixed()),
        "bind: exactly the operands that were compiled as fixed must be given: positions %s, got"
            + " %s; correct the map",
        new TreeSet<>(options.fixed()),
        new TreeSet<>(operands.keySet()));
    operands.forEach(
        (i, b) -> {
          Graph.Input in = graph.inputs().get(i);
          Check.that(
              !options.donated().containsValue(i),
              "bind: a fixed operand must not be donated: \"%s\" is both; compile without one",
              in.name());
          checkSize(b, in.type(), in.name());
        });
  }

  /** Of any operand or result. */
  static void checkSize(Buffer b, TensorType type, String name) {
    Check.that(
        b.size() == type.byteSize(),
        "bind: the buffer must have the size of \"%s\": %s needs %d bytes, got %d; bind a buffer of"
            + " the right type",
        name,
        type,
        type.byteSize(),
        b.size());
  }

  /** The error of who binds another buffer afterwards. */
  static IllegalArgumentException alreadyBound(Graph graph, int i) {
    return new IllegalArgumentException(
        "bind: a fixed operand stays as it was bound for all executions: \""
            + graph.inputs().get(i).name()
            + "\"; make another program with Program.bindFixed");
  }
}
