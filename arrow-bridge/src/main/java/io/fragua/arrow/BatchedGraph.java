package io.fragua.arrow;

import io.fragua.graph.Graph;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * A graph for any number of rows, although the sizes in a graph are fixed: one function traced for
 * {@code rows} and for {@code rows + 1}. Sizes are linear in the number of rows, so from two of
 * them follow all. A model needs this when another batch size is asked of it after it was loaded,
 * where there is nothing left to trace.
 *
 * @param rows of {@code graph}
 * @param graph the function for this many rows
 * @param next the function for one row more
 */
public record BatchedGraph(int rows, Graph graph, Graph next) {

  /**
   * Traces a function twice.
   *
   * @param rows the number of rows that will be used most; 2 is traced in place of 1, because with
   *     a single row a broadcast cannot be told from a copy
   */
  public static BatchedGraph trace(int rows, IntFunction<Graph> tracer) {
    int n = Math.max(2, rows);
    return new BatchedGraph(n, tracer.apply(n), tracer.apply(n + 1));
  }

  /**
   * The graph for this many rows.
   *
   * @throws IllegalArgumentException if the two graphs differ in more than sizes
   */
  public Graph at(int wanted) {
    if (wanted == rows || wanted == rows + 1) {
      return wanted == rows ? graph : next;
    }
    Check.that(wanted >= 1, "graph: needs at least one row: %d; correct it", wanted);
    same("inputs", graph.inputs().size(), next.inputs().size());
    same("constants", graph.constants().size(), next.constants().size());
    same("equations", graph.equations().size(), next.equations().size());
    same("outputs", graph.outputs(), next.outputs());
    List<Graph.Input> inputs = new ArrayList<>();
    List<TensorType> types = new ArrayList<>();
    for (int i = 0; i < graph.inputs().size(); i++) {
      Graph.Input a = graph.inputs().get(i);
      Graph.Input b = next.inputs().get(i);
      same("an input's name", a.name(), b.name());
      same("an input's dtype", a.type().dtype(), b.type().dtype());
      TensorType t = a.type().with(Shape.of(sizes(wanted, a.type().shape(), b.type().shape())));
      inputs.add(new Graph.Input(a.name(), t));
      types.add(t);
    }
    for (int i = 0; i < graph.constants().size(); i++) {
      Tensor a = graph.constants().get(i);
      Tensor b = next.constants().get(i);
      same("a constant's type", a.type(), b.type());
      same("a constant's values", a.buffer().bytes(), b.buffer().bytes());
      types.add(a.type());
    }
    List<Graph.Equation> equations = new ArrayList<>();
    for (int i = 0; i < graph.equations().size(); i++) {
      Graph.Equation a = graph.equations().get(i);
      Graph.Equation b = next.equations().get(i);
      same("an op", a.op(), b.op());
      same("an op's operands", a.inputs(), b.inputs());
      Attrs attrs = attrs(wanted, a.attrs(), b.attrs());
      List<TensorType> t = a.op().inferAll(a.inputs().stream().map(types::get).toList(), attrs);
      equations.add(new Graph.Equation(a.op(), attrs, a.inputs(), t));
      types.addAll(t);
    }
    return new Graph(inputs, graph.constants(), equations, graph.outputs());
  }

  private Attrs attrs(int wanted, Attrs a, Attrs b) {
    same("an op's settings", a.asMap().keySet(), b.asMap().keySet());
    Attrs out = a;
    for (Map.Entry<String, Object> e : a.asMap().entrySet()) {
      Object x = e.getValue();
      Object y = b.asMap().get(e.getKey());
      if (x instanceof Integer i && y instanceof Integer j) {
        out = out.with(e.getKey(), size(wanted, i, j));
      } else if (x instanceof int[] i && y instanceof int[] j) {
        out = out.with(e.getKey(), sizes(wanted, Shape.of(i), Shape.of(j)));
      } else if (x instanceof Graph i && y instanceof Graph j) {
        out = out.with(e.getKey(), new BatchedGraph(rows, i, j).at(wanted));
      } else {
        same("an op's setting " + e.getKey(), x, y);
      }
    }
    return out;
  }

  private int[] sizes(int wanted, Shape a, Shape b) {
    same("a number of axes", a.rank(), b.rank());
    int[] d = new int[a.rank()];
    Arrays.setAll(d, i -> size(wanted, a.dim(i), b.dim(i)));
    return d;
  }

  private int size(int wanted, int a, int b) {
    return Math.toIntExact(a + (long) (wanted - rows) * (b - a));
  }

  private void same(String what, Object a, Object b) {
    Check.that(
        a.equals(b),
        "graph: only sizes may depend on the number of rows, so that another batch size can be"
            + " used: %s is %s for %d rows and %s for %d; use inferenceBatchSize %d, or change the"
            + " network",
        what,
        a,
        rows,
        b,
        rows + 1,
        rows);
  }
}
