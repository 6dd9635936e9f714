package io.fragua.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A graph for n rows made of those for other numbers of rows is the one that tracing gives. */
class BatchedGraphTest {
  private static Graph trace(int rows, UnaryOperator<Tensor> f) {
    return Tracer.trace(
        List.of(new Graph.Input("x", TensorType.of(DType.F32, rows, 4))),
        List.of("y"),
        args -> List.of(f.apply(args.get(0))));
  }

  private static int rows(Tensor x) {
    return x.shape().dim(0);
  }

  private static Map<String, UnaryOperator<Tensor>> functions() {
    Tensor w = Tensor.of(new float[] {1, -2, 3, 0.5f, 1, 1, 2, 2}, 4, 2);
    Map<String, UnaryOperator<Tensor>> f = new LinkedHashMap<>();
    f.put("dense", x -> x.matmul(w).add(Tensor.of(new float[] {1, 2}, 2)).relu());
    f.put("softmax", x -> x.softmax(1));
    f.put("flattened", x -> x.reshape(rows(x) * 4).mul(2).reshape(rows(x), 2, 2));
    f.put("scalar", x -> x.add(3).maximum(0));
    f.put("sum of the batch", x -> x.sum(0).add(x));
    f.put("slices", x -> Movement.concat(0, List.of(x.slice(0, 1, rows(x)), x.slice(0, 0, 1))));
    f.put("padded", x -> x.pad(0, 1, 2, 9));
    f.put("positions", x -> x.add(x.iotaLike(DType.F32, Shape.of(rows(x), 4), 0)));
    f.put("one column", x -> x.slice(1, 0, 1).mul(x));
    return f;
  }

  @TestFactory
  Stream<DynamicTest> anyNumberOfRows() {
    return functions().entrySet().stream()
        .flatMap(
            f ->
                IntStream.of(1, 2, 3, 4, 5, 64)
                    .mapToObj(
                        n ->
                            DynamicTest.dynamicTest(
                                f.getKey() + ", " + n + " rows", () -> check(f.getValue(), n))));
  }

  private static void check(UnaryOperator<Tensor> f, int n) {
    Graph made = BatchedGraph.trace(4, rows -> trace(rows, f)).at(n);
    float[] x = new float[4 * n];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) Math.sin(i);
    }
    List<Tensor> args = List.of(Tensor.of(x, n, 4));
    Tensor expected = trace(n, f).call(args).get(0);
    Tensor found = made.call(args).get(0);
    assertEquals(expected.type(), found.type());
    assertArrayEquals(expected.toFloats(), found.toFloats());
  }

  @Test
  void oneRowIsMadeOfMore() {
    BatchedGraph g = BatchedGraph.trace(1, rows -> trace(rows, x -> x.add(1)));
    assertEquals(2, g.rows());
    assertEquals(TensorType.of(DType.F32, 1, 4), g.at(1).outputTypes().get(0));
  }

  @Test
  void whatDependsOnTheNumberOfRowsOtherwiseIsSaid() {
    BatchedGraph ops = BatchedGraph.trace(4, n -> trace(n, x -> n % 2 == 0 ? x.exp() : x.log()));
    assertEquals(ops.graph(), ops.at(4));
    BatchedGraph constants =
        BatchedGraph.trace(4, n -> trace(n, x -> x.add(Tensor.zeros(DType.F32, n, 4))));
    for (BatchedGraph g : List.of(ops, constants)) {
      String message = assertThrows(IllegalArgumentException.class, () -> g.at(8)).getMessage();
      assertTrue(
          message.startsWith("graph: only sizes may depend on the number of rows")
              && message.contains("for 4 rows and")
              && message.endsWith("use inferenceBatchSize 4, or change the network"),
          message);
    }
  }
}
