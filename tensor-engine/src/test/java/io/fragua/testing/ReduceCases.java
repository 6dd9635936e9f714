package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.util.List;

/** Rows that fold axes: every set of axes of every rank up to three, empty and long ones too. */
final class ReduceCases {
  private static final int[][] SHAPES = {
    {},
    {0},
    {1},
    {7},
    {33},
    {65537},
    {3, 5},
    {17, 9},
    {0, 4},
    {4, 0},
    {1, 1},
    {300, 257},
    {2, 3, 4},
    {8, 1, 33},
    {5, 16, 3},
    {2, 0, 3},
    {64, 2, 130}
  };

  private ReduceCases() {}

  static void addTo(List<OpCase> all) {
    for (String op : List.of("reduce_sum", "reduce_prod", "reduce_max", "reduce_min")) {
      for (DType t : OpTable.get(op).dtypes()) {
        for (int[] dims : shapes(t)) {
          OpCases.subsets(dims.length)
              .forEach(
                  axes -> {
                    Attrs a = Attrs.of("axes", axes);
                    Values v = Values.range(-2, 2);
                    Tolerance tol = tolerance(op, dims, axes);
                    OpCase c = of(op, a, tol, operand(t, v, dims));
                    // the extremum of nothing is infinite, so it has no differences
                    boolean smooth =
                        op.equals("reduce_sum") || op.equals("reduce_prod") || c.size() > 0;
                    all.add(smooth ? c.differentiable() : c);
                  });
        }
        edges(all, op, t);
      }
    }
    for (DType t : OpTable.get("argmax").dtypes()) {
      for (int[] dims : shapes(t)) {
        for (int axis = 0; axis < dims.length; axis++) {
          if (dims[axis] > 0) {
            Attrs a = Attrs.of("axis", axis);
            all.add(of("argmax", a, Tolerance.EQUAL, operand(t, Values.bits(), dims)));
            all.add(of("argmax", a, Tolerance.EQUAL, operand(t, Values.few(), dims)));
          }
        }
      }
      for (int axis = 0; axis < 2; axis++) {
        Attrs a = Attrs.of("axis", axis);
        all.add(of("argmax", a, Tolerance.EQUAL, operand(t, Values.edges(1), 40, 40)));
        all.add(of("argmax", a, Tolerance.EQUAL, operand(t, Values.edges(17), 40, 17)));
      }
    }
  }

  /** The large ones, slow by the reference, only in 32 bits. */
  private static List<int[]> shapes(DType t) {
    return java.util.Arrays.stream(SHAPES)
        .filter(s -> t.bytes() == 4 || Shape.of(s).size() < 10_000)
        .toList();
  }

  /** Each special value alone in a row, and all of them together. */
  private static void edges(List<OpCase> all, String op, DType t) {
    int n = Values.edgeCount(t);
    boolean sum = op.equals("reduce_sum") || op.equals("reduce_prod");
    Tolerance tol = sum ? Tolerance.sum(3, 1) : Tolerance.EQUAL;
    Attrs last = Attrs.of("axes", new int[] {1});
    Attrs first = Attrs.of("axes", new int[] {0});
    all.add(of(op, last, tol, operand(t, Values.edges(1), n, 1)));
    all.add(of(op, last, tol, operand(t, Values.edges(2), n, 2)));
    all.add(of(op, first, tol, operand(t, Values.edges(1), 2, n)));
    if (!sum || !t.isFloating()) { // a sum of huge values depends on the order
      all.add(of(op, last, tol, operand(t, Values.edges(1), 40, 17)));
      all.add(of(op, first, tol, operand(t, Values.edges(1), 40, 17)));
      all.add(of(op, last, tol, operand(t, Values.edges(1), 17, 40)));
    }
  }

  private static Tolerance tolerance(String op, int[] dims, int[] axes) {
    Shape s = Shape.of(dims);
    long kept = Math.max(1, s.without(axes).size());
    return switch (op) {
      case "reduce_sum" -> Tolerance.sum(s.size() / kept, 2);
      case "reduce_prod" -> new Tolerance(2 + s.size() / kept, Float.MIN_NORMAL);
      default -> Tolerance.EQUAL;
    };
  }
}
