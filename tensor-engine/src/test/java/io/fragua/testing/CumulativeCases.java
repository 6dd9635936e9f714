package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.op.Family;
import io.fragua.op.Op;
import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import java.util.List;

/** Rows along an axis: each axis of each shape, both ways; lines alone, side by side, and none. */
final class CumulativeCases {
  private static final int[][] SHAPES = {
    {0}, {1}, {7}, {33}, {3, 5}, {0, 4}, {4, 0}, {2, 3, 4}, {1, 1}
  };
  private static final int[][] LARGE = {{5000}, {9, 300}, {3, 7, 260}};

  private CumulativeCases() {}

  static void addTo(List<OpCase> all) {
    for (Op op : OpTable.rows()) {
      if (op.family() != Family.CUMULATIVE) {
        continue;
      }
      for (DType t : op.dtypes()) {
        for (int reverse = 0; reverse < 2; reverse++) {
          for (int[] dims : SHAPES) {
            shape(all, op, t, reverse, dims, true);
          }
          for (int[] dims : LARGE) {
            shape(all, op, t, reverse, dims, false);
          }
          int n = Values.edgeCount(t);
          Attrs a = Attrs.of("axis", 1).with("reverse", reverse);
          add(all, op, t, a, Values.edges(1), false, n, 2);
          add(all, op, t, a, Values.edges(2), false, n, 3);
          add(all, op, t, a, Values.few(), false, 3, 17);
          add(all, op, t, a.with("axis", 0), Values.edges(1), false, 3, n);
          if (!t.isFloating()) {
            add(all, op, t, a, Values.bits(), false, 3, 17);
          }
        }
      }
    }
  }

  private static void shape(
      List<OpCase> all, Op op, DType t, int reverse, int[] dims, boolean smooth) {
    for (int axis = 0; axis < dims.length; axis++) {
      Attrs a = Attrs.of("axis", axis).with("reverse", reverse);
      add(all, op, t, a, Values.range(-1, 1), smooth, dims);
    }
  }

  private static void add(
      List<OpCase> all, Op op, DType t, Attrs a, Values v, boolean smooth, int... dims) {
    OpCase.Operand[] in = new OpCase.Operand[op.arity()];
    for (int i = 0; i < in.length; i++) {
      in[i] = operand(t, v, dims);
    }
    OpCase c = of(op.name(), a, Tolerance.EQUAL, in);
    all.add(smooth ? c.differentiable() : c);
  }
}
