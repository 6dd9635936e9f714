package io.fragua.tensor;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Reductions over axes. No axes given means all of them; negative axes count from the back. Forms
 * with {@code Keep} leave the axes in place with size 1, so that the result broadcasts against the
 * operand. An axis that is not there or named twice throws {@link ShapeException}.
 */
public interface Reductions {
  /** This tensor. */
  Tensor self();

  private Tensor reduce(String op, int... axes) {
    return Tensor.apply(op, Attrs.of("axes", named(axes)), self());
  }

  /** The axes from the front, ascending; all if none is given. */
  private int[] named(int... axes) {
    Shape s = self().shape();
    return axes.length == 0
        ? IntStream.range(0, s.rank()).toArray()
        : IntStream.of(axes).map(s::axis).sorted().toArray();
  }

  /** The result of a reduction over these axes, with each of them put back with size 1. */
  private Tensor keep(Tensor reduced, int... axes) {
    int[] dims = self().shape().dims().clone();
    for (int a : named(axes)) {
      dims[a] = 1;
    }
    return reduced.reshape(dims);
  }

  /** The number of elements that make one of the result. */
  private double count(int... axes) {
    return Arrays.stream(named(axes))
        .mapToDouble(a -> self().shape().dim(a))
        .reduce(1, (x, y) -> x * y);
  }

  /** Narrow integers and bool as i32, in which sums and products of them do not soon wrap. */
  private Tensor wide() {
    DType t = self().dtype();
    return t.isFloating() || t.bytes() >= 4 ? self() : self().cast(DType.I32);
  }

  /** For functions of several steps: f16 and bf16 as f32, and integers and bool too. */
  private Tensor precise() {
    return self().cast(self().dtype().precise());
  }

  /** What {@link #precise} led to, rounded to this tensor's type if that is a floating one. */
  private Tensor rounded(Tensor y) {
    return self().dtype().isFloating() ? y.cast(self().dtype()) : y;
  }

  /**
   * Sum; 0 over nothing. i8, u8, i16 and bool are summed as i32, which the result is; f16 and bf16
   * are summed in f32 and rounded once. Floating sums may be accumulated in any order.
   *
   * @source NumPy {@code sum}
   */
  default Tensor sum(int... axes) {
    return Tensor.apply("reduce_sum", Attrs.of("axes", named(axes)), wide());
  }

  /**
   * Product; 1 over nothing; types as {@link #sum}. The derivative is right at zeros too.
   *
   * @source NumPy {@code prod}
   */
  default Tensor prod(int... axes) {
    return Tensor.apply("reduce_prod", Attrs.of("axes", named(axes)), wide());
  }

  /** Maximum; -infinity (or the type's least value) over nothing; NaN if any is. */
  default Tensor max(int... axes) {
    return self().dtype() == DType.BOOL ? any(axes) : reduce("reduce_max", axes);
  }

  /** Minimum; +infinity (or the type's largest value) over nothing; NaN if any is. */
  default Tensor min(int... axes) {
    return self().dtype() == DType.BOOL ? all(axes) : reduce("reduce_min", axes);
  }

  /**
   * Arithmetic mean; NaN over nothing. f16 and bf16 are computed in f32; the mean of integers or
   * bool is f32.
   *
   * @source JAX {@code jnp.mean}
   */
  default Tensor mean(int... axes) {
    return rounded(precise().sum(axes).div(count(axes)));
  }

  /** True if any element is (bool; a number if it is not 0); false over nothing. */
  default Tensor any(int... axes) {
    return self().cast(DType.BOOL).cast(DType.I32).max(axes).greater(0);
  }

  /** True if all elements are (bool; numbers if they are not 0); true over nothing. */
  default Tensor all(int... axes) {
    return self().cast(DType.BOOL).cast(DType.I32).min(axes).greater(0);
  }

  /** How many elements are not 0 (or true), i32. */
  default Tensor countNonzero(int... axes) {
    return self().cast(DType.BOOL).cast(DType.I32).sum(axes);
  }

  /** Index of the first maximum along one axis, i32; NaN counts as the largest, true as 1. */
  default Tensor argmax(int axis) {
    Tensor x = self().dtype() == DType.BOOL ? self().cast(DType.I32) : self();
    return Tensor.apply("argmax", Attrs.of("axis", self().shape().axis(axis)), x);
  }

  /** Index of the first minimum along one axis, i32; NaN counts as the smallest, true as 1. */
  default Tensor argmin(int axis) {
    // The complement, unlike the negative, turns the order of all integers around.
    return (self().dtype().isFloating() ? self().neg() : self().bitwiseNot()).argmax(axis);
  }

  /** As {@link #argmax(int)}, of all elements in row-major order: an i32 scalar. */
  default Tensor argmax() {
    return self().reshape(-1).argmax(0);
  }

  /** As {@link #argmin(int)}, of all elements in row-major order: an i32 scalar. */
  default Tensor argmin() {
    return self().reshape(-1).argmin(0);
  }

  /** The largest minus the smallest. */
  default Tensor ptp(int... axes) {
    return max(axes).sub(min(axes));
  }

  /**
   * Mean of squared distances from the mean; types as {@link #mean}.
   *
   * @param ddof what is taken off the number of elements: 0 for the variance of these elements, 1
   *     for an estimate of what they were drawn from; NaN or infinite if nothing is left
   * @source NumPy {@code var}
   */
  default Tensor var(int ddof, int... axes) {
    int[] all = named(axes);
    Tensor x = precise();
    Tensor squares = x.sub(x.meanKeep(all)).square().sum(all);
    return rounded(squares.div(Math.max(0, count(axes) - ddof)));
  }

  /**
   * Square root of {@link #var}.
   *
   * @source NumPy {@code std}
   */
  default Tensor std(int ddof, int... axes) {
    return var(ddof, axes).sqrt();
  }

  /**
   * Length of vectors: the sum of magnitudes (order 1), the root of the sum of squares (2), the
   * largest magnitude (infinity), or the p-th root of the sum of p-th powers; types as {@link
   * #mean}. Of zeros the gradient is 0, as PyTorch's, though the root has no slope there. Of
   * nothing it is 0.
   *
   * @throws IllegalArgumentException if the order is not positive
   * @source NumPy {@code linalg.norm} with an axis
   */
  default Tensor norm(double order, int... axes) {
    Check.that(
        order > 0,
        "norm: the order must be positive or infinite: %s of %s; use 1, 2 or infinity",
        order,
        self().type());
    Tensor a = precise().abs();
    if (order == 1) {
      return rounded(a.sum(axes));
    }
    if (order == Double.POSITIVE_INFINITY) {
      return rounded(a.max(axes).maximum(0)); // of nothing: 0
    }
    Tensor zero = Tensor.scalar(a.dtype(), 0);
    Tensor one = Tensor.scalar(a.dtype(), 1);
    Tensor origin = a.equal(zero);
    Tensor powers =
        order == 2
            ? precise().square()
            : order > 1
                ? a.pow(order)
                : origin.select(zero, origin.select(one, a).pow(order)); // the slope is infinite
    Tensor sum = powers.sum(axes);
    Tensor none = sum.equal(zero);
    Tensor some = none.select(one, sum);
    return rounded(none.select(sum, order == 2 ? some.sqrt() : some.pow(1 / order)));
  }

  /** Sum of the elements that are not NaN. */
  default Tensor nansum(int... axes) {
    return self().isNan().select(Tensor.scalar(self().dtype(), 0), self()).sum(axes);
  }

  /** Mean of the elements that are not NaN; NaN if there are none; types as {@link #mean}. */
  default Tensor nanmean(int... axes) {
    Tensor sum = precise().nansum(axes);
    Tensor count = self().isNan().not().countNonzero(axes);
    return rounded(sum.div(count.cast(sum.dtype())));
  }

  /**
   * Mean with weights of this tensor's type, which broadcast against it: sum(x w) / sum(w); types
   * as {@link #mean}.
   *
   * @source NumPy {@code average}
   */
  default Tensor average(Tensor weights, int... axes) {
    Tensor x = precise();
    Tensor w = weights.cast(x.dtype()).lift(x).broadcastTo(x.shape());
    return rounded(x.mul(w).sum(axes).div(w.sum(axes)));
  }

  /** As {@link #sum}; the axes stay with size 1. */
  default Tensor sumKeep(int... axes) {
    return keep(sum(axes), axes);
  }

  /** As {@link #prod}; the axes stay with size 1. */
  default Tensor prodKeep(int... axes) {
    return keep(prod(axes), axes);
  }

  /** As {@link #mean}; the axes stay with size 1. */
  default Tensor meanKeep(int... axes) {
    return keep(mean(axes), axes);
  }

  /** As {@link #max}; the axes stay with size 1. */
  default Tensor maxKeep(int... axes) {
    return keep(max(axes), axes);
  }

  /** As {@link #min}; the axes stay with size 1. */
  default Tensor minKeep(int... axes) {
    return keep(min(axes), axes);
  }

  /** As {@link #any}; the axes stay with size 1. */
  default Tensor anyKeep(int... axes) {
    return keep(any(axes), axes);
  }

  /** As {@link #all}; the axes stay with size 1. */
  default Tensor allKeep(int... axes) {
    return keep(all(axes), axes);
  }

  /** As {@link #countNonzero}; the axes stay with size 1. */
  default Tensor countNonzeroKeep(int... axes) {
    return keep(countNonzero(axes), axes);
  }

  /** As {@link #argmax(int)}; the axis stays with size 1. */
  default Tensor argmaxKeep(int axis) {
    return keep(argmax(axis), axis);
  }

  /** As {@link #argmin(int)}; the axis stays with size 1. */
  default Tensor argminKeep(int axis) {
    return keep(argmin(axis), axis);
  }

  /** As {@link #var}; the axes stay with size 1. */
  default Tensor varKeep(int ddof, int... axes) {
    return keep(var(ddof, axes), axes);
  }

  /** As {@link #std}; the axes stay with size 1. */
  default Tensor stdKeep(int ddof, int... axes) {
    return keep(std(ddof, axes), axes);
  }

  /** As {@link #norm}; the axes stay with size 1. */
  default Tensor normKeep(double order, int... axes) {
    return keep(norm(order, axes), axes);
  }

  /** log(sum(exp(x))); does not overflow; -infinity over nothing. */
  default Tensor logSumExp(int... axes) {
    Tensor kept = logSumExpKeep(axes);
    return kept.reshape(self().shape().without(named(axes)).dims());
  }

  /** As {@link #logSumExp}; the axes stay with size 1. */
  default Tensor logSumExpKeep(int... axes) {
    Tensor m = maxKeep(axes).stopGradient();
    // An infinite maximum is not taken off: infinity minus itself is not a number.
    Tensor finite = m.isFinite().select(m, Tensor.scalar(m.dtype(), 0));
    return self().sub(finite).exp().sumKeep(axes).log().add(finite);
  }

  /** exp(x) / sum(exp(x)) over one axis. */
  default Tensor softmax(int axis) {
    Tensor e = self().sub(maxKeep(axis).stopGradient()).exp();
    return e.div(e.sumKeep(axis));
  }

  /** log(softmax(x)) over one axis. */
  default Tensor logSoftmax(int axis) {
    return self().sub(logSumExpKeep(axis));
  }
}
