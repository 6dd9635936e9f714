package io.fragua.cpu;

import io.fragua.graph.Graph;
import io.fragua.tensor.Check;
import java.util.Map;

/** Checks that donated operands can hold the results that take their place. */
final class ReferenceDonation {
  private ReferenceDonation() {}

  static void check(Graph g, Map<Integer, Integer> donated) {
    donated.forEach(
        (out, in) -> {
          Check.that(
              out >= 0 && out < g.outputs().size() && in >= 0 && in < g.inputs().size(),
              "compile: donation must name a result and an operand: result %d over operand %d of a"
                  + " graph with %d results and %d operands; correct the positions",
              out,
              in,
              g.outputs().size(),
              g.inputs().size());
          Check.that(
              g.outputTypes().get(out).equals(g.inputs().get(in).type()),
              "compile: a result takes the place of an operand of its type: %s over %s; donate"
                  + " another operand",
              g.outputTypes().get(out),
              g.inputs().get(in).type());
        });
  }
}
