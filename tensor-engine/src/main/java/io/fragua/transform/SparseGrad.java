package io.fragua.transform;

import io.fragua.graph.Graph;
import io.fragua.tensor.Check;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * {@link Grad} for functions that look up a few rows of large tables: the gradient of a table is
 * that of the rows that were read ({@link SparseRows}), so nothing of the table's size is computed.
 */
public final class SparseGrad {
  private SparseGrad() {}

  /** A {@code gather} from a table: number of its result and of its indices among the values. */
  private record Lookup(int result, int ids) {}

  /**
   * The gradients of a scalar function, those of tables by row.
   *
   * @param f its first result must be a floating scalar
   * @param wrt positions of operands with ordinary gradients; may be empty
   * @param tables positions of operands [V, D...] that {@code f} reads by {@code gather} alone
   * @return a function giving all results of {@code f}; then one gradient for each of {@code wrt};
   *     then ids [ids...] and rows [ids..., D...] for each of {@code tables}, those of several
   *     {@code gather}s one after another
   * @throws io.fragua.tensor.ShapeException when applied, if the result is not a floating scalar
   * @throws IllegalArgumentException when applied, if a table is read in another way or not at all
   */
  public static Fn valueAndGrad(Fn f, int[] wrt, int[] tables) {
    return args -> {
      Traced t = Traced.of(f, args);
      Grad.checkWrt("sparse_grad", t.graph(), args.size(), wrt);
      Grad.checkWrt("sparse_grad", t.graph(), args.size(), tables);
      List<List<Lookup>> lookups =
          IntStream.of(tables).mapToObj(table -> lookups(t.graph(), table)).toList();
      IntStream read = lookups.stream().flatMap(List::stream).mapToInt(Lookup::result);
      List<Tensor> values = t.values();
      List<Tensor> grads =
          Grad.gradients(t.graph(), values, IntStream.concat(IntStream.of(wrt), read).toArray());
      List<Tensor> results = new ArrayList<>(t.results(values));
      results.addAll(grads.subList(0, wrt.length));
      int next = wrt.length;
      for (List<Lookup> of : lookups) {
        List<SparseRows> parts = new ArrayList<>();
        for (Lookup l : of) {
          parts.add(new SparseRows(values.get(l.ids()), grads.get(next++)));
        }
        SparseRows sum = SparseRows.sum(parts);
        results.add(sum.ids());
        results.add(sum.rows());
      }
      return results;
    };
  }

  private static List<Lookup> lookups(Graph g, int table) {
    List<Lookup> found = new ArrayList<>();
    int v = g.inputs().size() + g.constants().size();
    for (Graph.Equation equation : g.equations()) {
      Graph.Equation e = equation.rule();
      List<Integer> in = e.inputs();
      if (in.contains(table)) {
        Check.that(
            e.op().name().equals("gather") && in.get(0) == table,
            "sparse_grad: a table is read by gather alone: operand %d, %s, is read by %s; leave it"
                + " out of the tables",
            table,
            g.inputs().get(table).type(),
            e.op());
        found.add(new Lookup(v, in.get(1)));
      }
      v += equation.types().size();
    }
    Check.that(
        !found.isEmpty(),
        "sparse_grad: rows of a table must be read: operand %d, %s, is not; leave it out of the"
            + " tables",
        table,
        g.inputs().get(table).type());
    return found;
  }
}
