package io.fragua.nn;

import io.fragua.op.Family;
import io.fragua.tensor.Node;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Prints {@link Network#table}. */
final class LayerTable {
  private static final String[] TITLE = {"layer", "kind", "input", "output", "parameters", "FLOPs"};

  private static final Set<Family> FREE = EnumSet.of(Family.MOVEMENT, Family.INDEX, Family.CONTROL);

  private LayerTable() {}

  static String of(Scope.Run run, List<Tensor> inputs, Tensor output) {
    List<String[]> rows = new ArrayList<>();
    rows.add(TITLE);
    for (Scope.Part p : run.parts) {
      rows.add(
          new String[] {
            p.path().substring(0, p.path().length() - 1),
            p.kind(),
            p.input().type().toString(),
            p.output().type().toString(),
            number(parameters(run, name -> name.startsWith(p.path()))),
            number(operations(p.output(), List.of(p.input())))
          });
    }
    rows.add(
        new String[] {
          "total",
          "",
          String.join(" ", inputs.stream().map(t -> t.type().toString()).toList()),
          output.type().toString(),
          number(parameters(run, name -> true)),
          number(operations(output, inputs))
        });
    return text(rows);
  }

  private static long parameters(Scope.Run run, Predicate<String> names) {
    return run.newParams.entrySet().stream()
        .filter(e -> names.test(e.getKey()))
        .mapToLong(e -> e.getValue().shape().size())
        .sum();
  }

  /** Floating point operations from some tensors to another. */
  private static long operations(Tensor to, List<Tensor> from) {
    Set<Node> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    from.forEach(t -> seen.add(t.node()));
    Deque<Tensor> open = new ArrayDeque<>(List.of(to));
    long sum = 0;
    while (!open.isEmpty()) {
      Tensor t = open.pop();
      if (t.isTraced() && seen.add(t.node())) {
        sum += operations(t);
        t.node().inputs().forEach(open::push);
      }
    }
    return sum;
  }

  private static long operations(Tensor t) {
    Node n = t.node();
    if (n.op() == null || FREE.contains(n.op().family())) {
      return 0;
    }
    long results = t.shape().size();
    if (n.op().family() == Family.REDUCE) {
      return n.inputs().get(0).shape().size();
    }
    if (n.op().family() == Family.CONTRACTION) {
      Shape a = n.inputs().get(0).shape();
      return 2 * results * a.dim(-1);
    }
    if (n.op().family() == Family.WINDOW && n.inputs().size() == 2) { // a convolution
      Shape kernel = n.inputs().get(1).shape();
      boolean transposed = n.op().name().equals("conv_input_grad");
      long uses = transposed ? n.inputs().get(0).shape().size() : results;
      return 2 * uses * kernel.size() / Math.max(1, kernel.dim(-1));
    }
    return results;
  }

  private static String number(long n) {
    return String.format(java.util.Locale.ROOT, "%,d", n);
  }

  private static String text(List<String[]> rows) {
    int[] width = new int[TITLE.length];
    for (String[] r : rows) {
      for (int i = 0; i < r.length; i++) {
        width[i] = Math.max(width[i], r[i].length());
      }
    }
    StringBuilder s = new StringBuilder();
    for (String[] r : rows) {
      for (int i = 0; i < r.length; i++) {
        String space = " ".repeat(width[i] - r[i].length());
        boolean right = i >= 4; // numbers
        s.append(i == 0 ? "" : "  ").append(right ? space + r[i] : r[i] + space);
      }
      while (s.charAt(s.length() - 1) == ' ') {
        s.setLength(s.length() - 1);
      }
      s.append('\n');
    }
    return s.toString();
  }
}
