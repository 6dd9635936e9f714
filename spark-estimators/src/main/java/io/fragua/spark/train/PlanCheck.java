package io.fragua.spark.train;

import io.fragua.arrow.TileSpec;
import io.fragua.graph.Graph;
import io.fragua.nn.ParamTree;
import io.fragua.nn.RunningVariance;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Checks on the driver, before any job, that graphs, tiles and trees fit each other. */
final class PlanCheck {
  private static final TensorType SCALAR = TensorType.of(DType.F32);

  /** Workers add them up in the buffer of a step's sums. */
  private static final int MAX_METRICS = 16;

  private PlanCheck() {}

  static void check(TrainRequest r) {
    Map<String, TensorType> params = types("param:", r.params());
    Map<String, TensorType> state = types("state:", r.state());
    Map<String, TensorType> opt = types("opt:", r.optState());
    Map<String, TensorType> grads = types("grad:", r.params());
    grads.put("weight_sum", SCALAR);
    tables(r, grads);

    for (RunningVariance v : r.variances()) {
      TensorType mean = state.get("state:" + v.mean());
      if (mean == null || !mean.equals(state.get("state:" + v.variance()))) {
        throw error("state " + v.variance(), "has a mean of its type", v, "correct it");
      }
    }

    tile(r.tiles(), "label", true);
    tile(r.tiles(), "weight", false);

    Map<String, TensorType> known = new HashMap<>(params);
    known.putAll(state);
    inputs("gradient", r.gradient(), known, r, List.of("weight", "key", "shard"));
    Map<String, TensorType> results = new HashMap<>(grads);
    results.put("loss", SCALAR);
    results.putAll(state);
    outputs("gradient", r.gradient(), results);

    known = new HashMap<>(params);
    known.putAll(opt);
    known.putAll(grads);
    inputs("update", r.update(), known, null, List.of());
    results = new HashMap<>(params);
    results.putAll(opt);
    outputs("update", r.update(), results);
    for (Graph.Output o : r.update().outputs()) {
      r.update().input(o.name()); // each result is written over the operand of its name
    }

    if (r.evaluate() != null) {
      known = new HashMap<>(params);
      known.putAll(state);
      inputs("evaluate", r.evaluate(), known, r, List.of("weight"));
      results = new HashMap<>(Map.of("loss", SCALAR, "weight_sum", SCALAR));
      for (String metric : metrics(r.evaluate())) {
        results.put("metric:" + metric, SCALAR);
      }
      outputs("evaluate", r.evaluate(), results);
    }
  }

  /** Names of what the graph measures besides the loss. */
  static List<String> metrics(Graph evaluate) {
    List<String> names =
        evaluate.outputs().stream()
            .map(Graph.Output::name)
            .filter(n -> n.startsWith("metric:"))
            .map(n -> n.substring("metric:".length()))
            .toList();
    if (names.size() > MAX_METRICS) {
      throw error("evaluate graph", "measures at most " + MAX_METRICS, names, "leave some out");
    }
    return names;
  }

  /** Gradients of tables come by row: as many rows as there are numbers of rows. */
  private static void tables(TrainRequest r, Map<String, TensorType> grads) {
    for (String name : r.params().names()) {
      Graph.Output rows =
          r.gradient().outputs().stream()
              .filter(o -> o.name().equals("rows:" + name))
              .findFirst()
              .orElse(null);
      if (rows == null) {
        continue;
      }
      TensorType numbers = r.gradient().type(rows.value());
      Shape table = r.params().get(name).shape();
      if (numbers.dtype() != DType.F32 || numbers.shape().rank() != 1 || table.rank() < 1) {
        throw error(
            "gradient graph, output " + rows.name(),
            "rows of a table are numbered by f32[n]",
            numbers + " for " + r.params().get(name).type(),
            "correct the graph");
      }
      grads.put(rows.name(), numbers);
      int n = numbers.shape().dim(0);
      grads.put("grad:" + name, TensorType.of(DType.F32, n, (int) (table.size() / table.dim(0))));
    }
  }

  private static Map<String, TensorType> types(String prefix, ParamTree tree) {
    Map<String, TensorType> m = new HashMap<>();
    for (String name : tree.names()) {
      TensorType t = tree.get(name).type();
      if (t.dtype() != DType.F32) {
        throw error(prefix + name, "parameters, state and gradients are f32", t, "cast it");
      }
      m.put(prefix + name, t);
    }
    return m;
  }

  private static void tile(List<TileSpec> tiles, String name, boolean needed) {
    List<TileSpec> found = tiles.stream().filter(t -> t.name().equals(name)).toList();
    if (found.isEmpty() && !needed) {
      return;
    }
    if (found.size() != 1 || found.get(0).width() != 1 || found.get(0).dtype() != DType.F32) {
      throw error("tile " + name, "must be one f32 column", found, "correct the tiles");
    }
  }

  private static void inputs(
      String who, Graph g, Map<String, TensorType> known, TrainRequest r, List<String> more) {
    int b = r == null ? 0 : r.localBatch();
    for (Graph.Input i : g.inputs()) {
      String what = who + " graph, input " + i.name();
      TensorType wanted = known.get(i.name());
      if (wanted != null) {
        if (!wanted.equals(i.type())) {
          throw error(what, "must be " + wanted, i.type(), "trace it for these parameters");
        }
        continue;
      }
      TileSpec tile =
          r == null
              ? null
              : r.tiles().stream().filter(t -> t.name().equals(i.name())).findFirst().orElse(null);
      if (tile == null && !more.contains(i.name())) {
        throw error(what, "must be a parameter, a tile, " + more, i.type(), "rename it");
      }
      boolean key = i.name().equals("key");
      boolean shard = i.name().equals("shard");
      DType dtype = key || shard ? DType.I32 : tile == null ? DType.F32 : tile.dtype();
      long cells = key ? 2 : shard ? 1 : (long) b * (tile == null ? 1 : tile.width());
      if (i.type().dtype() != dtype || i.type().shape().size() != cells) {
        throw error(
            what,
            "must have " + cells + " elements of " + dtype,
            i.type(),
            "trace it for localBatch() rows");
      }
    }
  }

  private static void outputs(String who, Graph g, Map<String, TensorType> wanted) {
    Map<String, TensorType> given = new HashMap<>();
    for (Graph.Output o : g.outputs()) {
      given.put(o.name(), g.type(o.value()));
    }
    if (!given.equals(wanted)) {
      throw error(who + " graph", "its outputs must be " + wanted, given, "correct the graph");
    }
  }

  private static IllegalArgumentException error(
      String who, String rule, Object given, String remedy) {
    return new IllegalArgumentException(
        "train: " + who + ": " + rule + ": " + given + "; " + remedy);
  }
}
