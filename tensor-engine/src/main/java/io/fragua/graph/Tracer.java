package io.fragua.graph;

import io.fragua.op.Op;
import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Autograd;
import io.fragua.tensor.Node;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Turns a function of tensors into a {@link Graph} by calling it once on placeholders and walking
 * back from what it returns; what the results do not need is not recorded.
 */
public final class Tracer {
  private Tracer() {}

  /**
   * Traces a function.
   *
   * @param inputs names and types of the operands
   * @param outputs names of the results, as many as the function returns
   */
  public static Graph trace(
      List<Graph.Input> inputs,
      List<String> outputs,
      Function<List<Tensor>, List<Tensor>> function) {
    List<Tensor> placeholders = inputs.stream().map(i -> Tensor.input(i.type())).toList();
    List<Tensor> results = Autograd.tracing(false, () -> function.apply(placeholders));
    return close(inputs, placeholders, outputs, results);
  }

  /** As {@link #trace}, with results named {@code out0}, {@code out1}, ... */
  public static Graph trace(
      List<Graph.Input> inputs, Function<List<Tensor>, List<Tensor>> function) {
    List<Tensor> placeholders = inputs.stream().map(i -> Tensor.input(i.type())).toList();
    List<Tensor> results = Autograd.tracing(false, () -> function.apply(placeholders));
    List<String> names = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      names.add("out" + i);
    }
    return close(inputs, placeholders, names, results);
  }

  /**
   * A traced function that may use tensors of traces around it.
   *
   * @param graph its further inputs stand for the captured tensors
   * @param captured tensors of other traces, in the order of those inputs
   */
  public record Closure(Graph graph, List<Tensor> captured) {}

  /**
   * As {@link #trace(List, Function)}, for a function that may capture tensors of traces around it:
   * each largest captured value that does not depend on the operands becomes a further input.
   *
   * @source JAX {@code jax.closure_convert}
   */
  public static Closure traceClosure(
      List<TensorType> types, Function<List<Tensor>, List<Tensor>> function) {
    return traceClosure(types, function, false);
  }

  /**
   * As {@link #traceClosure(List, Function)}.
   *
   * @param concrete true to make captured concrete tensors of several elements inputs as well, so
   *     that the graph stays the same when they change, and those that require an eager gradient,
   *     so that it goes through
   */
  public static Closure traceClosure(
      List<TensorType> types, Function<List<Tensor>, List<Tensor>> function, boolean concrete) {
    List<Graph.Input> inputs = new ArrayList<>();
    List<Tensor> placeholders = new ArrayList<>();
    for (TensorType t : types) {
      inputs.add(new Graph.Input("arg" + inputs.size(), t));
      placeholders.add(Tensor.input(t));
    }
    List<Tensor> results = Autograd.tracing(concrete, () -> function.apply(placeholders));
    List<Tensor> captured = captured(placeholders, results);
    if (concrete) {
      sort(results, Map.of()).stream()
          .map(t -> key((Tensor) t))
          .filter(k -> k instanceof Tensor t && (t.shape().size() > 1 || t.isTracked()))
          .distinct()
          .forEach(k -> captured.add((Tensor) k));
    }
    for (Tensor t : captured) {
      inputs.add(new Graph.Input("captured" + (inputs.size() - types.size()), t.type()));
      placeholders.add(t);
    }
    List<String> names = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      names.add("out" + i);
    }
    return new Closure(close(inputs, placeholders, names, results), captured);
  }

  private static List<Tensor> captured(List<Tensor> placeholders, List<Tensor> results) {
    Map<Object, Boolean> own = new IdentityHashMap<>();
    placeholders.forEach(p -> own.put(p.node(), true));
    Map<Object, Boolean> foreign = new IdentityHashMap<>();
    List<Object> order = sort(results, Map.of());
    for (Object o : order) {
      Tensor t = (Tensor) o;
      if (t.node() == null || key(t) != t.node() || own.containsKey(t.node())) {
        continue; // concrete, or an operand
      }
      List<Tensor> in = t.node().inputs();
      if (in.stream().anyMatch(x -> own.containsKey(key(x)))) {
        own.put(t.node(), true);
      } else if ((t.node().op() == null && in.isEmpty())
          || in.stream().anyMatch(x -> foreign.containsKey(key(x)))) {
        foreign.put(t.node(), true);
      }
    }
    Map<Object, Boolean> taken = new IdentityHashMap<>();
    List<Tensor> captured = new ArrayList<>();
    List<Tensor> used = new ArrayList<>();
    for (Object o : order) {
      Tensor t = (Tensor) o;
      if (t.node() != null && !foreign.containsKey(key(t)) && key(t) == t.node()) {
        used.addAll(t.node().inputs());
      }
    }
    used.addAll(results);
    for (Tensor t : used) {
      if (foreign.containsKey(key(t)) && taken.put(key(t), true) == null) {
        captured.add(t);
      }
    }
    return captured;
  }

  /**
   * The graph from traced placeholders to results that were computed from them.
   *
   * @throws IllegalArgumentException if a result depends on a placeholder that is not listed
   */
  public static Graph close(
      List<Graph.Input> inputs,
      List<Tensor> placeholders,
      List<String> outputNames,
      List<Tensor> results) {
    if (outputNames.size() != results.size()) {
      throw new IllegalArgumentException(
          "trace: every result needs a name: "
              + results.size()
              + " results, names "
              + outputNames
              + "; name each result once");
    }
    Map<Object, Integer> inputIds = new IdentityHashMap<>();
    for (int i = 0; i < placeholders.size(); i++) {
      inputIds.put(key(placeholders.get(i)), i);
    }
    List<Object> order = sort(results, inputIds);
    Map<Object, Integer> ids = new IdentityHashMap<>(inputIds);
    List<Tensor> constants = new ArrayList<>();
    List<Tensor> equations = new ArrayList<>();
    for (Object o : order) {
      Tensor t = (Tensor) o;
      Object key = key(t);
      if (ids.containsKey(key)) {
        continue;
      }
      if (t.node() == null || t.node().op() == null) {
        Tensor value = t.node() == null ? t : constantOf(t);
        ids.put(key, placeholders.size() + constants.size());
        constants.add(value);
      } else {
        equations.add(t);
      }
    }
    int next = placeholders.size() + constants.size();
    List<Graph.Equation> eqs = new ArrayList<>();
    Map<Node, Integer> firsts = new IdentityHashMap<>(); // value of the first result of each use
    for (Tensor t : equations) {
      Node n = t.node();
      if (!firsts.containsKey(n.first())) {
        firsts.put(n.first(), next);
        next += n.types().size();
        List<Integer> in = n.inputs().stream().map(x -> ids.get(key(x))).toList();
        Graph.Equation e = new Graph.Equation(n.op(), n.attrs(), in, n.types());
        eqs.add(e.op().name().equals(Op.CUSTOM) ? behindStop(e) : e);
      }
      ids.put(n, firsts.get(n.first()) + n.result());
    }
    List<Graph.Output> outs = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      outs.add(new Graph.Output(outputNames.get(i), ids.get(key(results.get(i)))));
    }
    return new Graph(inputs, constants, eqs, outs);
  }

  private static Graph.Equation behindStop(Graph.Equation custom) {
    return new Graph.Equation(
        OpTable.get("stop_gradient"),
        Attrs.NONE,
        custom.inputs().subList(0, 1),
        custom.types(),
        custom);
  }

  /** Nodes identify traced values; a concrete tensor stands for itself, lifted or not. */
  private static Object key(Tensor t) {
    if (t.node() == null) {
      return t;
    }
    boolean lifted = t.node().op() == null && !t.node().inputs().isEmpty();
    return lifted ? t.node().inputs().get(0) : t.node();
  }

  private static Tensor constantOf(Tensor t) {
    if (t.node().inputs().isEmpty()) {
      throw new IllegalArgumentException(
          "trace: a result depends on a tensor of another trace: "
              + t
              + "; pass it as an operand instead of capturing it");
    }
    return t.node().inputs().get(0);
  }

  /**
   * Depth first, operands before users, without recursion: graphs may be deep.
   *
   * @param leaves not looked behind
   */
  private static List<Object> sort(List<Tensor> results, Map<Object, Integer> leaves) {
    Map<Object, Boolean> done = new IdentityHashMap<>(); // false while its operands are pending
    leaves.keySet().forEach(k -> done.put(k, true));
    List<Object> order = new ArrayList<>();
    Deque<Tensor> stack = new ArrayDeque<>();
    for (int i = results.size() - 1; i >= 0; i--) {
      stack.push(results.get(i));
    }
    while (!stack.isEmpty()) {
      Tensor t = stack.peek();
      Boolean state = done.get(key(t));
      if (state == null && t.node() != null && t.node().op() != null) {
        done.put(key(t), false);
        List<Tensor> in = t.node().inputs();
        for (int i = in.size() - 1; i >= 0; i--) {
          if (!done.containsKey(key(in.get(i)))) {
            stack.push(in.get(i));
          }
        }
      } else {
        stack.pop();
        if (state == null || !state) {
          done.put(key(t), true);
          order.add(t);
        }
      }
    }
    return order;
  }
}
