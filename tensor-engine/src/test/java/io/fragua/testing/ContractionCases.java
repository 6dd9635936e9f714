package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import java.util.List;

/** Matrix products [b..., m, k] x [b..., k, n]: empty, thin, odd, batched, large. */
final class ContractionCases {
  /** Rows of b, m, k, n; b 0 for none. */
  private static final int[][] SIZES = {
    {0, 1, 1, 1}, {0, 0, 3, 4}, {0, 3, 0, 4}, {0, 3, 4, 0}, {0, 0, 0, 0}, {0, 2, 3, 4},
    {0, 1, 7, 1}, {0, 7, 1, 9}, {0, 8, 16, 8}, {0, 17, 15, 33}, {0, 1, 64, 31}, {0, 33, 64, 1},
    {0, 128, 100, 65}, {1, 2, 3, 4}, {3, 5, 1, 2}, {2, 9, 17, 8}, {4, 0, 2, 3}, {2, 3, 0, 2}
  };

  private ContractionCases() {}

  static void addTo(List<OpCase> all) {
    for (DType t : List.of(DType.F16, DType.BF16, DType.I32, DType.I64)) {
      for (int[] s : SIZES) {
        int[] a = s[0] == 0 ? new int[] {s[1], s[2]} : new int[] {s[0], s[1], s[2]};
        int[] b = s[0] == 0 ? new int[] {s[2], s[3]} : new int[] {s[0], s[2], s[3]};
        // sums in f32 differ in the last place of f32, and so at most by one rounding of the result
        Tolerance tol = t.isFloating() ? new Tolerance(1, 0.01) : Tolerance.EQUAL;
        Values v = t.isFloating() ? Values.range(-1, 1) : Values.bits();
        all.add(of("matmul", Attrs.NONE, tol, operand(t, v, a), operand(t, v, b)));
      }
    }
    for (DType t : List.of(DType.F32, DType.F64)) {
      Values v = Values.range(-1, 1);
      for (int[] s : SIZES) {
        int[] a = s[0] == 0 ? new int[] {s[1], s[2]} : new int[] {s[0], s[1], s[2]};
        int[] b = s[0] == 0 ? new int[] {s[2], s[3]} : new int[] {s[0], s[2], s[3]};
        Tolerance tol = Tolerance.sum(s[2], 1);
        all.add(of("matmul", Attrs.NONE, tol, operand(t, v, a), operand(t, v, b)).differentiable());
      }
      Tolerance tol = Tolerance.sum(5, 1);
      all.add(of("matmul", Attrs.NONE, tol, operand(t, v, 2, 0, 3, 5), operand(t, v, 2, 0, 5, 4)));
      all.add(
          of("matmul", Attrs.NONE, tol, operand(t, v, 2, 3, 4, 5), operand(t, v, 2, 3, 5, 2))
              .differentiable());
      // NaN and infinities: one special value a row and a column at most meets another
      all.add(
          of(
              "matmul",
              Attrs.NONE,
              Tolerance.sum(1, 1),
              operand(t, Values.edges(1), Values.edgeCount(t), 1),
              operand(t, Values.range(1, 2), 1, 3)));
    }
  }
}
