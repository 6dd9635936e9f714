package io.fragua.spark.estimator;

import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.nn.ParamTree;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Grad;
import io.fragua.transform.SparseGrad;
import io.fragua.transform.SparseRows;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Tables of which a step changes only the rows that it reads, and how workers tell each other of
 * them: what is exchanged and computed has the size of a batch, not of a table.
 *
 * <p>For a table T [V, D] the gradient graph gives {@code rows:T} f32[S * N], one more than the
 * number of each row that was looked up, or 0 where there is no gradient (rows of padding), and
 * {@code grad:T} f32[S * N, D], its gradient. S is the number of shards, which each fill a slot of
 * N and leave zeros in the others, so that the sum that is taken over all workers anyway puts the
 * slots together: x + 0 is x, in any order. Numbers of rows are exact as f32 up to {@link
 * #MAX_ROWS}.
 *
 * @param tables names of parameters that are read by {@code gather} alone
 * @param shards how many of these graphs' results are added up in a step
 */
record Lookups(List<String> tables, int shards) {
  /** Integers up to here are exact as f32. */
  static final int MAX_ROWS = (1 << 24) - 1;

  /** The graph with gradients of {@code loss}, which has the parameters as its first operands. */
  Graph gradient(Graph loss, List<String> params) {
    int n = params.size();
    int[] dense = IntStream.range(0, n).filter(i -> !tables.contains(params.get(i))).toArray();
    int[] sparse = IntStream.range(0, n).filter(i -> tables.contains(params.get(i))).toArray();
    List<String> names = IntStream.of(dense).mapToObj(i -> "grad:" + params.get(i)).toList();
    if (sparse.length == 0) {
      return Grad.valueAndGrad(loss, dense, names);
    }
    List<Graph.Input> in = new ArrayList<>(loss.inputs());
    in.add(new Graph.Input("shard", TensorType.of(DType.I32)));
    List<String> out = new ArrayList<>(loss.outputs().stream().map(Graph.Output::name).toList());
    out.addAll(names);
    int fixed = out.size();
    for (int i : sparse) {
      out.add("rows:" + params.get(i));
      out.add("grad:" + params.get(i));
    }
    return Tracer.trace(
        in,
        out,
        args -> {
          int last = args.size() - 1;
          List<Tensor> r =
              SparseGrad.valueAndGrad(loss::call, dense, sparse).apply(args.subList(0, last));
          List<Tensor> results = new ArrayList<>(r.subList(0, fixed));
          for (int at = fixed; at < r.size(); at += 2) {
            results.addAll(slots(r.get(at), r.get(at + 1), args.get(last)));
          }
          return results;
        });
  }

  /** The numbers of rows and the rows, in the slot of this shard. */
  private List<Tensor> slots(Tensor ids, Tensor rows, Tensor shard) {
    int n = Math.toIntExact(ids.shape().size());
    int width = Math.toIntExact(rows.shape().size() / n);
    Tensor flat = rows.reshape(n, width);
    Tensor zero = Tensor.scalar(DType.F32, 0);
    Tensor given = flat.abs().max(1).equal(zero); // NaN counts as given
    Tensor numbers = given.select(zero, ids.reshape(n).add(1).cast(DType.F32));
    if (shards == 1) {
      return List.of(numbers, flat);
    }
    Tensor mine = Movement.iota(DType.I32, Shape.of(shards, 1), 0).equal(shard);
    return List.of(
        mine.select(numbers.reshape(1, n), zero).reshape(shards * n),
        mine.reshape(shards, 1, 1)
            .select(flat.reshape(1, n, width), zero)
            .reshape(shards * n, width));
  }

  /** What the update takes of these tables besides gradients, given the gradient graph. */
  List<Graph.Input> rows(Graph gradient) {
    return named(gradient, "rows:");
  }

  /** The gradients of the tables as the gradient graph gives them. */
  List<Graph.Input> gradients(Graph gradient) {
    return named(gradient, "grad:");
  }

  private List<Graph.Input> named(Graph gradient, String prefix) {
    return tables.stream()
        .map(t -> prefix + t)
        .map(t -> new Graph.Input(t, gradient.outputTypes().get(gradient.output(t))))
        .toList();
  }

  /**
   * What {@link io.fragua.optim.SparseUpdates} takes. A place without a row repeats the largest
   * number that was read, with its gradient of zeros.
   *
   * @param numbers in the order of the tables
   * @param grads in the same order
   */
  Map<String, SparseRows> updates(ParamTree params, List<Tensor> numbers, List<Tensor> grads) {
    Map<String, SparseRows> m = new LinkedHashMap<>();
    for (int i = 0; i < tables.size(); i++) {
      Tensor number = numbers.get(i);
      Tensor largest = number.max(0).maximum(1);
      Tensor ids = number.greater(0).select(number, largest).sub(1).cast(DType.I32);
      int[] dims = params.get(tables.get(i)).shape().with(0, ids.shape().dim(0)).dims();
      m.put(tables.get(i), new SparseRows(ids, grads.get(i).reshape(dims)));
    }
    return m;
  }
}
