package io.fragua.cpu;

import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import java.util.Map;
import java.util.TreeSet;

/** What {@link io.fragua.exec.Program#bindFixed} demands, whatever the backend. */
final class FixedOperands {
  private FixedOperands() {}

  static void check(Graph graph, CompileOptions options, Map<Integer, Buffer> operands) {
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
          Check.that(
              b.size() == in.type().byteSize(),
              "bind: the buffer must have the size of \"%s\": %s needs %d bytes, got %d; bind a"
                  + " buffer of the right type",
              in.name(),
              in.type(),
              in.type().byteSize(),
              b.size());
        });
  }

  /** The error of who binds another buffer afterwards. */
  static IllegalArgumentException bound(Graph graph, int i) {
    return new IllegalArgumentException(
        "bind: a fixed operand stays as it was bound for all executions: \""
            + graph.inputs().get(i).name()
            + "\"; make another program with Program.bindFixed");
  }
}
