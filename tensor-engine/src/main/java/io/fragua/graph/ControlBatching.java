package io.fragua.graph;

import io.fragua.op.Op;
import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Branches and loops on many examples at once. Where the examples go different ways, both branches
 * are computed and selected from, and a loop goes on until the last example is done.
 *
 * @source JAX {@code jax.lax} control flow
 */
final class ControlBatching {
  /** A function of many examples, and which of its results differ from example to example. */
  private record Wide(Graph graph, List<Boolean> mapped) {}

  private ControlBatching() {}

  private static int size(List<Tensor> in, List<Boolean> mapped) {
    return in.get(mapped.indexOf(true)).shape().dim(0);
  }

  /**
   * The function of many examples.
   *
   * @param in which operands are mapped
   * @param out which results shall be, besides those that must
   */
  private static Wide wide(Graph f, List<Boolean> in, List<Boolean> out, int n) {
    List<TensorType> types = new ArrayList<>();
    for (int i = 0; i < in.size(); i++) {
      TensorType t = f.inputs().get(i).type();
      types.add(in.get(i) ? t.with(Shape.of(n).concat(t.shape())) : t);
    }
    List<Boolean> mapped = new ArrayList<>();
    Graph g =
        trace(
            types,
            x -> {
              List<Boolean> m = new ArrayList<>(in);
              List<Tensor> values = Batched.evaluate(f, x, m);
              List<Tensor> results = new ArrayList<>();
              for (int i = 0; i < f.outputs().size(); i++) {
                int v = f.outputs().get(i).value();
                boolean must = m.get(v);
                mapped.add(must || out.get(i));
                results.add(out.get(i) && !must ? spread(values.get(v), n) : values.get(v));
              }
              return results;
            });
    return new Wide(g, mapped);
  }

  private static Graph trace(
      List<TensorType> types, java.util.function.UnaryOperator<List<Tensor>> f) {
    List<Graph.Input> inputs = new ArrayList<>();
    types.forEach(t -> inputs.add(new Graph.Input("arg" + inputs.size(), t)));
    return Tracer.trace(inputs, f);
  }

  private static Tensor spread(Tensor t, int n) {
    int[] dims = IntStream.rangeClosed(1, t.shape().rank()).toArray();
    return t.broadcastInDim(Shape.of(n).concat(t.shape()), dims);
  }

  private static List<Tensor> spread(
      List<Tensor> in, List<Boolean> mapped, List<Boolean> wanted, int n) {
    List<Tensor> out = new ArrayList<>();
    for (int i = 0; i < in.size(); i++) {
      out.add(wanted.get(i) && !mapped.get(i) ? spread(in.get(i), n) : in.get(i));
    }
    return out;
  }

  private static List<Boolean> all(int n, boolean value) {
    return Collections.nCopies(n, value);
  }

  static List<Tensor> cond(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    int n = size(in, mapped);
    Graph yes = (Graph) a.body("on_true");
    Graph no = (Graph) a.body("on_false");
    List<Boolean> m = mapped.subList(1, mapped.size());
    List<Boolean> everything = all(yes.outputs().size(), true);
    Wide wideYes = wide(yes, m, everything, n);
    Wide wideNo = wide(no, m, everything, n);
    if (!mapped.get(0)) {
      Attrs b = a.with("on_true", wideYes.graph()).with("on_false", wideNo.graph());
      return Tensor.applyAll(op, b, in);
    }
    List<Tensor> first = wideYes.graph().call(together(in.subList(1, in.size()), in.get(0)));
    List<Tensor> second = wideNo.graph().call(together(in.subList(1, in.size()), in.get(0)));
    List<Tensor> out = new ArrayList<>();
    for (int i = 0; i < first.size(); i++) {
      out.add(select(in.get(0), first.get(i), second.get(i)));
    }
    return out;
  }

  private static List<Tensor> together(List<Tensor> in, Tensor like) {
    return in.stream().map(t -> t.lift(like)).toList();
  }

  /**
   * By a condition for each example; of narrow types by their bits, which select has no code for.
   */
  private static Tensor select(Tensor condition, Tensor yes, Tensor no) {
    DType t = yes.dtype();
    if (OpTable.get("select").dtypes().contains(t)) {
      return condition.broadcastInDim(yes.shape(), 0).select(yes, no);
    }
    DType wide = t.isFloating() ? DType.F32 : DType.I32; // holds every value of t
    return select(condition, yes.cast(wide), no.cast(wide)).cast(t);
  }

  static List<Tensor> whileLoop(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    int n = size(in, mapped);
    int carries = a.integer("carries");
    int consts = carries + a.integer("condition_consts");
    Graph condition = (Graph) a.body("condition");
    Graph body = (Graph) a.body("body");
    List<Boolean> m = new ArrayList<>(mapped.subList(0, carries));
    List<Boolean> forCondition = mapped.subList(carries, consts);
    List<Boolean> forBody = mapped.subList(consts, mapped.size());
    Wide test = null;
    Wide round = null;
    for (boolean grown = true; grown; ) { // each traced once a round: what is inside nests
      test = wide(condition, join(m, forCondition), List.of(false), n);
      round = wide(body, join(m, forBody), test.mapped().get(0) ? all(carries, true) : m, n);
      grown = !round.mapped().equals(m);
      m = round.mapped();
    }
    boolean apart = test.mapped().get(0);
    List<Boolean> now = List.copyOf(m);
    Graph wideCondition = test.graph();
    Graph wideBody = round.graph();
    List<Tensor> operands =
        new ArrayList<>(spread(in.subList(0, carries), mapped.subList(0, carries), now, n));
    operands.addAll(in.subList(carries, in.size()));
    Attrs b = a;
    if (apart) {
      Graph any =
          trace(
              wideCondition.inputTypes(),
              x -> {
                Tensor c = wideCondition.call(x).get(0).cast(DType.I32);
                return List.of(c.max(0).greater(0));
              });
      int own = carries + forCondition.size();
      List<TensorType> types = new ArrayList<>(wideCondition.inputTypes());
      types.addAll(wideBody.inputTypes().subList(carries, wideBody.inputs().size()));
      Graph step =
          trace(
              types,
              x -> {
                Tensor going = wideCondition.call(x.subList(0, own)).get(0);
                List<Tensor> operand = new ArrayList<>(x.subList(0, carries));
                operand.addAll(x.subList(own, x.size()));
                List<Tensor> next = new ArrayList<>(wideBody.call(operand));
                for (int i = 0; i < carries; i++) {
                  next.set(i, select(going, next.get(i), x.get(i)));
                }
                return next;
              });
      b = b.with("condition", any).with("body", step);
      operands.addAll(carries + forCondition.size(), in.subList(carries, consts));
    } else {
      b = b.with("condition", wideCondition).with("body", wideBody);
    }
    List<Tensor> out = Tensor.applyAll(op, b, operands);
    return spread(out, now, all(carries, true), n);
  }

  static List<Tensor> scan(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    int n = size(in, mapped);
    int carries = a.integer("carries");
    int xs = a.integer("xs");
    Graph body = saving((Graph) a.body("body"), a.ints("save"));
    int count = body.outputs().size();
    List<Boolean> m = new ArrayList<>(mapped.subList(0, carries));
    List<Boolean> rest = mapped.subList(carries, mapped.size());
    Wide w = null;
    for (boolean grown = true; grown; ) { // traced once a round: what is inside nests
      w = wide(body, join(m, rest), join(m, all(count - carries, false)), n);
      List<Boolean> next = w.mapped().subList(0, carries);
      grown = !next.equals(m);
      m = new ArrayList<>(next);
    }
    List<Tensor> operands =
        new ArrayList<>(spread(in.subList(0, carries), mapped.subList(0, carries), m, n));
    for (int i = carries; i < in.size(); i++) {
      boolean row = i < carries + xs && mapped.get(i);
      operands.add(row ? exchanged(in.get(i)) : in.get(i)); // steps in front, then examples
    }
    Attrs b = a.with("body", w.graph()).with("save", new int[0]);
    List<Tensor> out = new ArrayList<>();
    List<Tensor> results = Tensor.applyAll(op, b, operands);
    for (int i = 0; i < count; i++) {
      Tensor r = results.get(i);
      boolean is = w.mapped().get(i);
      out.add(!is ? spread(r, n) : i < carries ? r : exchanged(r));
    }
    return out;
  }

  /** The function with these values as further results. */
  private static Graph saving(Graph g, int[] save) {
    List<Graph.Output> outputs = new ArrayList<>(g.outputs());
    for (int v : save) {
      outputs.add(new Graph.Output("save" + outputs.size(), v));
    }
    return save.length == 0 ? g : new Graph(g.inputs(), g.constants(), g.equations(), outputs);
  }

  private static List<Boolean> join(List<Boolean> a, List<Boolean> b) {
    List<Boolean> out = new ArrayList<>(a);
    out.addAll(b);
    return out;
  }

  /** The first two axes exchanged. */
  private static Tensor exchanged(Tensor t) {
    int[] perm = IntStream.range(0, t.shape().rank()).toArray();
    perm[0] = 1;
    perm[1] = 0;
    return t.transpose(perm);
  }
}
