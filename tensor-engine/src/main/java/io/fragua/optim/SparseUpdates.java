package io.fragua.optim;

import io.fragua.nn.ParamTree;
import io.fragua.tensor.Check;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.transform.SparseRows;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.regex.Pattern;

/**
 * Lazy steps of tables: the rows that have a gradient, and the optimizer's memory of them, are
 * taken out, updated as if they were a small parameter, and written back. Other rows and their
 * memory stay as they are, momentum included; counts of steps go on for all.
 *
 * <p>This holds for every optimizer that treats the rows of a parameter apart: {@code sgd}, {@code
 * adagrad}, {@code rmsprop}, {@code adam} and its relatives; {@code clipByGlobalNorm} sees the
 * whole gradient. Verbs that look at a whole parameter ({@code scaleByTrustRatio}, Muon) see the
 * rows of the step alone. Those that need every step of every row ({@code multiSteps}, {@code
 * lookahead}, {@code paramsEma}) are refused.
 *
 * @source PyTorch SparseAdam and Adagrad with sparse gradients; TensorFlow Addons LazyAdam
 */
public final class SparseUpdates {
  private SparseUpdates() {}

  /** Parameters and optimizer state after a step. */
  public record Step(ParamTree params, ParamTree state) {}

  /**
   * One step.
   *
   * @param grads of the parameters that are not in {@code tables}
   * @param tables the other parameters' gradients, by name
   * @param state of the optimizer, for all parameters as {@code optimizer.init(params)} gave it
   * @param params before the step
   * @throws IllegalArgumentException if the optimizer remembers something of a table that has not
   *     one row for each of the table's, as Adafactor does, or needs every step of every row
   */
  public static Step apply(
      GradientTransform optimizer,
      ParamTree grads,
      Map<String, SparseRows> tables,
      ParamTree state,
      ParamTree params) {
    Map<String, Tensor> ids = new LinkedHashMap<>();
    Map<String, Tensor> slopes = new LinkedHashMap<>();
    for (String name : params.names()) {
      SparseRows rows = tables.get(name);
      if (rows == null) {
        slopes.put(name, grads.get(name));
      } else {
        SparseRows distinct = rows.coalesce();
        slopes.put(name, distinct.rows());
        ids.put(name, distinct.ids());
      }
    }
    Map<String, Tensor> stateIds = new LinkedHashMap<>();
    ids.forEach(
        (name, at) ->
            memory(optimizer, name, params.get(name), state).forEach(s -> stateIds.put(s, at)));
    ParamTree rows = taken(params, ids);
    GradientTransform.Update u =
        optimizer.update(ParamTree.of(slopes), taken(state, stateIds), rows);
    return new Step(
        written(params, ids, Optimizers.applyUpdates(rows, u.updates())),
        written(state, stateIds, u.state()));
  }

  /** The rows of these tensors, and the others whole. */
  private static ParamTree taken(ParamTree tree, Map<String, Tensor> ids) {
    return changed(tree, (name, t) -> ids.containsKey(name) ? t.gather(ids.get(name)) : t);
  }

  /** Rows put back, and the others as they are now. Of rows of one id the last one stays. */
  private static ParamTree written(ParamTree old, Map<String, Tensor> ids, ParamTree now) {
    return changed(
        old,
        (name, t) ->
            ids.containsKey(name)
                ? t.scatter(Scatter.SET, ids.get(name), now.get(name))
                : now.get(name));
  }

  private static ParamTree changed(ParamTree tree, BiFunction<String, Tensor, Tensor> f) {
    List<Tensor> out = new ArrayList<>();
    tree.asMap().forEach((name, t) -> out.add(f.apply(name, t)));
    return tree.withLeaves(out);
  }

  /** Names of the state that belongs to a table: what the optimizer would not have without it. */
  private static Set<String> memory(
      GradientTransform optimizer, String name, Tensor table, ParamTree state) {
    Shape s = table.shape();
    Tensor row = Tensor.full(table.type().with(s.with(0, 1)), 0);
    ParamTree of = optimizer.init(ParamTree.of(name, row));
    Set<String> names = new TreeSet<>(of.names());
    optimizer.init(ParamTree.EMPTY).names().forEach(names::remove);
    for (String n : names) {
      Shape one = of.get(n).shape();
      Check.that(
          !n.matches("(.*\\.)?(ema|slow|acc)\\." + Pattern.quote(name)),
          "sparse_updates: averages, lookahead and accumulation need every step of every row: %s;"
              + " leave them out, or update the table \"%s\" densely",
          n,
          name);
      Tensor all = state.has(n) ? state.get(n) : null; // factored states have other names
      Check.that(
          all != null
              && one.rank() >= 1
              && one.dim(0) == 1
              && all.shape().equals(one.with(0, s.dim(0))),
          "sparse_updates: an optimizer must remember each row of a table apart: %s of \"%s\", %s,"
              + " is %s; use another optimizer, or update the table densely",
          n,
          name,
          table.type(),
          all == null ? "not a tensor of that size" : all.type());
    }
    return names;
  }
}
