package io.fragua.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * The iteration space of a kernel: axis sizes, outermost first, and for every operand its stride
 * along each axis, in elements. Operands may come with different shapes of the same number of
 * elements; the space is their common refinement, then neighbours are merged wherever all operands
 * allow, so most kernels end with one or two axes.
 */
final class Space {
  final long[] sizes;

  /** [operand][axis]. */
  final long[][] strides;

  private Space(long[] sizes, long[][] strides) {
    this.sizes = sizes;
    this.strides = strides;
  }

  /**
   * The space of these index maps over {@code points} elements, or null if their shapes have no
   * common refinement.
   *
   * @param runs per operand, sizes and strides innermost first, as {@link View#runs}; a size
   *     product of 1 stands for a scalar repeated
   */
  static Space of(long points, List<long[][]> runs) {
    TreeSet<Long> cuts = new TreeSet<>();
    cuts.add(points);
    for (long[][] r : runs) {
      long c = 1;
      for (long[] run : r) {
        c *= run[0];
        cuts.add(c);
      }
    }
    cuts.remove(1L);
    List<Long> axes = new ArrayList<>(); // innermost first
    long before = 1;
    for (long c : cuts) {
      if (c % before != 0) {
        return null;
      }
      axes.add(c / before);
      before = c;
    }
    long[][] s = new long[runs.size()][axes.size()];
    for (int k = 0; k < s.length; k++) {
      int a = 0;
      for (long[] run : runs.get(k)) {
        long size = run[0];
        long stride = run[1];
        while (size > 1) {
          if (size % axes.get(a) != 0) {
            return null;
          }
          s[k][a] = stride;
          size /= axes.get(a);
          stride *= axes.get(a);
          a++;
        }
      }
    }
    return collapse(axes, s);
  }

  private static Space collapse(List<Long> axes, long[][] s) {
    List<Integer> starts = new ArrayList<>();
    List<Long> sizes = new ArrayList<>();
    for (int a = 0; a < axes.size(); a++) {
      boolean merge = !starts.isEmpty();
      for (int k = 0; merge && k < s.length; k++) {
        merge = s[k][a] == s[k][starts.get(starts.size() - 1)] * sizes.get(sizes.size() - 1);
      }
      if (merge) {
        sizes.set(sizes.size() - 1, sizes.get(sizes.size() - 1) * axes.get(a));
      } else {
        starts.add(a);
        sizes.add(axes.get(a));
      }
    }
    int n = sizes.size();
    long[] outSizes = new long[n];
    long[][] out = new long[s.length][n];
    for (int i = 0; i < n; i++) {
      outSizes[n - 1 - i] = sizes.get(i);
      for (int k = 0; k < s.length; k++) {
        out[k][n - 1 - i] = s[k][starts.get(i)];
      }
    }
    return new Space(outSizes, out);
  }

  int rank() {
    return sizes.length;
  }
}
