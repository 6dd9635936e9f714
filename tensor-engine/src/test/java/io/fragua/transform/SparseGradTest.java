package io.fragua.transform;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.tensor.Segments;
import io.fragua.tensor.ShapeException;
import io.fragua.tensor.Tensor;
import io.fragua.testing.Runs;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SparseGradTest {
  private static final Tensor TABLE = Tensor.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 5, 2);
  private static final Tensor SCALE = Tensor.of(new float[] {0.5f, -2}, 2);
  private static final Tensor IDS = Tensor.of(new int[] {3, 1, 3, 0, 3, 1}, 2, 3);

  /** What of a table is looked up, and how many rows that is; operands are table, scale and ids. */
  private record Case(String name, int rows, Fn loss) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Stream<Case> cases() {
    return Stream.of(
        new Case("one lookup", 6, args -> loss(args.get(0).gather(args.get(2)), args)),
        new Case("bags", 6, args -> loss(args.get(0).gather(args.get(2)).sum(1), args)),
        new Case(
            "bags by segments",
            6,
            args ->
                loss(
                    args.get(0)
                        .embeddingBag(
                            args.get(2).reshape(6),
                            Tensor.of(new int[] {0, 0, 1, 2, 2, 2}, 6),
                            3,
                            Segments.Fold.MEAN),
                    args)),
        new Case(
            "two lookups",
            12,
            args -> {
              Tensor twice = args.get(0).gather(args.get(2).add(1));
              return loss(args.get(0).gather(args.get(2)).mul(twice), args);
            }),
        new Case("no gradient", 6, args -> loss(args.get(0).gather(args.get(2)).ceil(), args)));
  }

  private static List<Tensor> loss(Tensor rows, List<Tensor> args) {
    return List.of(rows.square().mul(args.get(1)).sum(), rows);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void rowsAreTheDenseGradient(Case c) {
    Fn f = SparseGrad.valueAndGrad(c.loss(), new int[] {1}, new int[] {0});
    Tensor[] args = {TABLE, SCALE, IDS};
    List<Tensor> dense = Grad.valueAndGrad(c.loss(), 0, 1).apply(List.of(args));
    for (List<Tensor> r :
        List.of(f.apply(List.of(args)), Jit.jit(f).apply(List.of(args)), Runs.reference(f, args))) {
      assertEquals(5, r.size());
      assertArrayEquals(dense.get(0).toFloats(), r.get(0).toFloats(), 1e-4f);
      assertArrayEquals(dense.get(3).toFloats(), r.get(2).toFloats(), 1e-4f);
      SparseRows rows = new SparseRows(r.get(3), r.get(4));
      assertEquals(c.rows(), rows.size());
      assertArrayEquals(dense.get(2).toFloats(), rows.dense(5).toFloats(), 1e-4f);
      assertArrayEquals(dense.get(2).toFloats(), rows.coalesce().dense(5).toFloats(), 1e-4f);
    }
  }

  /** Ids, and those of the sum: the distinct ones last and ascending, the least before them. */
  private record Ids(int[] given, int[] distinct) {}

  private static Stream<Ids> ids() {
    return Stream.of(
        new Ids(new int[] {}, new int[] {}),
        new Ids(new int[] {4}, new int[] {4}),
        new Ids(new int[] {2, 2}, new int[] {2, 2}),
        new Ids(new int[] {3, 2}, new int[] {2, 3}),
        new Ids(new int[] {5, 2, 5, 9, 2}, new int[] {2, 2, 2, 5, 9}),
        new Ids(new int[] {0, 0, 0, 0}, new int[] {0, 0, 0, 0}));
  }

  @ParameterizedTest
  @MethodSource("ids")
  void rowsOfOneIdAreAddedUp(Ids c) {
    int n = c.given().length;
    float[] values = new float[n];
    float[] dense = new float[10];
    for (int i = 0; i < n; i++) {
      values[i] = 1 << i;
      dense[c.given()[i]] += values[i];
    }
    float[] sums = new float[n];
    for (int i = 0; i < n; i++) {
      boolean last = i == n - 1 || c.distinct()[i] != c.distinct()[i + 1];
      sums[i] = last ? dense[c.distinct()[i]] : 0;
    }
    Fn f =
        a -> {
          SparseRows rows = new SparseRows(a.get(0), a.get(1)).coalesce();
          return List.of(rows.ids(), rows.rows());
        };
    Tensor[] args = {Tensor.of(c.given(), n), Tensor.of(values, n, 1)};
    for (List<Tensor> r :
        List.of(f.apply(List.of(args)), Jit.jit(f).apply(List.of(args)), Runs.reference(f, args))) {
      assertArrayEquals(c.distinct(), r.get(0).toInts());
      assertArrayEquals(sums, r.get(1).toFloats());
    }
  }

  @Test
  void refusesWhatIsNoLookup() {
    Fn product = Fn.of((t, s) -> t.matmul(s.reshape(2, 1)).sum());
    assertEquals(
        "sparse_grad: a table is read by gather alone: operand 0, f32[5, 2], is read by matmul;"
            + " leave it out of the tables",
        message(IllegalArgumentException.class, product, TABLE, SCALE));
    Fn unused = Fn.of((t, s) -> s.sum());
    assertEquals(
        "sparse_grad: rows of a table must be read: operand 0, f32[5, 2], is not; leave it out of"
            + " the tables",
        message(IllegalArgumentException.class, unused, TABLE, SCALE));
    Fn whole = Fn.of((t, ids) -> t.gather(ids));
    assertEquals(
        "grad: the function's first result must be a floating scalar: [f32[2, 3, 2]]; reduce it,"
            + " for instance with mean()",
        message(ShapeException.class, whole, TABLE, IDS));
    assertEquals(
        "sparse_rows: every row needs an i32 id: i32[2, 3] for f32[5, 2]; reshape them to"
            + " [ids...] and [ids..., D...]",
        assertThrows(ShapeException.class, () -> new SparseRows(IDS, TABLE)).getMessage());
  }

  private static String message(Class<? extends Throwable> type, Fn f, Tensor... args) {
    Fn g = SparseGrad.valueAndGrad(f, new int[0], new int[] {0});
    return assertThrows(type, () -> g.apply(List.of(args))).getMessage();
  }
}
