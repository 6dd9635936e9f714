package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps that change only the rows of a table that they read. */
class LookupsTest {
  private static final String TABLE = "param:embedding.embedding";

  private static Dataset<Row> rows() {
    return Spark.session()
        .range(0, 301, 1, 3)
        .selectExpr(
            "'c' || id % 29 AS city",
            "id % 101 AS code", "id % 7 / 7.0D AS x", "double((id % 29 + id % 101) % 2) AS label");
  }

  private static Map<String, Tensor> learnt(boolean sparse, String optimizer, int workers) {
    return new NeuralClassifier()
        .setNumericCols("x")
        .setCategoricalCols("city", "code")
        .setEmbeddingDim(3)
        .setHiddenLayers(5)
        .setOptimizer(optimizer)
        .setMomentum(0)
        .setLearningRate(0.05)
        .setBatchSize(16) // does not divide the rows: some batches are padded
        .setEpochs(3)
        .setClipNorm(0.5)
        .setNumWorkers(workers)
        .setSparseUpdates(sparse)
        .fit(rows())
        .data()
        .weights();
  }

  /** Without momentum a row without a gradient stays where it is in either way. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void learnsAsADenseStepWithoutMomentum(int workers) {
    Map<String, Tensor> dense = learnt(false, "sgd", workers);
    Map<String, Tensor> sparse = learnt(true, "sgd", workers);
    assertEquals(dense.keySet(), sparse.keySet());
    dense.forEach(
        (name, w) -> assertArrayEquals(w.toFloats(), sparse.get(name).toFloats(), 1e-5f, name));
  }

  /** Adam moves every row in every step by what it remembers, but not here. */
  @Test
  void rowsThatAreNotReadStay() {
    float[] dense = learnt(false, "adam", 2).get(TABLE).toFloats();
    float[] sparse = learnt(true, "adam", 2).get(TABLE).toFloats();
    assertEquals(dense.length, sparse.length);
    assertFalse(Arrays.equals(dense, sparse));
  }

  /** Looks up rows 4, 0, 4 of 6, the last without a gradient, in the second of two slots. */
  @Test
  void workersFillSlots() {
    Graph loss =
        Tracer.trace(
            List.of(
                new Graph.Input("param:t", TensorType.of(DType.F32, 6, 2)),
                new Graph.Input("ids", TensorType.of(DType.I32, 3)),
                new Graph.Input("weight", TensorType.of(DType.F32, 3))),
            List.of("loss"),
            a -> List.of(a.get(0).gather(a.get(1)).mul(a.get(2).reshape(3, 1)).sum()));
    Graph g = new Lookups(List.of("t"), 2).gradient(loss, List.of("t"));
    List<Tensor> r =
        g.call(
            List.of(
                Tensor.of(new float[12], 6, 2),
                Tensor.of(new int[] {4, 0, 4}, 3),
                Tensor.of(new float[] {0.5f, 2, 0}, 3),
                Tensor.scalar(DType.I32, 1)));
    assertArrayEquals(
        new float[] {0, 0, 0, 5, 1, 0}, r.get(g.output("rows:t")).toFloats(), "rows, from 1");
    assertArrayEquals(
        new float[] {0, 0, 0, 0, 0, 0, 0.5f, 0.5f, 2, 2, 0, 0},
        r.get(g.output("grad:t")).toFloats());
  }

  /** What a step computes and sends has the size of a batch. */
  @Test
  void nothingOfTheTablesSizeIsExchanged() {
    long[] bytes = new long[2];
    for (int i = 0; i < 2; i++) {
      int rows = i == 0 ? 10 : 1_000_000;
      List<Graph.Input> in = new ArrayList<>();
      in.add(new Graph.Input("param:t", TensorType.of(DType.F32, rows, 2)));
      in.add(new Graph.Input("ids", TensorType.of(DType.I32, 3)));
      Graph loss = Tracer.trace(in, List.of("loss"), a -> List.of(a.get(0).gather(a.get(1)).sum()));
      Graph g = new Lookups(List.of("t"), 4).gradient(loss, List.of("t"));
      bytes[i] = g.outputTypes().stream().mapToLong(TensorType::byteSize).sum();
      assertTrue(
          g.equations().stream()
              .flatMap(e -> e.types().stream())
              .allMatch(t -> t.shape().size() < 100),
          g::toString);
    }
    assertEquals(bytes[0], bytes[1]);
  }
}
