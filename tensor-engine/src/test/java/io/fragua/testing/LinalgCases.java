package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.util.List;

/**
 * Factorings and systems: one matrix and several, of sizes from nothing to beyond LAPACK's blocks,
 * singular and not finite ones. All backends use one library, so they must be equal.
 */
final class LinalgCases {
  private static final int[][] LEADING = {{}, {1}, {2}, {2, 3}, {0}};

  private LinalgCases() {}

  static void addTo(List<OpCase> all) {
    for (DType t : List.of(DType.F32, DType.F64)) {
      for (String op : List.of("cholesky", "lu", "eigh", "qr", "svd", "pinv")) {
        for (int n : new int[] {0, 1, 2, 3}) {
          for (int[] lead : LEADING) {
            add(all, op, t, lead, n, n);
          }
        }
        add(all, op, t, new int[0], 5, 5);
        add(all, op, t, new int[0], 67, 67);
        Attrs a = settings(op);
        all.add(of(op, a, Tolerance.EQUAL, operand(t, Values.edges(1), 3, 3)));
        all.add(of(op, a, Tolerance.EQUAL, operand(t, Values.range(0, 0), 2, 3, 3)));
        all.add(of(op, a, Tolerance.EQUAL, operand(t, Values.few(), 4, 3, 3)));
      }
      for (String op : List.of("qr", "svd", "pinv")) {
        for (int[] s : new int[][] {{1, 3}, {3, 1}, {4, 2}, {2, 4}, {3, 2}, {0, 3}, {3, 0}}) {
          add(all, op, t, new int[0], s[0], s[1]);
          add(all, op, t, new int[] {2}, s[0], s[1]);
        }
        add(all, op, t, new int[0], 70, 40);
      }
      systems(all, t);
    }
  }

  private static Attrs settings(String op) {
    return op.equals("pinv") ? Attrs.of("rcond", 1e-6) : Attrs.NONE;
  }

  private static void add(List<OpCase> all, String op, DType t, int[] lead, int m, int n) {
    int[] dims = Shape.of(lead).concat(Shape.of(m, n)).dims();
    OpCase c = of(op, settings(op), Tolerance.EQUAL, operand(t, Values.apart(m, n), dims));
    all.add(c.size() > 0 ? c.differentiable() : c);
  }

  private static void systems(List<OpCase> all, DType t) {
    for (int[] s : new int[][] {{1, 1}, {2, 1}, {3, 2}, {0, 2}, {3, 0}, {5, 3}, {40, 33}}) {
      for (int[] lead : s[0] > 5 ? new int[][] {{}} : LEADING) {
        int n = s[0];
        OpCase.Operand a =
            operand(t, Values.apart(n, n), Shape.of(lead).concat(Shape.of(n, n)).dims());
        OpCase.Operand b =
            operand(t, Values.range(-2, 2), Shape.of(lead).concat(Shape.of(n, s[1])).dims());
        OpCase c = of("solve", Attrs.NONE, Tolerance.EQUAL, a, b);
        all.add(c.size() > 0 ? c.differentiable() : c);
        for (int flags = 0; flags < (lead.length == 0 ? 8 : 1); flags++) {
          Attrs f =
              Attrs.of("lower", flags & 1)
                  .with("transpose", flags >> 1 & 1)
                  .with("unit", flags >> 2 & 1);
          c = of("triangular_solve", f, Tolerance.EQUAL, a, b);
          all.add(c.size() > 0 ? c.differentiable() : c);
        }
      }
    }
    OpCase.Operand zeros = operand(t, Values.range(0, 0), 2, 2);
    OpCase.Operand b = operand(t, Values.range(-2, 2), 2, 2);
    all.add(of("solve", Attrs.NONE, Tolerance.EQUAL, zeros, b)); // singular
  }
}
