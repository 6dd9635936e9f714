package io.fragua.spark.train;

import io.fragua.arrow.InputColumn;
import io.fragua.arrow.TileSpec;
import io.fragua.exec.Precision;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.nn.Losses;
import io.fragua.nn.ParamTree;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Grad;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;

/**
 * A small problem for the trainer: logistic regression on a, b and v, plus a table of one number
 * per category, by gradient descent with momentum. The running statistic is the mean of a.
 */
final class Task {
  static final int D = 4;
  static final int CATEGORIES = 10;

  Dataset<?> data;
  int workers = 1;
  int batch = 64;
  int epochs = 3;
  long seed = 5;
  double rate = 0.5;
  double momentum = 0.5;
  boolean weighted;
  String held;
  int patience;
  Distribution distribution = Distribution.PLAIN;
  TrainListener listener = TrainListener.NONE;
  int table = CATEGORIES;

  /** Whether there is a second table, with as many rows as the first. */
  boolean second;

  Recovery recovery = Recovery.NONE;

  Task(Dataset<?> data) {
    this.data = data;
  }

  private static ParamTree tree(Object... namesAndTensors) {
    Map<String, Tensor> m = new LinkedHashMap<>();
    for (int i = 0; i < namesAndTensors.length; i += 2) {
      m.put((String) namesAndTensors[i], (Tensor) namesAndTensors[i + 1]);
    }
    return ParamTree.of(m);
  }

  ParamTree params() {
    List<Object> all = new ArrayList<>();
    all.addAll(List.of("w", Tensor.zeros(DType.F32, D, 1), "bias", Tensor.zeros(DType.F32)));
    all.addAll(List.of("table", Tensor.zeros(DType.F32, table, 1)));
    if (second) {
      all.addAll(List.of("second", Tensor.zeros(DType.F32, table, 1)));
    }
    return tree(all.toArray());
  }

  TrainRequest request() {
    ParamTree params = params();
    ParamTree state = tree("mean", Tensor.zeros(DType.F32, 1));
    ParamTree opt = params.map(p -> Tensor.full(p.type(), 0));
    int b = TrainRequest.localBatch(batch, workers);
    List<TileSpec> tiles = new ArrayList<>();
    tiles.add(
        new TileSpec(
            "x",
            DType.F32,
            List.of(InputColumn.scalar("a"), InputColumn.scalar("b"), InputColumn.array("v", 2)),
            false));
    tiles.add(new TileSpec("ids", DType.I32, List.of(InputColumn.scalar("c")), false));
    tiles.add(new TileSpec("label", DType.F32, List.of(InputColumn.scalar("label")), false));
    if (weighted) {
      tiles.add(new TileSpec("weight", DType.F32, List.of(InputColumn.scalar("weight")), false));
    }
    Graph loss = loss(params, b, true);
    Graph gradient =
        Grad.valueAndGrad(
            loss,
            IntStream.range(0, params.size()).toArray(),
            params.names().stream().map(n -> "grad:" + n).toList());
    return new TrainRequest(
        data,
        distribution.local() ? data.count() : 0,
        tiles,
        gradient,
        update(params),
        held == null ? null : loss(params, b, false),
        params,
        state,
        List.of(),
        opt,
        workers,
        batch,
        epochs,
        seed,
        held,
        patience,
        Precision.STRICT,
        recovery,
        distribution,
        listener);
  }

  TrainResult train() {
    return train(request());
  }

  static TrainResult train(TrainRequest r) {
    try (Checkpoints c = Checkpoints.open(r.data().sparkSession(), r.recovery().folder())) {
      return BarrierTrainer.train(r, c);
    }
  }

  private static List<Graph.Input> inputs(String prefix, ParamTree tree) {
    List<Graph.Input> in = new ArrayList<>();
    tree.names().forEach(n -> in.add(new Graph.Input(prefix + n, tree.get(n).type())));
    return in;
  }

  private static Graph loss(ParamTree params, int b, boolean training) {
    List<Graph.Input> in = inputs("param:", params);
    in.add(new Graph.Input("state:mean", TensorType.of(DType.F32, 1)));
    in.add(new Graph.Input("x", TensorType.of(DType.F32, b, D)));
    in.add(new Graph.Input("ids", TensorType.of(DType.I32, b, 1)));
    in.add(new Graph.Input("label", TensorType.of(DType.F32, b)));
    in.add(new Graph.Input("weight", TensorType.of(DType.F32, b)));
    List<String> out = new ArrayList<>(List.of("loss", "weight_sum"));
    if (training) {
      in.add(new Graph.Input("key", TensorType.of(DType.I32, 2)));
      out.add("state:mean");
    }
    return Tracer.trace(
        in,
        out,
        t -> {
          int n = params.size();
          Tensor x = t.get(n + 1);
          Tensor z = x.matmul(t.get(0)).reshape(b).add(t.get(1));
          for (int table = 2; table < n; table++) {
            z = z.add(t.get(table).gather(t.get(n + 2).reshape(b)).reshape(b));
          }
          Tensor y = t.get(n + 3);
          Tensor w = t.get(n + 4);
          Tensor row = Losses.binaryCrossEntropyWithLogits(z, y);
          List<Tensor> results = new ArrayList<>(List.of(row.mul(w).sum(), w.sum()));
          if (training) {
            Tensor real = w.greater(0).cast(DType.F32);
            Tensor a = x.slice(1, 0, 1).reshape(b);
            Tensor mean = a.mul(real).sum().div(real.sum());
            results.add(t.get(n).mul(0.9).add(mean.mul(0.1)));
          }
          return results;
        });
  }

  private Graph update(ParamTree params) {
    List<Graph.Input> in = inputs("param:", params);
    in.addAll(inputs("opt:", params));
    in.addAll(inputs("grad:", params));
    in.add(new Graph.Input("weight_sum", TensorType.of(DType.F32)));
    List<String> out = new ArrayList<>();
    params.names().forEach(n -> out.add("param:" + n));
    params.names().forEach(n -> out.add("opt:" + n));
    int n = params.size();
    return Tracer.trace(
        in,
        out,
        t -> {
          List<Tensor> velocities = new ArrayList<>();
          List<Tensor> updated = new ArrayList<>();
          for (int i = 0; i < n; i++) {
            Tensor g = t.get(2 * n + i).div(t.get(3 * n));
            velocities.add(t.get(n + i).mul(momentum).add(g));
            updated.add(t.get(i).sub(velocities.get(i).mul(rate)));
          }
          updated.addAll(velocities);
          return updated;
        });
  }
}
