package io.fragua.graph;

import io.fragua.tensor.Tensor;
import java.util.stream.Collectors;

/**
 * The stable text form of a graph: equal graphs print equally, so a printout can be stored and
 * compared. Constants print their values up to eight elements.
 *
 * <pre>
 * graph (x %0: f32[2, 3], w %1: f32[3, 4]) {
 *   %2: f32[2, 4] = matmul(%0, %1)
 *   %3: f32[2, 4] = relu(%2)
 *   return y %3
 * }
 * </pre>
 */
public final class GraphPrinter {
  private GraphPrinter() {}

  /** Prints a graph. */
  public static String print(Graph g) {
    StringBuilder s = new StringBuilder("graph (");
    for (int i = 0; i < g.inputs().size(); i++) {
      Graph.Input in = g.inputs().get(i);
      s.append(i == 0 ? "" : ", ").append(in.name()).append(" %").append(i);
      s.append(": ").append(in.type());
    }
    s.append(") {\n");
    int id = g.inputs().size();
    for (Tensor c : g.constants()) {
      s.append("  %").append(id++).append(" = constant ").append(c).append('\n');
    }
    for (Graph.Equation e : g.equations()) {
      s.append("  ");
      for (int i = 0; i < e.types().size(); i++) {
        s.append(i == 0 ? "%" : ", %").append(id++).append(": ").append(e.types().get(i));
      }
      s.append(" = ").append(e.op());
      s.append(e.inputs().stream().map(v -> "%" + v).collect(Collectors.joining(", ", "(", ")")));
      String attrs = e.attrs().toString().stripTrailing().replace("\n", "\n  ");
      s.append(attrs.isEmpty() ? "" : " {" + attrs + "}").append('\n');
    }
    s.append("  return ");
    s.append(
        g.outputs().stream()
            .map(o -> o.name() + " %" + o.value())
            .collect(Collectors.joining(", ")));
    return s.append("\n}\n").toString();
  }
}
