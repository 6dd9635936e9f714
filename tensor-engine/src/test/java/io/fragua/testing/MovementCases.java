package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/** Rows that move: any bits of any type must arrive unchanged. */
final class MovementCases {
  private static int turn;

  private MovementCases() {}

  private static void add(List<OpCase> all, String op, Attrs a, int[]... operands) {
    // f64 for the gradients; the other types in turn, so that each row meets each of them
    for (DType t : new DType[] {DType.F64, nextType(), nextType()}) {
      OpCase.Operand[] in = new OpCase.Operand[operands.length];
      for (int i = 0; i < in.length; i++) {
        in[i] = operand(t, t == DType.F64 ? Values.range(-2, 2) : Values.bits(), operands[i]);
      }
      all.add(of(op, a, Tolerance.BITS, in).differentiable());
    }
  }

  private static DType nextType() {
    DType t = DType.values()[turn++ % DType.values().length];
    return t == DType.F64 ? nextType() : t;
  }

  static void addTo(List<OpCase> all) {
    int[][][] reshapes = {
      {{}, {1}}, {{1}, {}}, {{6}, {2, 3}}, {{2, 3, 4}, {4, 6}}, {{0, 3}, {5, 0}}, {{33, 1}, {33}}
    };
    for (int[][] r : reshapes) {
      add(all, "reshape", Attrs.of("shape", r[1]), new int[][] {r[0]});
    }
    transposes(all);
    broadcasts(all);
    int[][] bounds = {{0, 5, 1}, {1, 4, 1}, {2, 2, 1}, {0, 5, 2}, {1, 5, 3}, {4, 5, 7}};
    for (int[] b : bounds) {
      Attrs a = Attrs.of("start", b[0]).with("limit", b[1]).with("stride", b[2]);
      add(all, "slice", a.with("axis", 0), new int[][] {{5}});
      add(all, "slice", a.with("axis", 0), new int[][] {{5, 3}});
      add(all, "slice", a.with("axis", 1), new int[][] {{2, 5, 3}});
      add(all, "slice", a.with("axis", 2), new int[][] {{2, 0, 5}});
    }
    Attrs wide = Attrs.of("start", 0).with("limit", 300).with("stride", 1).with("axis", 1);
    add(all, "slice", wide.with("start", 17), new int[][] {{257, 300}});
    Attrs far = wide.with("limit", 5).with("stride", Integer.MAX_VALUE).with("axis", 0);
    add(all, "slice", far, new int[][] {{5}});
    pads(all);
    for (int axis = 0; axis < 3; axis++) {
      add(all, "reverse", Attrs.of("axis", axis), new int[][] {{3, 8, 5}});
      add(all, "reverse", Attrs.of("axis", axis), new int[][] {{1, 0, 17}});
    }
    add(all, "reverse", Attrs.of("axis", 0), new int[][] {{33}});
    add(all, "concat", Attrs.of("axis", 0), new int[][] {{3}, {0}, {4}});
    add(all, "concat", Attrs.of("axis", 0), new int[][] {{7}});
    add(all, "concat", Attrs.of("axis", 0), new int[][] {{2, 3}, {1, 3}});
    add(all, "concat", Attrs.of("axis", 1), new int[][] {{2, 3}, {2, 17}, {2, 1}});
    add(all, "concat", Attrs.of("axis", 1), new int[][] {{2, 3, 5}, {2, 1, 5}});
    add(all, "concat", Attrs.of("axis", 1), new int[][] {{0, 3}, {0, 2}});
    splits(all);
    iotas(all);
  }

  private static void splits(List<OpCase> all) {
    int[][] sizes = {{5}, {2, 3}, {0, 5}, {1, 1, 2, 1}, {4, 0, 1}};
    for (int[] s : sizes) {
      Attrs a = Attrs.of("sizes", s);
      add(all, "split", a.with("axis", 0), new int[][] {{5}});
      add(all, "split", a.with("axis", 0), new int[][] {{5, 3}});
      add(all, "split", a.with("axis", 1), new int[][] {{2, 5, 3}});
      add(all, "split", a.with("axis", 2), new int[][] {{2, 0, 5}});
    }
    Attrs halves = Attrs.of("sizes", new int[] {128, 17, 155}).with("axis", 1);
    add(all, "split", halves, new int[][] {{257, 300}});
  }

  private static void transposes(List<OpCase> all) {
    add(all, "transpose", Attrs.of("perm", new int[0]), new int[][] {{}});
    add(all, "transpose", Attrs.of("perm", new int[] {0}), new int[][] {{9}});
    add(all, "transpose", Attrs.of("perm", new int[] {1, 0}), new int[][] {{3, 17}});
    add(all, "transpose", Attrs.of("perm", new int[] {1, 0}), new int[][] {{0, 4}});
    add(all, "transpose", Attrs.of("perm", new int[] {1, 0}), new int[][] {{300, 257}});
    for (List<Integer> p : permutations(List.of(0, 1, 2))) {
      int[] perm = p.stream().mapToInt(i -> i).toArray();
      add(all, "transpose", Attrs.of("perm", perm), new int[][] {{3, 5, 8}});
    }
    add(all, "transpose", Attrs.of("perm", new int[] {0, 2, 1, 3}), new int[][] {{2, 3, 5, 4}});
    add(all, "transpose", Attrs.of("perm", new int[] {3, 1, 0, 2}), new int[][] {{2, 3, 1, 4}});
  }

  private static List<List<Integer>> permutations(List<Integer> of) {
    List<List<Integer>> out = new ArrayList<>();
    if (of.isEmpty()) {
      out.add(List.of());
    }
    for (Integer first : of) {
      for (List<Integer> rest : permutations(of.stream().filter(i -> !i.equals(first)).toList())) {
        List<Integer> p = new ArrayList<>(List.of(first));
        p.addAll(rest);
        out.add(p);
      }
    }
    return out;
  }

  /** From every set of axes of the target. */
  private static void broadcasts(List<OpCase> all) {
    int[][] targets = {{}, {1}, {33}, {3, 5}, {0, 4}, {4, 2, 9}, {1, 8, 1}};
    for (int[] to : targets) {
      OpCases.subsets(to.length)
          .forEach(
              dims -> {
                int[] from = new int[dims.length];
                for (int i = 0; i < dims.length; i++) {
                  from[i] = to[dims[i]];
                }
                Attrs a = Attrs.of("shape", Shape.of(to)).with("dims", dims);
                add(all, "broadcast_in_dim", a, new int[][] {from});
              });
    }
  }

  private static void pads(List<OpCase> all) {
    int[][] settings = {{0, 0, 0}, {2, 0, 0}, {0, 3, 0}, {1, 2, 1}, {0, 0, 3}, {5, 1, 2}};
    for (int[] s : settings) {
      Attrs a = Attrs.of("low", s[0]).with("high", s[1]).with("interior", s[2]);
      add(all, "pad", a.with("axis", 0).with("value", 1.0), new int[][] {{4}});
      add(all, "pad", a.with("axis", 0).with("value", 0.0), new int[][] {{0}});
      add(all, "pad", a.with("axis", 1).with("value", 0.0), new int[][] {{3, 5, 2}});
      add(all, "pad", a.with("axis", 2).with("value", 7.0), new int[][] {{2, 1, 9}});
    }
    Attrs a = Attrs.of("low", 1).with("high", 1).with("interior", 0).with("axis", 0);
    for (double v : new double[] {Double.NEGATIVE_INFINITY, Double.NaN, -0.0, 0.5}) {
      for (DType t : List.of(DType.F32, DType.F64)) {
        all.add(of("pad", a.with("value", v), Tolerance.EQUAL, operand(t, Values.edges(1), 9)));
      }
    }
  }

  private static void iotas(List<OpCase> all) {
    for (DType t : List.of(DType.F32, DType.F64, DType.I32, DType.I64)) {
      for (int[] dims : new int[][] {{0}, {1}, {33}, {65537}, {3, 17}, {2, 9, 4}, {3, 0}}) {
        for (int axis = 0; axis < dims.length; axis++) {
          Attrs a = Attrs.of("dtype", t).with("shape", dims).with("axis", axis);
          all.add(of("iota", a, Tolerance.EQUAL));
        }
      }
    }
  }
}
