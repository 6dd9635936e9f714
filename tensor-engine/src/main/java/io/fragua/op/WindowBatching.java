package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/**
 * Batching rules of windows: examples become part of the batch axis where they share the kernel,
 * channels where they do not, and groups where both differ.
 *
 * @source JAX {@code _conv_general_dilated_batch_rule}
 */
final class WindowBatching {
  private WindowBatching() {}

  static Tensor conv(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    Tensor x = in.get(0);
    Tensor kernel = in.get(1);
    int groups = a.integer("groups");
    int n = size(in, mapped);
    if (n == 0) {
      return empty(op, in, mapped, a);
    }
    if (!mapped.get(1)) {
      return unfold(Tensor.apply(op, a, List.of(fold(x), kernel)), n);
    }
    if (!mapped.get(0)) {
      Tensor y = Tensor.apply(op, a, List.of(x, merge(kernel, -1, groups)));
      return split(y, -1, n, groups);
    }
    Attrs more = a.with("groups", Math.multiplyExact(n, groups));
    return split(Tensor.apply(op, more, List.of(merge(x, -1, 1), merge(kernel, -1, 1))), -1, n, 1);
  }

  static Tensor inputGrad(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    Tensor g = in.get(0);
    Tensor kernel = in.get(1);
    int groups = a.integer("groups");
    int n = size(in, mapped);
    if (n == 0) {
      return empty(op, in, mapped, a);
    }
    if (!mapped.get(1)) {
      return unfold(Tensor.apply(op, a, List.of(fold(g), kernel)), n);
    }
    if (!mapped.get(0)) {
      Tensor x = Tensor.apply(op, a, List.of(g, merge(kernel, -2, 1)));
      return split(x, -1, n, groups);
    }
    Attrs more = a.with("groups", Math.multiplyExact(n, groups));
    return split(Tensor.apply(op, more, List.of(merge(g, -1, 1), merge(kernel, -1, 1))), -1, n, 1);
  }

  static Tensor kernelGrad(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    Tensor x = in.get(0);
    Tensor g = in.get(1);
    int groups = a.integer("groups");
    int n = size(in, mapped);
    if (n == 0) {
      return empty(op, in, mapped, a);
    }
    if (!mapped.get(1)) {
      return split(Tensor.apply(op, a, List.of(merge(x, -1, groups), g)), -2, n, 1);
    }
    if (!mapped.get(0)) {
      return split(Tensor.apply(op, a, List.of(x, merge(g, -1, groups))), -1, n, groups);
    }
    Attrs more = a.with("groups", Math.multiplyExact(n, groups));
    return split(Tensor.apply(op, more, List.of(merge(x, -1, 1), merge(g, -1, 1))), -1, n, 1);
  }

  static Tensor pool(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    int n = size(in, mapped);
    if (n == 0) {
      return empty(op, in, mapped, a);
    }
    List<Tensor> all = new ArrayList<>();
    for (int i = 0; i < in.size(); i++) {
      all.add(fold(mapped.get(i) ? in.get(i) : Batching.spread(in.get(i), n)));
    }
    return unfold(Tensor.apply(op, a, all), n);
  }

  private static int size(List<Tensor> in, List<Boolean> mapped) {
    return in.get(mapped.indexOf(true)).shape().dim(0);
  }

  /** The result for no examples: it has no elements, nor has an operand that is mapped. */
  private static Tensor empty(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    List<TensorType> one = new ArrayList<>();
    for (int i = 0; i < in.size(); i++) {
      TensorType t = in.get(i).type();
      one.add(mapped.get(i) ? t.with(t.shape().slice(1, t.shape().rank())) : t);
    }
    Shape s = Shape.of(0).concat(op.infer(one, a).shape());
    return in.get(mapped.indexOf(true)).reshape(s.dims());
  }

  /** Examples [n, N, ...] as one batch [n N, ...]. */
  private static Tensor fold(Tensor t) {
    Shape s = t.shape();
    int all = Math.multiplyExact(s.dim(0), s.dim(1));
    return t.reshape(Shape.of(all).concat(s.slice(2, s.rank())).dims());
  }

  private static Tensor unfold(Tensor t, int n) {
    Shape s = t.shape();
    return t.reshape(Shape.of(n, s.dim(0) / n).concat(s.slice(1, s.rank())).dims());
  }

  /**
   * Examples [n, ...] side by side on one axis, inside each of its groups.
   *
   * @param axis counted from the back
   */
  private static Tensor merge(Tensor t, int axis, int groups) {
    int n = t.shape().dim(0);
    Shape s = t.shape().slice(1, t.shape().rank());
    int at = s.axis(axis);
    Shape before = s.slice(0, at);
    Shape after = s.slice(at + 1, s.rank());
    Shape parts = Shape.of(groups, s.dim(at) / groups);
    Tensor apart = t.reshape(Shape.of(n).concat(before).concat(parts).concat(after).dims());
    Shape whole = Shape.of(Math.multiplyExact(n, s.dim(at)));
    return Batching.move(apart, 0, at + 1).reshape(before.concat(whole).concat(after).dims());
  }

  /** The inverse of {@link #merge}. */
  private static Tensor split(Tensor t, int axis, int n, int groups) {
    Shape s = t.shape();
    int at = s.axis(axis);
    int each = s.dim(at) / n;
    Shape before = s.slice(0, at);
    Shape after = s.slice(at + 1, s.rank());
    Shape parts = Shape.of(groups, n, each / groups);
    Tensor apart = t.reshape(before.concat(parts).concat(after).dims());
    Shape out = Shape.of(n).concat(before).concat(Shape.of(each)).concat(after);
    return Batching.move(apart, at + 1, 0).reshape(out.dims());
  }
}
