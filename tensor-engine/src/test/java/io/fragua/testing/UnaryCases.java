package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.op.Family;
import io.fragua.op.Op;
import io.fragua.op.OpTable;
import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Rows with one operand: every accepted type, sizes around the vector widths, special values. */
final class UnaryCases {
  /** Rows that are computed by a series: a few units in the last place are allowed. */
  private static final Set<String> APPROXIMATE =
      Set.of(
          "exp",
          "exp2",
          "expm1",
          "log",
          "log1p",
          "rsqrt",
          "sin",
          "cos",
          "tan",
          "tanh",
          "logistic",
          "erf",
          "erfc");

  private static final Set<String> EXACT =
      Set.of("neg", "abs", "sign", "sqrt", "relu", "floor", "ceil", "round", "stop_gradient");

  private UnaryCases() {}

  static void addTo(List<OpCase> all) {
    for (Op op : OpTable.rows()) {
      if (op.family() != Family.UNARY || op.name().equals("cast") || op.name().equals("bitcast")) {
        continue;
      }
      for (DType t : op.dtypes()) {
        Tolerance tolerance = tolerance(op, t);
        for (int n : OpCases.sizes(t)) {
          OpCase c = of(op.name(), Attrs.NONE, tolerance, operand(t, domain(op.name()), n));
          all.add(c.differentiable());
        }
        all.add(of(op.name(), Attrs.NONE, tolerance, operand(t, domain(op.name()))));
        all.add(of(op.name(), Attrs.NONE, tolerance, operand(t, domain(op.name()), 3, 1, 5)));
        all.add(of(op.name(), Attrs.NONE, tolerance, operand(t, domain(op.name()), 2, 0)));
        all.add(of(op.name(), Attrs.NONE, tolerance, operand(t, domain(op.name()), 2, 2, 2, 2)));
        int edges = Values.edgeCount(t);
        all.add(of(op.name(), Attrs.NONE, tolerance, operand(t, Values.edges(1), edges)));
        if (!t.isFloating()) {
          all.add(of(op.name(), Attrs.NONE, tolerance, operand(t, Values.bits(), 100)));
        }
      }
    }
    casts(all);
    for (DType[] pair : new DType[][] {{DType.F32, DType.I32}, {DType.F64, DType.I64}}) {
      for (int n : new int[] {0, 1, 17, 1000}) {
        Attrs there = Attrs.of("dtype", pair[1]);
        Attrs back = Attrs.of("dtype", pair[0]);
        all.add(of("bitcast", there, Tolerance.BITS, operand(pair[0], Values.bits(), n)));
        all.add(of("bitcast", back, Tolerance.BITS, operand(pair[1], Values.bits(), n)));
      }
    }
  }

  /** A function in f16 or bf16 is rounded to f32 on the way, which now and then turns a tie. */
  private static Tolerance tolerance(Op op, DType t) {
    boolean half = t == DType.F16 || t == DType.BF16;
    boolean exact = half ? EXACT.contains(op.name()) : !APPROXIMATE.contains(op.name());
    return exact || !t.isFloating() ? Tolerance.EQUAL : Tolerance.ULPS;
  }

  private static void casts(List<OpCase> all) {
    for (DType from : DType.values()) {
      for (DType to : DType.values()) {
        Attrs a = Attrs.of("dtype", to);
        boolean small = EnumSet.of(DType.U8, DType.BOOL).contains(from);
        Values range = small ? Values.range(0, 100) : Values.range(-300, 300);
        int edges = Values.edgeCount(from);
        all.add(of("cast", a, Tolerance.EQUAL, operand(from, Values.edges(1), edges)));
        for (int n : new int[] {0, 1, 9, 1000}) {
          all.add(of("cast", a, Tolerance.EQUAL, operand(from, range, n)));
        }
      }
    }
    Attrs same = Attrs.of("dtype", DType.F64);
    all.add(
        of("cast", same, Tolerance.EQUAL, operand(DType.F64, Values.range(-2, 2), 5))
            .differentiable());
    // Just above a tie of the 16-bit types: rounding by way of f32 would lose the difference.
    Values ties =
        new Values(
            "near ties",
            (r, t, b, n) -> {
              for (long i = 0; i < n; i++) {
                double tie = 1 + (2 * i + 1) * 0x1p-11;
                b.putDouble(t, i, i % 2 == 0 ? tie + 0x1p-40 : tie - 0x1p-40);
              }
            });
    all.add(
        of("cast", Attrs.of("dtype", DType.F16), Tolerance.EQUAL, operand(DType.F64, ties, 64)));
    all.add(
        of("cast", Attrs.of("dtype", DType.BF16), Tolerance.EQUAL, operand(DType.F64, ties, 64)));
  }

  private static Values domain(String op) {
    return switch (op) {
      case "log", "sqrt", "rsqrt", "cbrt", "lgamma", "digamma" -> Values.range(0.3, 8);
      case "tan" -> Values.range(-1.2, 1.2);
      case "asin", "acos", "atanh", "erf_inv" -> Values.range(-0.9, 0.9);
      case "acosh" -> Values.range(1.2, 8);
      case "log1p" -> Values.range(-0.9, 8);
      default -> Values.range(-4, 4);
    };
  }
}
