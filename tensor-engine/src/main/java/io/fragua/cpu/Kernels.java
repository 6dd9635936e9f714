package io.fragua.cpu;

import io.fragua.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Questions about a set of values computed by one kernel. */
final class Kernels {
  private Kernels() {}

  /**
   * What a kernel reads from outside, each index map once; scalar constants are part of its code.
   */
  static List<View> externals(List<Value> members) {
    Set<Value> inside = new HashSet<>(members);
    Set<View> out = new LinkedHashSet<>();
    for (Value v : members) {
      for (View a : v.args) {
        if (!inside.contains(a.base()) && !a.base().isScalarConstant()) {
          out.add(canonical(a));
        }
      }
    }
    return new ArrayList<>(out);
  }

  /** The same index map for all shapes that only differ by how axes are grouped. */
  static View canonical(View a) {
    long[][] r = a.runs();
    int[] d = new int[r.length];
    long[] s = new long[r.length];
    for (int i = 0; i < r.length; i++) {
      if (r[i][0]
          > Integer.MAX_VALUE) { // axes that are repeated, more points than an axis can have
        return a;
      }
      d[r.length - 1 - i] = Math.toIntExact(r[i][0]);
      s[r.length - 1 - i] = r[i][1];
    }
    return new View(a.base(), a.offset(), Shape.of(d), s);
  }

  /** Where a reduction's result lies, seen from its operand's points: folded axes have stride 0. */
  static View folded(Value reduce) {
    Shape in = reduce.args.get(0).shape();
    int[] axes = reduce.attrs.ints("axes");
    long[] out = reduce.shape().strides();
    long[] s = new long[in.rank()];
    int k = 0;
    for (int i = 0; i < in.rank(); i++) {
      int axis = i;
      s[i] = Arrays.stream(axes).anyMatch(a -> a == axis) ? 0 : out[k++];
    }
    return new View(reduce, 0, in, s);
  }

  /** True if two reductions fold the same points into the same places. */
  static boolean sameFold(Value a, Value b) {
    return Arrays.deepEquals(folded(a).runs(), folded(b).runs());
  }

  /**
   * The iteration space, or null if there is none; operands are the {@link #externals}, then one
   * dense operand if something is stored, then one for the results of reductions.
   */
  static Space space(List<Value> members, List<Value> stored) {
    List<long[][]> runs = new ArrayList<>();
    externals(members).forEach(v -> runs.add(v.runs()));
    long points = members.get(0).points();
    if (stored.stream().anyMatch(v -> v.kind == Value.Kind.ELEMENTWISE)) {
      runs.add(points == 1 ? new long[0][] : new long[][] {{points, 1}});
    }
    members.stream()
        .filter(v -> v.kind == Value.Kind.REDUCE)
        .findFirst()
        .ifPresent(v -> runs.add(folded(v).runs()));
    return Space.of(points, runs);
  }
}
