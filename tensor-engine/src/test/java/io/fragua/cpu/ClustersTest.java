package io.fragua.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fragua.exec.CompileOptions;
import io.fragua.graph.Graph;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What kernels write to memory, and what they compute again instead. */
class ClustersTest {
  private static final TensorType X = TensorType.of(DType.F32, 32, 64);
  private static final TensorType ROW = TensorType.of(DType.F32, 64);

  /** Checks how many arrays as large as the first operand are written, results included. */
  private static void writes(int large, Fn f, TensorType... in) {
    Graph g = Jit.graph(f, List.of(in));
    try (CpuProgram p = new CpuProgram(g, CompileOptions.DEFAULT)) {
      long n =
          p.steps().stream()
              .flatMap(s -> s.writes().stream())
              .filter(v -> v.size() == X.shape().size())
              .count();
      assertEquals(large, n, () -> p.explain());
    }
  }

  private static Tensor centred(Tensor x) {
    return x.sub(x.meanKeep(1));
  }

  @Test
  void theDistanceFromTheMeanIsComputedAgain() {
    writes(1, a -> List.of(norm(a.get(0))), X);
  }

  private static Tensor norm(Tensor x) {
    Tensor c = centred(x);
    return c.mul(c.square().meanKeep(1).add(1e-6).rsqrt());
  }

  @Test
  void soIsWhatAFewOperationsMakeOfIt() {
    Fn f =
        a -> {
          Tensor y = centred(a.get(0)).mul(2).add(a.get(1)).mul(a.get(1));
          return List.of(y.exp().div(y.maxKeep(1)));
        };
    writes(1, f, X, ROW);
  }

  /** What repeats may be made of one array too; it stays where it is. */
  @Test
  void whatRepeatsIsNotComputedAgain() {
    Fn f =
        a -> {
          Tensor row = a.get(1).add(1);
          Tensor y = centred(a.get(0)).mul(row);
          return List.of(y.exp().div(y.maxKeep(1)).add(row), row.less(y).cast(DType.F32).sum());
        };
    writes(1, f, X, ROW);
    Graph g = Jit.graph(f, List.of(X, ROW));
    try (CpuProgram p = new CpuProgram(g, CompileOptions.DEFAULT)) {
      assertEquals(
          1, p.explain().lines().filter(l -> l.contains("kernel add over")).count(), p.explain());
    }
  }

  /** Neither of two such values is stored for the other's sake. */
  @Test
  void soIsWhatIsMadeOfSuchAValue() {
    Fn f =
        a -> {
          Tensor y = norm(a.get(0));
          return List.of(y.mul(y.square().mul(y).meanKeep(1)));
        };
    writes(1, f, X);
  }

  @Test
  void whatAProductReadsIsStored() {
    Fn f =
        a -> {
          Tensor c = centred(a.get(0));
          return List.of(c.matmul(a.get(1)), c.square().sum());
        };
    writes(1, f, X, TensorType.of(DType.F32, 64, 3));
  }

  @Test
  void whatIsMadeOfTwoArraysIsStored() {
    Fn f =
        a -> {
          Tensor y = a.get(0).sub(a.get(1));
          return List.of(y.div(y.square().sumKeep(1)));
        };
    writes(2, f, X, X);
  }

  @Test
  void whatIsDearIsStored() {
    Fn f =
        a -> {
          Tensor y = a.get(0).exp();
          return List.of(y.sub(y.maxKeep(1)));
        };
    writes(2, f, X);
  }

  @Test
  void aResultIsStoredAndReadFromThere() {
    Fn f =
        a -> {
          Tensor c = centred(a.get(0));
          return List.of(c, c.mul(c.square().meanKeep(1)));
        };
    writes(2, f, X);
  }
}
