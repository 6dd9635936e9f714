package io.fragua.graph;

import io.fragua.op.Op;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** The chain rule: walks back through a graph by the rows' derivatives. */
public final class PullBack {
  private PullBack() {}

  /**
   * Goes back through a graph from gradients of its results to those of some values.
   *
   * @param values of the graph
   * @param cotangents one a result; null for none, those of results that are not floating are not
   *     looked at
   * @param wrt numbers of values, for instance of inputs
   * @return one gradient for each of {@code wrt}
   */
  public static List<Tensor> run(Graph g, List<Tensor> values, List<Tensor> cotangents, int[] wrt) {
    Tensor traced =
        Stream.concat(values.stream(), cotangents.stream())
            .filter(t -> t != null && t.isTraced())
            .findFirst()
            .orElse(null);
    List<Tensor> all = traced == null ? values : values.stream().map(v -> v.lift(traced)).toList();
    Tensor[] grads = new Tensor[all.size()];
    for (int i = 0; i < cotangents.size(); i++) {
      Tensor c = cotangents.get(i);
      if (c != null && c.dtype().isFloating()) {
        add(grads, g.outputs().get(i).value(), traced == null ? c : c.lift(traced));
      }
    }
    boolean[] needed = dependsOn(g, wrt);
    Map<Object, List<Integer>> parts = parts(g);
    int first = g.inputs().size() + g.constants().size();
    for (int v = all.size() - 1; v >= first; v--) {
      if (g.result(v) > 0) {
        continue; // all results of an equation at once, when its first is reached
      }
      Graph.Equation e = g.definition(v).rule();
      int end = v + e.types().size();
      List<Tensor> of =
          e.op().vjp() instanceof Op.Vjp.Part p
              ? gathered(grads, g, parts.get(p.key(e.inputs())), v)
              : Arrays.asList(Arrays.copyOfRange(grads, v, end));
      if (e.inputs().stream().noneMatch(x -> needed[x])
          || of.stream().allMatch(Objects::isNull)
          || e.op().vjp() == null) {
        continue; // nobody asks, or constant almost everywhere (integers, comparisons,
        // stop_gradient)
      }
      List<Tensor> in = e.inputs().stream().map(all::get).toList();
      List<Tensor> back = e.op().vjp().applyAll(of, in, all.subList(v, end), e.attrs());
      for (int k = 0; k < in.size(); k++) {
        int x = e.inputs().get(k);
        if (needed[x] && back.get(k) != null && in.get(k).dtype().isFloating()) {
          add(grads, x, back.get(k));
        }
      }
    }
    List<Tensor> results = new ArrayList<>();
    for (int i : wrt) {
      results.add(grads[i] != null ? grads[i] : zeros(all.get(i)));
    }
    return results;
  }

  /** The values that stand for results of one function, in their order. */
  private static Map<Object, List<Integer>> parts(Graph g) {
    Map<Object, List<Integer>> parts = new HashMap<>();
    for (int v = g.inputs().size() + g.constants().size(); v < g.values(); v++) {
      Graph.Equation e = g.definition(v).rule();
      if (e.op().vjp() instanceof Op.Vjp.Part p) {
        parts.computeIfAbsent(p.key(e.inputs()), k -> new ArrayList<>()).add(v);
      }
    }
    return parts;
  }

  /**
   * The gradients of all results of a function, at the first of its parts: what uses one of them
   * comes later, so all are complete. Nothing at the others.
   */
  private static List<Tensor> gathered(Tensor[] grads, Graph g, List<Integer> parts, int v) {
    Tensor[] of = {};
    if (parts.get(0) == v) {
      for (int part : parts) {
        Op.Vjp.Part p = (Op.Vjp.Part) g.definition(part).rule().op().vjp();
        of = of.length == 0 ? new Tensor[p.results()] : of;
        if (grads[part] != null) {
          add(of, p.result(), grads[part]); // a function may be called twice on one point
        }
      }
    }
    return Arrays.asList(of);
  }

  private static void add(Tensor[] grads, int i, Tensor g) {
    grads[i] = grads[i] == null ? g : grads[i].add(g);
  }

  /** Zeros of a tensor's type: the gradient of an operand the result does not depend on. */
  public static Tensor zeros(Tensor like) {
    return Tensor.scalar(like.dtype(), 0).lift(like).broadcastTo(like.shape());
  }

  /** Which values depend on the operands: gradients of the others are never built. */
  private static boolean[] dependsOn(Graph g, int[] wrt) {
    boolean[] d = new boolean[g.values()];
    Arrays.stream(wrt).forEach(i -> d[i] = true);
    for (int v = g.inputs().size() + g.constants().size(); v < d.length; v++) {
      Graph.Equation e = g.definition(v).rule();
      d[v] |= e.op().vjp() != null && e.inputs().stream().anyMatch(x -> d[x]);
    }
    return d;
  }
}
