package io.fragua.cpu;

import io.fragua.tensor.DType;
import io.fragua.tensor.ShapeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What the generator needs to know of one fused kernel: operands, iteration space, which axes are
 * folded, and whether it can be written with vectors.
 *
 * <p>Rows: outer axes that are kept ({@code rows}), for each the outer axes that are folded ({@code
 * folds}), and within the innermost axis, which is the loop.
 */
final class KernelPlan {
  /** Shorter innermost axes are not worth a vector. */
  private static final int MIN_VECTOR = 8;

  /** Vectors of a row that pay for an operand of the loop's own. */
  private static final int MIN_OWN = 4;

  /** Operands of such a loop, each of which costs the just-in-time compiler time. */
  private static final int MAX_OWN = 9;

  /** Sums that are added up side by side: an addition takes three or four clocks, a load a half. */
  private static final int SUMS = 4;

  /** Ops in a kernel for which the sum is what each turn waits for. */
  private static final int FEW = 6;

  /** Elements summed into one f32 vector before they are added up in f64. */
  static final int CHUNK = 2048;

  /**
   * Points and rows that one call of the generated loop visits at most. More would take the
   * just-in-time compiler longer to notice, and memory until the rows' lanes are folded.
   */
  private static final int POINTS = 16384;

  private static final int ROWS = 128;

  /** Folded rows that are summed in f32 before they are added up in f64. */
  static final int BLOCK = 128;

  final List<Value> members;
  final List<View> loads;
  final List<Value> stores = new ArrayList<>();
  final List<Value> reduces = new ArrayList<>();
  final Space space;

  /** Outer axes that are kept, and that are folded. */
  final List<Integer> rows = new ArrayList<>();

  final List<Integer> folds = new ArrayList<>();
  final boolean innerFolded;
  final boolean vector;

  KernelPlan(Cluster c, Set<Value> stored) {
    members = c.members;
    loads = Kernels.externals(members);
    for (Value v : members) {
      if (v.kind == Value.Kind.REDUCE) {
        reduces.add(v);
      } else if (stored.contains(v)) {
        stores.add(v);
      }
    }
    space = Kernels.space(members, stores);
    int n = space.rank();
    for (int a = 0; a < n - 1; a++) {
      (isFolded(a) ? folds : rows).add(a);
    }
    innerFolded = !reduces.isEmpty() && (n == 0 || isFolded(n - 1));
    boolean steps = true;
    boolean bytes = stores.stream().anyMatch(v -> v.type.dtype().bytes() == 1);
    for (int k = 0; k < loads.size(); k++) {
      boolean iota = loads.get(k).base().kind == Value.Kind.IOTA;
      long s = n == 0 ? 0 : stride(k, n - 1);
      steps &= iota || s == 0 || s == 1;
      bytes |= loads.get(k).base().type.dtype().bytes() == 1;
    }
    vector = c.vector && steps && inner() >= MIN_VECTOR && !(bytes && VectorRuntime.LANES < 8);
  }

  private boolean isFolded(int axis) {
    return !reduces.isEmpty() && space.strides[space.strides.length - 1][axis] == 0;
  }

  /** Length of the loop. */
  int inner() {
    return space.rank() == 0 ? 1 : places(space.sizes[space.rank() - 1]);
  }

  int count(List<Integer> axes) {
    long n = 1;
    for (int i = 0; i < axes.size(); i++) { // in every run, in which nothing is allocated
      n *= space.sizes[axes.get(i)];
    }
    return places(n);
  }

  /** So many, which the indices of a kernel count: of what is folded more may be named than fit. */
  private int places(long n) {
    if (n <= Integer.MAX_VALUE) {
      return (int) n; // in every run: not even the operands of an error are made
    }
    throw new ShapeException(
        String.format(
            "%s: a kernel goes through less than 2^31 places at a time: %d of %s; fold fewer axes"
                + " at once",
            members.get(members.size() - 1).name(), n, members.get(members.size() - 1).type));
  }

  /**
   * True if threads share the loop itself: there is a single row, whose elements are kept. Sums of
   * columns are such; each thread goes through all folded axes.
   */
  boolean splitsInner() {
    return rows.isEmpty() && !innerFolded;
  }

  /**
   * True if the generated loop goes through rows too, so that its constants are set once for many
   * of them and what a row is folded to never leaves the registers: rows are whole vectors.
   */
  boolean loopsRows() {
    return vector
        && !rows.isEmpty()
        && folds.isEmpty()
        && inner() % VectorRuntime.LANES == 0
        && (!innerFolded || inner() <= CHUNK);
  }

  /**
   * True if the generated loop goes through folded rows, whose columns it adds up: they are whole
   * vectors. A call for each would cost more than the few vectors of a narrow one.
   */
  boolean loopsFolds() {
    return vector && !innerFolded && !folds.isEmpty() && inner() % VectorRuntime.LANES == 0;
  }

  /** The axis through which the generated loop goes besides the innermost, or -1. */
  int outer() {
    List<Integer> axes = loopsRows() ? rows : loopsFolds() ? folds : List.of();
    return axes.isEmpty() ? -1 : axes.get(axes.size() - 1);
  }

  /**
   * Vectors that one turn of the loop takes: several where it does little but add to a sum of
   * floats, for which the next addition would have to wait.
   */
  int vectors() {
    boolean sums =
        loopsRows()
            && innerFolded
            && inner() % (SUMS * VectorRuntime.LANES) == 0
            && members.size() <= FEW
            && reduces.stream().allMatch(LaneFold::isFloatSum)
            && members.stream().noneMatch(v -> VectorMath.has(v.op.name()));
    return sums ? SUMS : 1;
  }

  /**
   * True if rows are long enough for {@link Operand#own} and for checks before each of them, and
   * operands few enough for the just-in-time compiler.
   */
  boolean ownsOperands() {
    return vector
        && !VectorRuntime.SEGMENTS
        && inner() >= MIN_OWN * VectorRuntime.LANES
        && loads.size() + stores.size() <= MAX_OWN;
  }

  /** Rows in one call of such a loop. */
  int rowsACall() {
    return Math.max(1, Math.min(ROWS, POINTS / inner()));
  }

  /** Bytes that the accumulators of a row take in memory until its lanes are folded. */
  int foldBytes() {
    return vector && innerFolded ? reduces.size() * LaneFold.bytes() : 0;
  }

  /** What {@link Kernel#run} counts: rows, or elements where threads share the loop. */
  int units() {
    return splitsInner() ? inner() : count(rows);
  }

  /** Most equal pieces of the leading axes that follow each other in all results. */
  int maxTiles() {
    if (splitsInner() && reduces.isEmpty()) {
      int lanes = Math.max(1, VectorRuntime.LANES);
      return inner() % lanes == 0 ? inner() / lanes : 1;
    }
    long n = 1;
    for (int a = 0; a < rows.size() && rows.get(a) == a; a++) {
      n *= space.sizes[a];
    }
    return places(n);
  }

  /** Stride of a load along an axis, in elements. */
  long stride(int load, int axis) {
    return space.strides[load][axis];
  }

  long storeStride(int axis) {
    return space.strides[loads.size()][axis];
  }

  long reduceStride(int axis) {
    return space.strides[space.strides.length - 1][axis];
  }

  /** True if sums of f32 along folded rows are kept in f64 between blocks. */
  static boolean isBlocked(Value reduce) {
    return reduce.op.name().equals("reduce_sum")
        && KernelLoop.lane(reduce) == DType.F32
        && reduce.type.dtype() != DType.F64;
  }
}
