package io.fragua.tensor;

/**
 * Sums, products and extrema of all elements up to each one of an axis, and differences. Results
 * have the operand's type; a negative axis counts from the back; {@code reverse} goes from the end
 * to the start. Floating results are accumulated in f64 and rounded once each.
 */
public interface Cumulative {
  /** This tensor. */
  Tensor self();

  private Tensor cumulative(String op, int axis, boolean reverse) {
    return Tensor.apply(op, settings(axis, reverse), self());
  }

  private Attrs settings(int axis, boolean reverse) {
    return Attrs.of("axis", self().shape().axis(axis)).with("reverse", reverse ? 1 : 0);
  }

  /**
   * Running sum; integers wrap.
   *
   * @throws ShapeException if there is no such axis
   * @source NumPy {@code cumsum}; ONNX CumSum-14
   */
  default Tensor cumsum(int axis) {
    return cumsum(axis, false);
  }

  /** As {@link #cumsum(int)}, in either direction. */
  default Tensor cumsum(int axis, boolean reverse) {
    return cumulative("cumsum", axis, reverse);
  }

  /**
   * Running product; integers wrap. The derivative is right at zeros too.
   *
   * @throws ShapeException if there is no such axis
   * @source NumPy {@code cumprod}
   */
  default Tensor cumprod(int axis) {
    return cumprod(axis, false);
  }

  /** As {@link #cumprod(int)}, in either direction. */
  default Tensor cumprod(int axis, boolean reverse) {
    return cumulative("cumprod", axis, reverse);
  }

  /**
   * Running maximum; NaN from the first NaN on. The gradient goes to the element that was taken, on
   * a tie to the last.
   *
   * @throws ShapeException if there is no such axis
   * @source JAX {@code lax.cummax}
   */
  default Tensor cummax(int axis) {
    return cummax(axis, false);
  }

  /** As {@link #cummax(int)}, in either direction. */
  default Tensor cummax(int axis, boolean reverse) {
    return cumulative("cummax", axis, reverse);
  }

  /**
   * Running minimum; NaN from the first NaN on. The gradient goes to the element that was taken, on
   * a tie to the last.
   *
   * @throws ShapeException if there is no such axis
   * @source JAX {@code lax.cummin}
   */
  default Tensor cummin(int axis) {
    return cummin(axis, false);
  }

  /** As {@link #cummin(int)}, in either direction. */
  default Tensor cummin(int axis, boolean reverse) {
    return cumulative("cummin", axis, reverse);
  }

  /**
   * Running log(sum(exp(x))); does not overflow. Floating types.
   *
   * @throws ShapeException if there is no such axis
   * @source JAX {@code lax.cumlogsumexp}
   */
  default Tensor cumlogsumexp(int axis) {
    return cumlogsumexp(axis, false);
  }

  /** As {@link #cumlogsumexp(int)}, in either direction. */
  default Tensor cumlogsumexp(int axis, boolean reverse) {
    return cumulative("cumlogsumexp", axis, reverse);
  }

  /**
   * Differences of neighbours along an axis, and of those again, n times; of bool whether they
   * differ. Each time the axis loses an element, if it has one.
   *
   * @throws ShapeException if n is negative or there is no such axis
   * @source NumPy {@code diff}
   */
  default Tensor diff(int n, int axis) {
    Check.shape(n >= 0, "diff: n must not be negative: %d of %s; correct it", n, self().type());
    Tensor x = self();
    for (int i = 0; i < n; i++) {
      int size = x.shape().dim(axis);
      int less = Math.max(0, size - 1);
      Tensor next = x.slice(axis, size - less, size);
      Tensor before = x.slice(axis, 0, less);
      x = x.dtype() == DType.BOOL ? next.notEqual(before) : next.sub(before);
    }
    return x;
  }

  /**
   * y with {@code y[i] = x[i] y[i - 1] + b[i]} along an axis and {@code y[0] = b[0]}, this being x:
   * discounted sums, moving averages, state-space layers. Floating types.
   *
   * @param b what is added, of this tensor's type
   * @throws ShapeException if the types differ or there is no such axis
   * @source Blelloch, Prefix Sums and Their Applications, 1990, section 1.4.1
   */
  default Tensor linearRecurrence(Tensor b, int axis, boolean reverse) {
    return Tensor.apply(
        "linear_recurrence", settings(axis, reverse), self().lift(b), b.lift(self()));
  }
}
