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
    Set<Node> own = between(inputs, output);
    for (int i = 0; i < run.parts.size(); i++) {
      Scope.Part p = run.parts.get(i);
      // What came before is not this part's, for instance the encoder whose result it attends to.
      List<Tensor> before = new ArrayList<>(List.of(p.input()));
      for (Scope.Part q : run.parts.subList(0, i)) {
        if (!p.path().startsWith(q.path())) {
          before.add(q.output());
        }
      }
      Set<Node> nodes = between(before, p.output());
      own.removeAll(nodes);
      rows.add(
          new String[] {
            p.path().substring(0, p.path().length() - 1),
            p.kind(),
            p.input().type().toString(),
            p.output().type().toString(),
            number(parameters(run, name -> name.startsWith(p.path()))),
            number(operations(nodes))
          });
    }
    String in = String.join(" ", inputs.stream().map(t -> t.type().toString()).toList());
    String out = output.type().toString();
    long ownParameters =
        parameters(run, n -> run.parts.stream().noneMatch(p -> n.startsWith(p.path())));
    if (ownParameters + operations(own) > 0) {
      String n = number(operations(own));
      rows.add(new String[] {"(network)", "", in, out, number(ownParameters), n});
    }
    String all = number(operations(between(inputs, output)));
    rows.add(new String[] {"total", "", in, out, number(parameters(run, name -> true)), all});
    return text(rows);
  }

  private static long parameters(Scope.Run run, Predicate<String> names) {
    return run.newParams.entrySet().stream()
        .filter(e -> names.test(e.getKey()))
        .mapToLong(e -> e.getValue().shape().size())
        .sum();
  }

  /** Uses of rows from some tensors to another, each once, however many results are read. */
  private static Set<Node> between(List<Tensor> from, Tensor to) {
    Set<Node> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    from.forEach(t -> seen.add(t.node()));
    Set<Node> uses = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Tensor> open = new ArrayDeque<>(List.of(to));
    while (!open.isEmpty()) {
      Tensor t = open.pop();
      if (t.isTraced() && seen.add(t.node())) {
        t.node().inputs().forEach(open::push);
        uses.add(t.node().first());
      }
    }
    return uses;
  }

  private static long operations(Set<Node> uses) {
    long sum = 0;
    for (Node n : uses) {
      List<TensorType> in = n.inputs().stream().map(Tensor::type).toList();
      sum += n.op() == null ? 0 : operations(n.op(), n.attrs(), in, n.types());
    }
    return sum;
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
    return op.family() == Family.LINALG ? algebra(op.name(), in) : results;
  }

  /** By the formulas of Golub and Van Loan, "Matrix Computations", 2013. */
  private static long algebra(String op, List<TensorType> in) {
    Shape s = in.get(0).shape();
    double k = Math.min(s.dim(-2), s.dim(-1));
    double l = Math.max(s.dim(-2), s.dim(-1));
    double columns = in.get(in.size() - 1).shape().dim(-1); // of the right side
    double svd = 14 * l * k * k + 8 * k * k * k;
    double one =
        switch (op) {
          case "cholesky" -> k * k * k / 3;
          case "lu" -> 2 * k * k * k / 3;
          case "solve" -> 2 * k * k * k / 3 + 2 * k * k * columns;
          case "triangular_solve" -> k * k * columns;
          case "qr" -> 4 * l * k * k - 4 * k * k * k / 3; // and the columns of Q
          case "eigh" -> 9 * k * k * k;
          case "svd" -> svd;
          case "pinv" -> svd + 2 * l * k * k;
          default -> throw new IllegalStateException("table: no formula for " + op);
        };
    return Math.round(one) * s.slice(0, s.rank() - 2).size();
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
