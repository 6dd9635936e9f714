package io.fragua.cpu;

import io.fragua.graph.Graph;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * After which step of a program nothing touches a result any more, for all results by that step.
 */
final class Completion {
  private final int[] results;
  private final int[] after;

  private Completion(int[] results, int[] after) {
    this.results = results;
    this.after = after;
  }

  /**
   * What follows from where values lie: a result is complete after the last step that writes to its
   * memory or reads from it, or with the copies after all steps.
   */
  static Completion of(List<Step> steps, Planner.Plan plan, Graph graph) {
    int n = graph.outputs().size();
    int first = 1 + graph.inputs().size(); // slot of result 0
    int[] last = new int[n];
    Arrays.fill(last, -1); // has no elements, so nothing touches it
    for (int t = 0; t < steps.size(); t++) {
      List<Value> touched = new ArrayList<>(steps.get(t).writes());
      touched.addAll(steps.get(t).reads());
      for (Value v : touched) {
        int o = plan.places().get(v).slot() - first;
        if (o >= 0 && o < n) {
          last[o] = t;
        }
      }
    }
    plan.copies().forEach(c -> last[c.output()] = steps.size());
    int[] results =
        IntStream.range(0, n)
            .boxed()
            .sorted(Comparator.comparingInt(o -> last[o]))
            .mapToInt(o -> o)
            .toArray();
    return new Completion(results, IntStream.of(results).map(o -> last[o]).toArray());
  }

  /** Number of results. */
  int count() {
    return results.length;
  }

  /** The i-th result to be complete. */
  int result(int i) {
    return results[i];
  }

  /** The step after which it is; as many as there are steps if only after the copies. */
  int after(int i) {
    return after[i];
  }
}
