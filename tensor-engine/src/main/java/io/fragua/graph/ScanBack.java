package io.fragua.graph;

import io.fragua.op.Op;
import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * The derivative of a scan: a scan the other way round. Its steps need the values of the forward
 * steps. The forward scan is recorded again with a row a step of what each step started from, of
 * its products and of functions as tanh (by setting {@code save}; the compiler makes the two
 * forward scans one), of these what the derivative looks at; everything else is cheap and computed
 * again. The gradient of a matrix that each step multiplies by is not summed up step by step: it is
 * one product over all steps, after the loop.
 *
 * @source JAX {@code jax.lax.scan}; the policy is that of {@code
 *     jax.checkpoint_policies.dots_saveable}
 */
final class ScanBack {
  /** Elementwise rows that cost more than to read what they gave. */
  private static final Set<String> FUNCTIONS =
      Set.of("exp", "exp2", "expm1", "log", "log1p", "tanh", "logistic", "erf", "sin", "cos");

  private final List<Tensor> in;
  private final Attrs attrs;
  private final Graph body;
  private final int carries;
  private final int xs;
  private final int length;

  /** Values of the body that are stacked: results beside the carries, then those saved. */
  private final int[] stacked;

  private final int[] carryFloats;
  private final int[] xFloats;
  private final int[] sums;
  private final List<Product> products = new ArrayList<>();
  private final TreeSet<Integer> candidates = new TreeSet<>();

  /** A matrix among the constants, read once, as the right operand of a product. */
  private record Product(int constant, int left, int value) {}

  private ScanBack(List<Tensor> in, Attrs attrs) {
    this.in = in;
    this.attrs = attrs;
    body = (Graph) attrs.body("body");
    carries = attrs.integer("carries");
    xs = attrs.integer("xs");
    length = attrs.integer("length");
    List<Integer> s = new ArrayList<>();
    body.outputs().subList(carries, body.outputs().size()).forEach(o -> s.add(o.value()));
    Arrays.stream(attrs.ints("save")).forEach(s::add);
    stacked = s.stream().mapToInt(i -> i).toArray();
    carryFloats = floats(0, carries);
    xFloats = floats(carries, carries + xs);
    findProducts();
    sums =
        Arrays.stream(floats(carries + xs, in.size()))
            .filter(c -> products.stream().noneMatch(p -> p.constant() == c))
            .toArray();
    for (int v = 0; v < body.values(); v++) {
      Graph.Equation e = body.definition(v);
      if (v < carries || e != null && isDear(e.op())) {
        candidates.add(v);
      }
    }
  }

  private int[] floats(int from, int to) {
    return IntStream.range(from, to).filter(v -> body.type(v).dtype().isFloating()).toArray();
  }

  private static boolean isDear(Op op) {
    return FUNCTIONS.contains(op.name())
        || switch (op.family()) {
          case UNARY, BINARY, COMPARE, ELEMENTWISE, REDUCE, MOVEMENT, INDEX -> false;
          default -> true;
        };
  }

  private void findProducts() {
    int[] uses = new int[body.values()];
    body.equations().forEach(e -> e.rule().inputs().forEach(v -> uses[v]++));
    body.outputs().forEach(o -> uses[o.value()]++);
    Arrays.stream(stacked).forEach(v -> uses[v]++);
    int v = body.inputs().size() + body.constants().size();
    for (Graph.Equation e : body.equations()) {
      if (e.op().name().equals("matmul") && e.custom() == null) {
        int right = e.inputs().get(1);
        if (right >= carries + xs
            && right < in.size()
            && uses[right] == 1
            && body.type(right).shape().rank() == 2
            && body.type(right).dtype().isFloating()) {
          products.add(new Product(right, e.inputs().get(0), v));
        }
      }
      v += e.types().size();
    }
  }

  /** As {@link Op.Vjp.Many} of scan. */
  static List<Tensor> back(List<Tensor> g, List<Tensor> in, Attrs attrs) {
    return new ScanBack(in, attrs).back(g);
  }

  private List<Tensor> back(List<Tensor> g) {
    int[] given = // stacked results with a gradient
        IntStream.range(0, stacked.length).filter(i -> g.get(carries + i) != null).toArray();
    Graph step = step(given);
    // what a step does not look at need not be saved, nor handed in
    boolean[] used = new boolean[step.inputs().size()];
    step.equations().forEach(e -> e.rule().inputs().forEach(v -> mark(used, v)));
    step.outputs().forEach(o -> mark(used, o.value()));
    int state = carryFloats.length + sums.length;
    Arrays.fill(used, 0, state, true);
    List<Integer> save = new ArrayList<>();
    int at = state + xs;
    for (int v : candidates) {
      boolean left = products.stream().anyMatch(p -> p.left() == v);
      if (used[at++] || left) {
        save.add(v);
      }
    }
    Map<Integer, Tensor> saved = saved(save);
    List<Tensor> operands = new ArrayList<>();
    Tensor like = g.stream().filter(t -> t != null).findFirst().orElseThrow();
    for (int i : carryFloats) {
      operands.add(g.get(i) != null ? g.get(i) : zeros(body.type(i), like));
    }
    for (int c : sums) {
      operands.add(zeros(body.type(c), like));
    }
    List<Tensor> rows = new ArrayList<>(in.subList(carries, carries + xs));
    candidates.forEach(v -> rows.add(saved.get(v)));
    Arrays.stream(given).forEach(i -> rows.add(g.get(carries + i)));
    int count = 0;
    for (int i = 0; i < rows.size(); i++) {
      if (used[state + i]) {
        operands.add(rows.get(i));
        count++;
      }
    }
    List<Tensor> constants = in.subList(carries + xs, in.size());
    for (int i = 0; i < constants.size(); i++) {
      if (used[state + rows.size() + i]) {
        operands.add(constants.get(i));
      }
    }
    Attrs a =
        attrs
            .with("body", step.without(used))
            .with("carries", state)
            .with("xs", count)
            .with("reverse", 1 - attrs.integer("reverse"))
            .with("save", new int[0]);
    return gradients(Tensor.applyAll(OpTable.get("scan"), a, operands), saved);
  }

  private static void mark(boolean[] used, int v) {
    if (v < used.length) {
      used[v] = true;
    }
  }

  private static Tensor zeros(TensorType t, Tensor like) {
    return Tensor.scalar(t.dtype(), 0).lift(like).broadcastTo(t.shape());
  }

  /** Rows of these values of the forward steps. */
  private Map<Integer, Tensor> saved(List<Integer> save) {
    Map<Integer, Tensor> out = new HashMap<>();
    if (!save.isEmpty()) {
      Attrs a = attrs.with("save", save.stream().mapToInt(i -> i).toArray());
      List<Tensor> all = Tensor.applyAll(OpTable.get("scan"), a, in);
      for (int i = 0; i < save.size(); i++) {
        out.put(save.get(i), all.get(all.size() - save.size() + i));
      }
    }
    return out;
  }

  /**
   * One step back. Operands: gradients of the floating carries, gradients of constants so far, what
   * was scanned over, the candidates, given gradients of stacked results, the constants. Results:
   * the gradients of both kinds, gradients of what was scanned over, and for each product the
   * gradient of its value and, if it is not saved anyway, its left operand.
   */
  private Graph step(int[] given) {
    List<TensorType> types = new ArrayList<>();
    IntStream.concat(Arrays.stream(carryFloats), Arrays.stream(sums))
        .forEach(v -> types.add(body.type(v)));
    IntStream.range(carries, carries + xs).forEach(v -> types.add(body.type(v)));
    candidates.forEach(v -> types.add(body.type(v)));
    Arrays.stream(given).forEach(i -> types.add(body.type(stacked[i])));
    IntStream.range(carries + xs, in.size()).forEach(v -> types.add(body.type(v)));
    List<Graph.Input> inputs = new ArrayList<>();
    types.forEach(t -> inputs.add(new Graph.Input("arg" + inputs.size(), t)));
    return Tracer.trace(inputs, x -> step(given, x));
  }

  private List<Tensor> step(int[] given, List<Tensor> x) {
    int at = carryFloats.length;
    List<Tensor> soFar = x.subList(at, at += sums.length);
    List<Tensor> rows = x.subList(at, at += xs);
    Map<Integer, Tensor> known = new HashMap<>();
    for (int v : candidates) {
      known.put(v, x.get(at++));
    }
    List<Tensor> cotangents = x.subList(at, at += given.length);
    List<Tensor> arguments = new ArrayList<>();
    IntStream.range(0, carries).forEach(v -> arguments.add(known.get(v)));
    arguments.addAll(rows);
    arguments.addAll(x.subList(at, x.size()));
    List<Tensor> values = body.evaluate(arguments, known);
    // of values, not of results: a stacked value need not be one
    List<Graph.Output> outputs = new ArrayList<>();
    List<Tensor> of = new ArrayList<>();
    for (int i = 0; i < carryFloats.length; i++) {
      outputs.add(new Graph.Output("c" + i, body.outputs().get(carryFloats[i]).value()));
      of.add(x.get(i));
    }
    for (int i = 0; i < given.length; i++) {
      outputs.add(new Graph.Output("y" + i, stacked[given[i]]));
      of.add(cotangents.get(i));
    }
    Graph all = new Graph(body.inputs(), body.constants(), body.equations(), outputs);
    List<Tensor> grads = PullBack.run(all, values, of, wrt());
    List<Tensor> results = new ArrayList<>(grads);
    for (int i = 0; i < sums.length; i++) {
      int r = carryFloats.length + i;
      results.set(r, soFar.get(i).add(grads.get(r)));
    }
    for (Product p : products) {
      if (!candidates.contains(p.left())) {
        results.add(values.get(p.left()));
      }
    }
    return results;
  }

  private int[] wrt() {
    IntStream all = IntStream.concat(Arrays.stream(carryFloats), Arrays.stream(sums));
    all = IntStream.concat(all, Arrays.stream(xFloats));
    return IntStream.concat(all, products.stream().mapToInt(Product::value)).toArray();
  }

  /** One gradient an operand of the forward scan, from the results of the backward one. */
  private List<Tensor> gradients(List<Tensor> r, Map<Integer, Tensor> saved) {
    Tensor[] out = new Tensor[in.size()];
    int at = 0;
    for (int i : carryFloats) {
      out[i] = r.get(at++);
    }
    for (int c : sums) {
      out[c] = r.get(at++);
    }
    for (int i : xFloats) {
      out[i] = r.get(at++);
    }
    int lefts = at + products.size();
    for (Product p : products) {
      Tensor g = r.get(at++);
      Tensor left = candidates.contains(p.left()) ? saved.get(p.left()) : r.get(lefts++);
      out[p.constant()] = flat(left).transpose().matmul(flat(g));
    }
    return Arrays.asList(out);
  }

  /** All rows of all steps under each other. */
  private static Tensor flat(Tensor t) {
    Shape s = t.shape();
    int columns = s.dim(-1);
    return t.reshape(Math.toIntExact(s.slice(0, s.rank() - 1).size()), columns);
  }
}
