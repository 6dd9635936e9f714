package io.fragua.tensor;

import java.util.Arrays;

/** Sizes of a tensor's axes, outermost first. Immutable; sizes are static and may be zero. */
public final class Shape {
  /** The shape of a scalar: no axes, one element. */
  public static final Shape SCALAR = new Shape(new int[0]);

  private final int[] dims;

  private Shape(int[] dims) {
    this.dims = dims;
  }

  /**
   * A shape with these sizes.
   *
   * @throws ShapeException if a size is negative
   */
  public static Shape of(int... dims) {
    for (int d : dims) {
      Check.shape(
          d >= 0, "shape: sizes must not be negative: %s; correct the size", Arrays.toString(dims));
    }
    return dims.length == 0 ? SCALAR : new Shape(dims.clone());
  }

  /** Number of axes. */
  public int rank() {
    return dims.length;
  }

  /**
   * Number of elements; 1 for a scalar.
   *
   * @throws ShapeException if the number overflows
   */
  public long size() {
    long n = 1;
    for (int d : dims) {
      Check.shape(
          Math.multiplyHigh(n, (long) d) == 0 && n * d >= 0,
          "shape: the number of elements must be below 2^63: %s; correct a size",
          this);
      n *= d;
    }
    return n;
  }

  /**
   * Size of one axis.
   *
   * @param axis counted from the front, or from the back when negative (-1 is the last)
   * @throws ShapeException if there is no such axis
   */
  public int dim(int axis) {
    return dims[axis(axis)];
  }

  /**
   * The axis counted from the front.
   *
   * @param axis counted from the front, or from the back when negative
   * @throws ShapeException if there is no such axis
   */
  public int axis(int axis) {
    int a = axis < 0 ? axis + dims.length : axis;
    Check.shape(
        a >= 0 && a < dims.length,
        "shape: axis must lie in [-%d, %d): axis %d of %s; name an existing axis",
        dims.length,
        dims.length,
        axis,
        this);
    return a;
  }

  /** The sizes, a copy. */
  public int[] dims() {
    return dims.clone();
  }

  /** This shape with the size of one axis replaced. */
  public Shape with(int axis, int size) {
    int[] d = dims.clone();
    d[axis(axis)] = size;
    return of(d);
  }

  /** This shape without the given axes (already counted from the front). */
  public Shape without(int... axes) {
    return of(
        java.util.stream.IntStream.range(0, dims.length)
            .filter(i -> Arrays.stream(axes).noneMatch(a -> a == i))
            .map(i -> dims[i])
            .toArray());
  }

  /** The axes of {@code other} appended. */
  public Shape concat(Shape other) {
    int[] d = Arrays.copyOf(dims, dims.length + other.dims.length);
    System.arraycopy(other.dims, 0, d, dims.length, other.dims.length);
    return of(d);
  }

  /** Axes {@code from} (inclusive) to {@code to} (exclusive). */
  public Shape slice(int from, int to) {
    return of(Arrays.copyOfRange(dims, from, to));
  }

  /** Row-major strides in elements. */
  public long[] strides() {
    long[] s = new long[dims.length];
    long n = 1;
    for (int i = dims.length - 1; i >= 0; i--) {
      s[i] = n;
      n *= dims[i];
    }
    return s;
  }

  /**
   * The common shape by NumPy's broadcasting rule: axes are aligned at the end; sizes must agree or
   * be 1.
   *
   * @param who named in the error
   * @throws ShapeException if they do not broadcast
   * @source NumPy, "Broadcasting"
   */
  public static Shape broadcast(String who, Shape a, Shape b) {
    int r = Math.max(a.rank(), b.rank());
    int[] d = new int[r];
    for (int i = 1; i <= r; i++) {
      int x = i <= a.rank() ? a.dims[a.rank() - i] : 1;
      int y = i <= b.rank() ? b.dims[b.rank() - i] : 1;
      Check.shape(
          x == y || x == 1 || y == 1,
          "%s: shapes must broadcast (sizes equal or 1, aligned at the last axis): %s with %s;"
              + " reshape one of them",
          who,
          a,
          b);
      d[r - i] = x == 1 ? y : x;
    }
    return of(d);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Shape s && Arrays.equals(dims, s.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  @Override
  public String toString() {
    return Arrays.toString(dims);
  }
}
