package io.fragua.tensor;

/**
 * Tensors of regular values. The methods of a tensor give traced ones inside a traced function, so
 * that nothing large becomes a constant of the graph; the static ones are concrete.
 */
public interface Ranges {
  /** This tensor. */
  Tensor self();

  /**
   * {@code start, start + step, ...}, {@code n} values of this dtype; traced if this tensor is.
   * Values of narrow types are computed as i32 or f32.
   *
   * @throws ShapeException if {@code n} is negative or the dtype is not numeric
   * @throws IllegalArgumentException if an integer dtype does not hold a value
   */
  default Tensor arangeLike(double start, double step, int n) {
    DType t = self().dtype();
    double last = start + step * (n - 1);
    Check.that(
        n <= 0 || t.holds(start) && t.holds(last) && t.wide().holds(step),
        "arange: values must be whole and in the range of an integer dtype: %s to %s by %s of %s;"
            + " cast to a type that holds them",
        start,
        last,
        step,
        t);
    Tensor i = self().iotaLike(t.wide(), Shape.of(n), 0);
    return (step == 1 && start == 0 || n == 0 ? i : i.mul(step).add(start)).cast(t);
  }

  /** As {@link #eye(DType, int, int, int)} of this dtype; traced if this tensor is. */
  default Tensor eyeLike(int rows, int columns, int diagonal) {
    Shape s = Shape.of(rows, columns);
    Tensor column = self().iotaLike(DType.I32, s, 1).sub(diagonal);
    return self().iotaLike(DType.I32, s, 0).equal(column).cast(self().dtype());
  }

  /** 0, 1, ... below {@code n}, i32. */
  static Tensor arange(int n) {
    return Movement.iota(DType.I32, Shape.of(n), 0);
  }

  /**
   * {@code start, start + step, ...} before {@code stop}.
   *
   * @throws IllegalArgumentException if the step is 0 or not finite
   * @source NumPy arange
   */
  static Tensor arange(DType dtype, double start, double stop, double step) {
    double n = Math.ceil((stop - start) / step);
    boolean whole = start == Math.rint(start) && step == Math.rint(step);
    Check.that(
        step != 0 && n <= Integer.MAX_VALUE && Double.isFinite(n) && (whole || dtype.isFloating()),
        "arange: the step must not be 0, give less than 2^31 values and be whole for integers: %s,"
            + " %s, %s of %s; correct it",
        start,
        stop,
        step,
        dtype);
    return Tensor.scalar(dtype, 0).arangeLike(start, step, (int) Math.max(0, n));
  }

  /**
   * {@code n} values from {@code start} to {@code stop}, both included, equally far apart.
   *
   * @param dtype floating
   * @throws ShapeException if {@code n} is negative or the dtype is not floating
   * @source NumPy linspace; the last value is exactly {@code stop}
   */
  static Tensor linspace(DType dtype, double start, double stop, int n) {
    Check.shape(dtype.isFloating(), "linspace: dtype must be floating: %s; cast later", dtype);
    TensorType t = TensorType.of(dtype, n);
    Buffer b = Buffer.collected(t.byteSize());
    for (int i = 0; i < n; i++) { // computed in f64 and rounded once
      double at = n == 1 ? start : start + i * ((stop - start) / (n - 1));
      b.putDouble(dtype, i, i > 0 && i == n - 1 ? stop : at);
    }
    return Tensor.of(t, b);
  }

  /**
   * Ones on a diagonal, zeros elsewhere, [rows, columns].
   *
   * @param diagonal 0 the main one, positive above it
   * @source NumPy eye
   */
  static Tensor eye(DType dtype, int rows, int columns, int diagonal) {
    return Tensor.scalar(dtype, 0).eyeLike(rows, columns, diagonal);
  }

  /** The identity matrix, [n, n]. */
  static Tensor eye(DType dtype, int n) {
    return eye(dtype, n, n, 0);
  }
}
