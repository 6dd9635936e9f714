package io.fragua.spark.estimator;

import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.nn.Network;
import io.fragua.nn.ParamTree;
import io.fragua.optim.GradientTransform;
import io.fragua.optim.SparseUpdates;
import io.fragua.random.Key;
import io.fragua.spark.persist.DataDescription;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The three functions of a training, as graphs for a fixed number of rows. Operands and results are
 * found by name.
 *
 * @param gradient what a worker computes of its rows: weighted sums, so that workers can add them
 * @param update what every worker does with the sums of all
 * @param evaluate the loss alone, without dropout
 */
record TrainingGraphs(Graph gradient, Graph update, Graph evaluate) {

  /**
   * What is trained: the network, what it predicts, and from which columns.
   *
   * @param loss of each row
   * @param classWeights how much rows of each class count, or null
   */
  record Problem(
      NetworkBody body,
      Objective objective,
      Objective.RowLoss loss,
      DataDescription data,
      double[] classWeights) {
    /** The tiles' operands for this many rows, in the order of {@link Tiles#inputs}. */
    List<Graph.Input> inputs(int rows) {
      List<Graph.Input> in = new ArrayList<>();
      if (data.width() > 0) {
        in.add(new Graph.Input("x", TensorType.of(DType.F32, rows, data.width())));
      }
      if (!data.categories().isEmpty()) {
        in.add(new Graph.Input("ids", TensorType.of(DType.I32, rows, data.categories().size())));
      }
      if (data.slots() > 0) {
        in.add(new Graph.Input("sparse_ids", TensorType.of(DType.I32, rows, data.slots())));
        in.add(new Graph.Input("sparse_values", TensorType.of(DType.F32, rows, data.slots())));
      }
      return in;
    }

    /** Those and, behind them, what the rows are to be and how much they weigh. */
    List<Graph.Input> labelled(int rows) {
      List<Graph.Input> in = inputs(rows);
      in.add(new Graph.Input("label", TensorType.of(DType.F32, rows)));
      in.add(new Graph.Input("weight", TensorType.of(DType.F32, rows)));
      return in;
    }

    List<TensorType> types(int rows) {
      return inputs(rows).stream().map(Graph.Input::type).toList();
    }
  }

  /**
   * Traces all three.
   *
   * @param lookups tables that are updated by row
   */
  static TrainingGraphs trace(
      Problem p,
      Network.Variables v,
      GradientTransform optimizer,
      ParamTree optState,
      int rows,
      Lookups lookups) {
    Graph gradient = lookups.gradient(loss(p, v, rows), v.params().names());
    return new TrainingGraphs(
        gradient, update(v.params(), optimizer, optState, lookups, gradient), evaluate(p, v, rows));
  }

  /** The saved network: params, state, tiles -&gt; output, in the label's own terms. */
  static Graph network(Problem p, Network.Variables v, int rows) {
    return network(p, v, rows, y -> p.objective().prediction(y, p.data()));
  }

  /** The network up to its last layer. */
  static Graph raw(Problem p, Network.Variables v, int rows) {
    return network(p, v, rows, y -> y);
  }

  private static Graph network(
      Problem p, Network.Variables v, int rows, UnaryOperator<Tensor> last) {
    List<Graph.Input> in = variables(v);
    in.addAll(p.inputs(rows));
    return Tracer.trace(
        in,
        List.of("output"),
        args -> {
          Cursor c = new Cursor(args);
          Network.Variables given = c.variables(v);
          List<Tensor> tiles = c.rest(p.inputs(rows).size());
          return List.of(
              last.apply(Network.apply(p.body(), given, tiles, false, null, null).output()));
        });
  }

  /** What is to become small; its gradient is taken of the parameters. */
  private static Graph loss(Problem p, Network.Variables v, int rows) {
    List<Graph.Input> in = variables(v);
    in.addAll(p.labelled(rows));
    in.add(new Graph.Input("key", TensorType.of(DType.I32, 2)));
    List<String> out = new ArrayList<>(List.of("loss", "weight_sum"));
    v.state().names().forEach(n -> out.add("state:" + n));
    return Tracer.trace(
        in,
        out,
        args -> {
          Cursor c = new Cursor(args);
          Network.Variables given = c.variables(v);
          List<Tensor> tiles = c.rest(p.inputs(rows).size());
          Tensor label = c.next();
          Tensor weight = c.next();
          Tensor real = weight.greater(0).cast(DType.F32);
          Network.Result r = Network.apply(p.body(), given, tiles, true, new Key(c.next()), real);
          List<Tensor> results = sums(p, r.output(), label, counts(p, label, weight));
          results.addAll(r.state().leaves());
          return results;
        });
  }

  private static Graph evaluate(Problem p, Network.Variables v, int rows) {
    List<Graph.Input> in = variables(v);
    in.addAll(p.labelled(rows));
    List<String> out = new ArrayList<>(List.of("loss", "weight_sum"));
    p.objective().metricNames().forEach(n -> out.add("metric:" + n));
    return Tracer.trace(
        in,
        out,
        args -> {
          Cursor c = new Cursor(args);
          Network.Variables given = c.variables(v);
          List<Tensor> tiles = c.rest(p.inputs(rows).size());
          Tensor y = Network.apply(p.body(), given, tiles, false, null, null).output();
          Tensor label = c.next();
          Tensor counts = counts(p, label, c.next());
          List<Tensor> results = sums(p, y, label, counts);
          Map<String, Tensor> metrics = p.objective().metrics(y, label, p.data());
          p.objective().metricNames().forEach(n -> results.add(sum(metrics.get(n), counts)));
          return results;
        });
  }

  /** Of the rows' losses, each as much as it counts, and of the counts. */
  private static List<Tensor> sums(Problem p, Tensor output, Tensor label, Tensor counts) {
    Tensor loss = p.loss().of(output, label);
    return new ArrayList<>(List.of(sum(loss, counts), counts.sum()));
  }

  /** How much each row counts: its own weight times that of its class. */
  private static Tensor counts(Problem p, Tensor label, Tensor weight) {
    if (p.classWeights() == null) {
      return weight;
    }
    float[] table = new float[p.classWeights().length];
    for (int k = 0; k < table.length; k++) {
      table[k] = (float) p.classWeights()[k];
    }
    return weight.mul(Tensor.of(table, table.length).gather(label.cast(DType.I32)));
  }

  /**
   * Sum of weight x value. Rows of weight 0 are padding and may hold anything, even what makes the
   * loss infinite, so they are left out by selection: 0 times infinity is NaN.
   */
  private static Tensor sum(Tensor rows, Tensor weight) {
    return weight.greater(0).select(rows.mul(weight), Tensor.scalar(DType.F32, 0)).sum();
  }

  private static Graph update(
      ParamTree params,
      GradientTransform optimizer,
      ParamTree optState,
      Lookups lookups,
      Graph gradient) {
    Map<String, Tensor> whole = new LinkedHashMap<>(params.asMap());
    lookups.tables().forEach(whole::remove);
    ParamTree dense = ParamTree.of(whole);
    List<Graph.Input> in = named("param:", params);
    in.addAll(named("opt:", optState));
    in.addAll(named("grad:", dense));
    in.addAll(lookups.rows(gradient));
    in.addAll(lookups.gradients(gradient));
    in.add(new Graph.Input("weight_sum", TensorType.of(DType.F32)));
    List<String> out = new ArrayList<>();
    params.names().forEach(n -> out.add("param:" + n));
    optState.names().forEach(n -> out.add("opt:" + n));
    return Tracer.trace(
        in,
        out,
        args -> {
          Cursor c = new Cursor(args);
          ParamTree p = params.withLeaves(c.rest(params.size()));
          ParamTree state = optState.withLeaves(c.rest(optState.size()));
          ParamTree sums = dense.withLeaves(c.rest(dense.size()));
          List<Tensor> numbers = c.rest(lookups.tables().size());
          List<Tensor> rows = c.rest(lookups.tables().size());
          Tensor weights = c.next().maximum(Float.MIN_NORMAL); // all weights 0: gradient 0, not NaN
          SparseUpdates.Step next =
              SparseUpdates.apply(
                  ofMeans(optimizer, weights), sums, lookups.updates(p, numbers, rows), state, p);
          List<Tensor> results = new ArrayList<>(next.params().leaves());
          results.addAll(next.state().leaves());
          return results;
        });
  }

  /** The optimizer of sums over rows that weigh so much together. */
  private static GradientTransform ofMeans(GradientTransform optimizer, Tensor weights) {
    return new GradientTransform() {
      @Override
      public ParamTree init(ParamTree params) {
        return optimizer.init(params);
      }

      @Override
      public Update update(ParamTree sums, ParamTree state, ParamTree params) {
        return optimizer.update(sums.map(g -> g.div(weights)), state, params);
      }
    };
  }

  private static List<Graph.Input> variables(Network.Variables v) {
    List<Graph.Input> in = named("param:", v.params());
    in.addAll(named("state:", v.state()));
    return in;
  }

  private static List<Graph.Input> named(String prefix, ParamTree tree) {
    List<Graph.Input> in = new ArrayList<>();
    tree.asMap().forEach((n, t) -> in.add(new Graph.Input(prefix + n, t.type())));
    return in;
  }

  /** Takes operands one after the other. */
  private static final class Cursor {
    private final List<Tensor> args;
    private int at;

    Cursor(List<Tensor> args) {
      this.args = args;
    }

    Tensor next() {
      return args.get(at++);
    }

    List<Tensor> rest(int n) {
      at += n;
      return args.subList(at - n, at);
    }

    Network.Variables variables(Network.Variables like) {
      ParamTree params = like.params().withLeaves(rest(like.params().size()));
      return new Network.Variables(params, like.state().withLeaves(rest(like.state().size())));
    }
  }
}
