package io.fragua.cpu;

import io.fragua.graph.Graph;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Makes scans of one body over the same operands one loop: a function's, and its gradient's. */
final class SharedScans {
  private SharedScans() {}

  /**
   * What all scans of the same body over the same operands save: those of a gradient save more, and
   * become one loop with the scan that they are the gradient of.
   */
  static Map<Object, TreeSet<Integer>> saved(Graph g) {
    Map<Object, TreeSet<Integer>> all = new HashMap<>();
    for (Graph.Equation e : g.equations()) {
      if (e.op().name().equals("scan")) {
        TreeSet<Integer> s = all.computeIfAbsent(scan(e), k -> new TreeSet<>());
        Arrays.stream(e.attrs().ints("save")).forEach(s::add);
      }
    }
    return all;
  }

  private static Object scan(Graph.Equation e) {
    return List.of(e.attrs().with("save", new int[0]), e.inputs());
  }

  /** The equation; of a scan, the one that saves what all of them do. */
  static Graph.Equation saving(Graph g, Graph.Equation e, Map<Object, TreeSet<Integer>> saved) {
    if (!e.op().name().equals("scan")) {
      return e;
    }
    int[] save = saved.get(scan(e)).stream().mapToInt(i -> i).toArray();
    Attrs a = e.attrs().with("save", save);
    List<TensorType> in = e.inputs().stream().map(g::type).toList();
    return Arrays.equals(save, e.attrs().ints("save"))
        ? e
        : new Graph.Equation(e.op(), a, e.inputs(), e.op().inferAll(in, a));
  }

  /**
   * For each result the first one that holds the same: of a scan, steps may stack one value twice,
   * as the gradient of a sum is that of both its parts.
   */
  static int[] same(Graph.Equation e) {
    int[] first = IntStream.range(0, e.types().size()).toArray();
    if (!e.op().name().equals("scan")) {
      return first;
    }
    Graph body = ReferenceControl.saving((Graph) e.attrs().body("body"), e.attrs().ints("save"));
    List<View> out = Simplify.run(body).outputs();
    int carries = e.attrs().integer("carries");
    for (int j = carries; j < first.length; j++) {
      Value v = out.get(j).base();
      for (int i = carries; i < j && v.kind == Value.Kind.COPY; i++) {
        View of = v.args.get(0);
        if (of.base() == out.get(i).base() && of.isDense() && of.shape().equals(v.shape())) {
          first[j] = i;
          break;
        }
      }
    }
    return first;
  }

  /** The results of one scan among those of the one that stands for several. */
  static List<View> asked(Graph.Equation one, Graph.Equation all, List<View> results) {
    int[] save = one.attrs().ints("save");
    int[] wide = all.attrs().ints("save");
    int own = one.types().size() - save.length;
    List<View> out = new ArrayList<>(results.subList(0, own));
    for (int v : save) {
      out.add(results.get(own + Arrays.binarySearch(wide, v)));
    }
    return out;
  }
}
