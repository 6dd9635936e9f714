package io.fragua.tensor;

import java.util.stream.IntStream;

/** Reductions over axes. No axes given means all of them; negative axes count from the back. */
public interface Reductions {
  /** This tensor. */
  Tensor self();

  private Tensor reduce(String op, int... axes) {
    Shape s = self().shape();
    int[] a =
        axes.length == 0
            ? IntStream.range(0, s.rank()).toArray()
            : IntStream.of(axes).map(s::axis).sorted().toArray();
    return Tensor.apply(op, Attrs.of("axes", a), self());
  }

  /** Sum; 0 over nothing. f32 sums may be accumulated in any order. */
  default Tensor sum(int... axes) {
    return reduce("reduce_sum", axes);
  }

  /** Maximum; -infinity (or the type's least value) over nothing; NaN if any is. */
  default Tensor max(int... axes) {
    return reduce("reduce_max", axes);
  }

  /** Minimum; +infinity (or the type's largest value) over nothing; NaN if any is. */
  default Tensor min(int... axes) {
    return reduce("reduce_min", axes);
  }

  /** Arithmetic mean; NaN over nothing. */
  default Tensor mean(int... axes) {
    Tensor s = sum(axes);
    double n = (double) self().shape().size() / Math.max(1, s.shape().size());
    return s.div(n);
  }

  /** Index of the first maximum along one axis, i32. */
  default Tensor argmax(int axis) {
    return Tensor.apply("argmax", Attrs.of("axis", self().shape().axis(axis)), self());
  }

  /** As {@link #sum} over one axis, which stays with size 1. */
  default Tensor sumKeep(int axis) {
    return sum(axis).expandDims(self().shape().axis(axis));
  }

  /** As {@link #mean} over one axis, which stays with size 1. */
  default Tensor meanKeep(int axis) {
    return mean(axis).expandDims(self().shape().axis(axis));
  }

  /** As {@link #max} over one axis, which stays with size 1. */
  default Tensor maxKeep(int axis) {
    return max(axis).expandDims(self().shape().axis(axis));
  }

  /** log(sum(exp(x))) over one axis, which stays with size 1; does not overflow. */
  default Tensor logSumExpKeep(int axis) {
    Tensor m = maxKeep(axis).stopGradient();
    return self().sub(m).exp().sumKeep(axis).log().add(m);
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
