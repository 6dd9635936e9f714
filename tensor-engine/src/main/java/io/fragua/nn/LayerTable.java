package io.fragua.nn;

import io.fragua.graph.Graph;
import io.fragua.op.Family;
import io.fragua.op.Op;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Body;
import io.fragua.tensor.Node;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Prints {@link Network#table}. */
final class LayerTable {
  private static final String[] TITLE = {"layer", "kind", "input", "output", "parameters", "FLOPs"};

  private static final Set<Family> FREE = EnumSet.of(Family.MOVEMENT, Family.INDEX);

  private LayerTable() {}

  static String of(Scope.Run run, List<Tensor> inputs, Tensor output) {
    List<String[]> rows = new ArrayList<>();
    rows.add(TITLE);
    for (int i = 0; i < run.parts.size(); i++) {
      Scope.Part p = run.parts.get(i);
      // What came before is not this part's, for instance the encoder whose result it attends to.
      List<Tensor> before = new ArrayList<>(List.of(p.input()));
      for (Scope.Part q : run.parts.subList(0, i)) {
        if (!p.path().startsWith(q.path())) {
          before.add(q.output());
        }
      }
      rows.add(
          new String[] {
            p.path().substring(0, p.path().length() - 1),
            p.kind(),
            p.input().type().toString(),
            p.output().type().toString(),
            number(parameters(run, name -> name.startsWith(p.path()))),
            number(operations(p.output(), before))
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
        t.node().inputs().forEach(open::push);
        Node first = t.node().first(); // one use of a row, however many of its results are read
        sum += first == t.node() || seen.add(first) ? operations(first) : 0;
      }
    }
    return sum;
  }

  private static long operations(Node n) {
    List<TensorType> in = n.inputs().stream().map(Tensor::type).toList();
    return n.op() == null ? 0 : operations(n.op(), n.attrs(), in, n.types());
  }

  private static long operations(Op op, Attrs a, List<TensorType> in, List<TensorType> out) {
    if (op.family() == Family.CONTROL) {
      return switch (op.name()) {
        case "scan" -> a.integer("length") * operations(a.body("body"));
        case "cond" -> Math.max(operations(a.body("on_true")), operations(a.body("on_false")));
        default -> 0; // of a while loop nobody knows the number of steps
      };
    }
    boolean floating =
        Stream.concat(in.stream(), out.stream()).anyMatch(t -> t.dtype().isFloating());
    if (FREE.contains(op.family()) || op.name().equals(Op.CUSTOM) || !floating) {
      return 0;
    }
    long results = out.get(0).shape().size();
    if (op.family() == Family.REDUCE) {
      return in.get(0).shape().size();
    }
    if (op.family() == Family.CONTRACTION) {
      return 2 * results * in.get(0).shape().dim(-1);
    }
    if (op.family() == Family.WINDOW && in.size() == 2) { // a convolution
      Shape kernel = in.get(1).shape();
      boolean transposed = op.name().equals("conv_input_grad");
      long uses = transposed ? in.get(0).shape().size() : results;
      return 2 * uses * kernel.size() / Math.max(1, kernel.dim(-1));
    }
    if (op.family() == Family.WINDOW && in.size() == 1) { // a pool
      return results * Shape.of(a.ints("size")).size();
    }
    return results;
  }

  /** Of all that a loop's body or a branch computes. */
  private static long operations(Body body) {
    return ((Graph) body)
        .equations().stream()
            .mapToLong(
                e ->
                    operations(
                        e.op(), e.attrs(), e.inputs().stream().map(body::type).toList(), e.types()))
            .sum();
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
