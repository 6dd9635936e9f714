package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Shape;
import java.util.List;
import java.util.stream.IntStream;

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

  private static int turn;
  private static final Values REAL = Values.range(-2, 2);

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
      for (Scatter mode : Scatter.values()) {
        for (DType t : OpTable.get("scatter").dtypes()) {
          boolean some = t == DType.F32 || t == DType.F64 || s == SIZES[4] || s == SIZES[5];
          if (some && (t != DType.BOOL || mode == Scatter.SET)) {
            scatter(all, mode, t, table, index, updates);
          }
        }
      }
    }
    pieces(all);
  }

  private static void scatter(
      List<OpCase> all, Scatter mode, DType t, Shape table, OpCase.Operand index, int[] updates) {
    boolean adds = mode == Scatter.ADD || mode == Scatter.MUL;
    Values v = mode == Scatter.SET ? Values.bits() : t.isFloating() ? REAL : Values.bits();
    long n = index.type().shape().size() + 1;
    Tolerance tol = mode == Scatter.SET ? Tolerance.BITS : Tolerance.EQUAL;
    if (t.isFloating() && adds) {
      tol = mode == Scatter.ADD ? Tolerance.sum(n, 2) : new Tolerance(n + 2, 1e-30);
    }
    if (t == DType.F64) {
      v = REAL;
    }
    Attrs a = Attrs.of("mode", mode.toString());
    all.add(
        of("scatter", a, tol, operand(t, v, table.dims()), index, operand(t, v, updates))
            .differentiable());
  }

  private static DType next() {
    DType t = DType.values()[turn++ % DType.values().length];
    return t == DType.F64 ? next() : t;
  }

  /** Pieces that start before, in and behind the axis, of no, some or all of its elements. */
  private static void pieces(List<OpCase> all) {
    int[][] shapes = {{7}, {1}, {0}, {3, 5}, {4, 0}, {2, 3, 4}, {33, 17}};
    OpCase.Operand start = operand(DType.I32, Values.range(-3, 9));
    for (int[] dims : shapes) {
      for (int axis = 0; axis < dims.length; axis++) {
        int n = dims[axis];
        for (int size : IntStream.of(0, 1, n / 2, n).filter(k -> k <= n).distinct().toArray()) {
          Shape piece = Shape.of(dims).with(axis, size);
          Attrs a = Attrs.of("axis", axis);
          for (DType t : new DType[] {DType.F64, next(), next()}) {
            Values v = t == DType.F64 ? Values.range(-2, 2) : Values.bits();
            OpCase.Operand x = operand(t, v, dims);
            OpCase.Operand u = operand(t, v, piece.dims());
            all.add(
                of("dynamic_slice", a.with("size", size), Tolerance.BITS, x, start)
                    .differentiable());
            all.add(of("dynamic_update_slice", a, Tolerance.BITS, x, u, start).differentiable());
          }
        }
      }
    }
  }
}
