package io.fragua.cpu;

import io.fragua.tensor.Shape;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The sizes of a matrix product [batch..., M, K] x [batch..., K, N].
 *
 * @param batch leading sizes, those repeated in an operand included
 */
record MatmulShape(Shape batch, int m, int k, int n) {
  /** A stride that is a multiple of no other: a prime, so large that its bytes still fit an int. */
  private static final long NOWHERE = (1L << 28) - 57;

  static MatmulShape of(Value v) {
    Shape x = v.args.get(0).shape();
    Shape w = v.args.get(1).shape();
    return new MatmulShape(x.slice(0, x.rank() - 2), x.dim(-2), x.dim(-1), w.dim(-1));
  }

  /**
   * True if oneDNN can read the operand where it is: one of the last two axes has step 1, the
   * leading axes lie in order, and each axis lies apart from the next.
   */
  static boolean accepts(View v) {
    if (v.base().kind == Value.Kind.IOTA || !inOrder(v) || !apart(v)) {
      return false;
    }
    int r = v.shape().rank();
    long rows = v.shape().dim(-2);
    long columns = v.shape().dim(-1);
    long sr = v.strides()[r - 2];
    long sc = v.strides()[r - 1];
    boolean plain = (columns == 1 || sc == 1) && (rows == 1 || sr >= columns);
    boolean transposed = (rows == 1 || sr == 1) && (columns == 1 || sc >= rows);
    return plain || transposed;
  }

  /**
   * True if each leading axis takes larger steps than the next; if there are three and more, or two
   * whose steps oneDNN mistakes, also if they lie as one or all repeat. It takes others for such
   * and reads elsewhere: two whose steps differ by the number of all matrices.
   */
  private static boolean inOrder(View v) {
    int r = v.shape().rank();
    int[] axes = IntStream.range(0, r - 2).filter(i -> v.shape().dim(i) > 1).toArray();
    boolean decreasing = true;
    boolean one = true;
    long before = Long.MAX_VALUE;
    for (int k = 0; k < axes.length; k++) {
      long s = v.strides()[axes[k]];
      if (s < 0) {
        return false;
      }
      one &= k == 0 || v.strides()[axes[k - 1]] == s * v.shape().dim(axes[k]);
      decreasing &= s < before;
      before = s == 0 ? before : s;
    }
    boolean mistaken =
        axes.length == 2
            && before > 0
            && v.strides()[axes[0]] / before == v.shape().slice(0, r - 2).size();
    return axes.length > 2 || mistaken ? one : decreasing; // where all repeat, both are true
  }

  /**
   * True if each axis steps over the whole extent, dim times stride, of the next smaller one.
   * oneDNN refuses others, also where no two elements coincide, as every second of three rows.
   */
  private static boolean apart(View v) {
    int[] axes =
        IntStream.range(0, v.shape().rank())
            .filter(i -> v.shape().dim(i) > 1 && v.strides()[i] != 0)
            .boxed()
            .sorted(Comparator.comparingLong(i -> v.strides()[i]))
            .mapToInt(i -> i)
            .toArray();
    for (int k = 1; k < axes.length; k++) {
      if (v.strides()[axes[k]] < v.strides()[axes[k - 1]] * v.shape().dim(axes[k - 1])) {
        return false;
      }
    }
    return true;
  }

  /**
   * Strides of an operand as oneDNN wants them: of the last two axes, those of size 1 made regular;
   * those of leading axes of size 1 like no other, as where they are a multiple of another stride
   * oneDNN takes the axes for one.
   */
  static long[] strides(View v) {
    long[] s = v.strides().clone();
    int r = s.length;
    long rows = v.shape().dim(-2);
    long columns = v.shape().dim(-1);
    if (columns == 1 && rows == 1) {
      s[r - 1] = 1;
      s[r - 2] = 1;
    } else if (columns == 1) {
      s[r - 1] = s[r - 2] == 1 ? rows : 1;
    } else if (rows == 1) {
      s[r - 2] = s[r - 1] == 1 ? columns : 1;
    }
    for (int i = r - 3; i >= 0; i--) {
      if (v.shape().dim(i) == 1 || s[i] == 0) {
        s[i] = NOWHERE - i;
      }
    }
    return s;
  }

  /** Sizes of an operand, with 1 where a leading axis repeats. */
  static long[] dims(View v) {
    int r = v.shape().rank();
    long[] d = new long[r];
    for (int i = 0; i < r; i++) {
      d[i] = i < r - 2 && v.strides()[i] == 0 ? 1 : v.shape().dim(i);
    }
    return d;
  }

  /**
   * Where a product's result lies, seen as [batch..., M, N]; {@code swapped} ones lie as [B, M, H,
   * N].
   */
  View result(Value v) {
    if (v.attrs.has("swapped")) {
      Shape lies = Shape.of(batch.dim(0), m, batch.dim(1), n);
      return new View(v, 0, lies, lies.strides()).transpose(new int[] {0, 2, 1, 3});
    }
    return new View(v, 0, whole(), whole().strides());
  }

  /** [batch..., M, N]; a product that takes in what follows it may have the shape of that. */
  Shape whole() {
    return batch.concat(Shape.of(m, n));
  }

  double flops() {
    return 2.0 * batch.size() * m * n * k;
  }

  @Override
  public String toString() {
    String b = batch.rank() == 0 ? "" : batch + " ";
    return b + m + "x" + k + " * " + k + "x" + n;
  }
}
