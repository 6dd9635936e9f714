package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.op.Family;
import io.fragua.op.Op;
import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import java.util.List;
import java.util.Set;

/** Rows with several operands of one shape; special values meet each other in all pairs. */
final class BinaryCases {
  private BinaryCases() {}

  static void addTo(List<OpCase> all) {
    for (Op op : OpTable.rows()) {
      if (op.family() != Family.BINARY && op.family() != Family.COMPARE) {
        continue;
      }
      for (DType t : op.dtypes()) {
        boolean series =
            op.name().equals("pow")
                || t.bytes() == 2
                    && Set.of("atan2", "hypot", "polygamma", "random_loggamma_grad")
                        .contains(op.name());
        Tolerance tolerance = series ? Tolerance.ULPS : Tolerance.EQUAL;
        for (int n : OpCases.sizes(t)) {
          OpCase c = of(op.name(), Attrs.NONE, tolerance, left(op, t, n), right(op, t, n));
          all.add(op.differentiable() ? c.differentiable() : c);
        }
        all.add(of(op.name(), Attrs.NONE, tolerance, left(op, t), right(op, t)));
        all.add(of(op.name(), Attrs.NONE, tolerance, left(op, t, 3, 1, 5), right(op, t, 3, 1, 5)));
        int n = Values.edgeCount(t) * Values.edgeCount(t);
        all.add(
            of(
                op.name(),
                Attrs.NONE,
                tolerance,
                operand(t, Values.edges(1), n),
                operand(t, Values.edges(Values.edgeCount(t)), n)));
        all.add(
            of(
                op.name(),
                Attrs.NONE,
                tolerance,
                operand(t, Values.few(), 100),
                operand(t, Values.few(), 100)));
        if (!t.isFloating()) {
          all.add(
              of(
                  op.name(),
                  Attrs.NONE,
                  tolerance,
                  operand(t, Values.bits(), 100),
                  operand(t, Values.bits(), 100)));
        }
      }
    }
    select(all);
    threefry(all);
  }

  private static OpCase.Operand left(Op op, DType t, int... dims) {
    Values v =
        switch (op.name()) {
          case "pow" -> Values.range(0.1, 4);
          case "polygamma" -> Values.range(-0.4, 3.4);
          case "random_loggamma_grad" -> Values.range(0.1, 30);
          default -> Values.range(-4, 4);
        };
    return operand(t, v, dims);
  }

  private static OpCase.Operand right(Op op, DType t, int... dims) {
    Values v =
        switch (op.name()) {
          case "div" -> t.isFloating() ? Values.range(0.25, 4) : Values.range(-4, 4);
          case "fmod" -> t.isFloating() ? Values.range(0.4, 3) : Values.range(-3, 3);
          case "polygamma" -> Values.range(0.7, 6);
          case "hypot", "atan2" -> Values.range(0.8, 3); // they bend sharply at the origin
          case "shift_left", "shift_right_logical", "shift_right_arithmetic" ->
              Values.range(-2, 8 * t.bytes() + 2);
          default -> Values.range(-3, 3);
        };
    return operand(t, v, dims);
  }

  private static void select(List<OpCase> all) {
    Values any = Values.range(-4, 4);
    for (DType t : OpTable.get("select").dtypes()) {
      for (int n : OpCases.sizes(t)) {
        OpCase c =
            of(
                "select",
                Attrs.NONE,
                Tolerance.EQUAL,
                operand(DType.BOOL, any, n),
                operand(t, any, n),
                operand(t, any, n));
        all.add(c.differentiable());
      }
      all.add(
          of(
              "select",
              Attrs.NONE,
              Tolerance.EQUAL,
              operand(DType.BOOL, any, 99),
              operand(t, Values.edges(1), 99),
              operand(t, Values.edges(3), 99)));
    }
  }

  private static void threefry(List<OpCase> all) {
    Values any = Values.bits();
    DType t = DType.I32;
    for (String word : List.of("0", "1", "xor")) {
      for (int n : new int[] {0, 1, 7, 33, 1000}) {
        all.add(
            of(
                "threefry2x32",
                Attrs.of("word", word),
                Tolerance.EQUAL,
                operand(t, any, n),
                operand(t, any, n),
                operand(t, any, n),
                operand(t, any, n)));
      }
    }
  }
}
