package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.util.List;

/** Rows that read and write by index: scalar indices, repeated ones, none, rows of no width. */
final class IndexCases {
  /** Table sizes, then index sizes. */
  private static final int[][][] SIZES = {
    {{5}, {}},
    {{5}, {3}},
    {{1}, {7}},
    {{4, 3}, {}},
    {{4, 3}, {9}},
    {{10, 17}, {2, 3}},
    {{3, 2, 8}, {5}},
    {{7, 1}, {33}},
    {{6, 0}, {4}},
    {{6, 3}, {0}},
    {{0, 3}, {0}},
    {{1000, 16}, {500}}
  };

  private IndexCases() {}

  static void addTo(List<OpCase> all) {
    for (int[][] s : SIZES) {
      Shape table = Shape.of(s[0]);
      Shape ids = Shape.of(s[1]);
      OpCase.Operand index = operand(DType.I32, Values.ids(Math.max(1, table.dim(0))), ids.dims());
      for (DType t : OpTable.get("gather").dtypes()) {
        Values v = t == DType.F64 ? Values.range(-2, 2) : Values.bits();
        all.add(
            of("gather", Attrs.NONE, Tolerance.BITS, operand(t, v, table.dims()), index)
                .differentiable());
      }
      int[] updates = ids.concat(table.slice(1, table.rank())).dims();
      for (DType t : OpTable.get("scatter_add").dtypes()) {
        Values v = t.isFloating() ? Values.range(-2, 2) : Values.bits();
        Tolerance tol = t.isFloating() ? Tolerance.sum(ids.size(), 2) : Tolerance.EQUAL;
        Attrs a = Attrs.of("rows", table.dim(0));
        all.add(of("scatter_add", a, tol, operand(t, v, updates), index).differentiable());
      }
    }
  }
}
