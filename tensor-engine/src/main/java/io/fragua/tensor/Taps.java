package io.fragua.tensor;

import java.util.Arrays;

/**
 * How an axis gets another size: each new element is a weighted sum of a few old ones, its taps. Up
 * to {@link #MATRIX} products of old and new elements that is one matrix, which multiplies fastest;
 * beyond, the taps are gathered and added, whose number grows with the sizes and not with their
 * product. Immutable.
 */
public final class Taps {
  /** Elements of the largest matrix: 16 MiB of f32. */
  public static final int MATRIX = 1 << 22;

  /** Taps at most, which take 12 bytes each while they are made. */
  private static final int MOST = 1 << 26;

  private final String who;
  private final int size;
  private final int count;
  private final int[] from;
  private final double[] weights;

  /** The taps of one new element. */
  @FunctionalInterface
  public interface Row {
    /**
     * Says where the taps of a new element are and what they weigh.
     *
     * @param k the new element
     * @param from to be filled with old elements, each in [0, size); one may be there twice
     * @param weights to be filled with their weights; 0 at first
     */
    void fill(int k, int[] from, double[] weights);
  }

  private Taps(String who, int size, int count, int[] from, double[] weights) {
    this.who = who;
    this.size = size;
    this.count = count;
    this.from = from;
    this.weights = weights;
  }

  /**
   * So many taps for each of so many new elements.
   *
   * @param who named in errors
   * @param size old elements
   * @param to new elements
   * @param count taps of each
   * @throws ShapeException if there are more than 2^26 taps, before any is made
   */
  public static Taps of(String who, int size, int to, int count, Row row) {
    Check.shape(
        (long) to * count <= MOST,
        "%s: an axis gets another size by at most %d weights: %d to %d elements, %d weights each;"
            + " change the size in several steps",
        who,
        MOST,
        size,
        to,
        count);
    int[] from = new int[to * count];
    double[] weights = new double[to * count];
    int[] f = new int[count];
    double[] w = new double[count];
    for (int k = 0; k < to; k++) {
      Arrays.fill(f, 0);
      Arrays.fill(w, 0);
      row.fill(k, f, w);
      System.arraycopy(f, 0, from, k * count, count);
      System.arraycopy(w, 0, weights, k * count, count);
    }
    return new Taps(who, size, count, from, weights);
  }

  private int to() {
    return from.length / count;
  }

  /** True if they are few enough to be a matrix. */
  public boolean isMatrix() {
    return (long) size * to() <= MATRIX;
  }

  /** The weights of old elements in new ones, f64 [to, size]. */
  public Tensor matrix() {
    double[] m = new double[Check.size(who, (long) size * to())];
    for (int i = 0; i < from.length; i++) {
      m[i / count * size + from[i]] += weights[i];
    }
    return Tensor.of(m, to(), size);
  }

  /**
   * An axis of a tensor with its new elements.
   *
   * @param x floating, the axis of the old size
   * @throws ShapeException if it is not floating
   */
  public Tensor apply(Tensor x, int axis) {
    Check.shape(
        x.dtype().isFloating(), "%s: dtype must be floating: %s; cast it first", who, x.type());
    return isMatrix() ? multiplied(x, axis) : gathered(x, axis);
  }

  Tensor multiplied(Tensor x, int axis) {
    Shape s = x.shape();
    int before = Check.size(who, s.slice(0, axis).size());
    int after = Check.size(who, s.slice(axis + 1, s.rank()).size());
    return matrix()
        .cast(x.dtype())
        .lift(x)
        .matmul(x.reshape(before, size, after))
        .reshape(s.with(axis, to()).dims());
  }

  /** With the axis first, so that whole rows are gathered. */
  Tensor gathered(Tensor x, int axis) {
    int[] perRow = new int[x.shape().rank() + 1];
    Arrays.fill(perRow, 1);
    perRow[0] = to();
    perRow[1] = count;
    return x.moveAxis(axis, 0)
        .gather(Tensor.of(from, to(), count).lift(x))
        .mul(Images.constant(weights, x, perRow))
        .sum(1)
        .moveAxis(0, axis);
  }
}
