package io.fragua.cpu;

import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import java.util.Arrays;
import java.util.List;

/**
 * A reduction that folds the first axis, such as the gradient of a bias over all pixels, is made in
 * two steps: for each element of that axis, which threads share and which can be run tile by tile
 * with what is before it, and then over that axis.
 */
final class SharedReduce {
  /** Elements for each thread; fewer are not worth it. */
  private static final long MIN_POINTS_PER_THREAD = 16_384;

  /** How many times fewer elements the first step has to leave. */
  private static final int SMALLER = 8;

  private SharedReduce() {}

  /** The reduction in two steps, or the value itself. */
  static Value split(Value v, int threads) {
    if (v.kind != Value.Kind.REDUCE || v.type.dtype() != DType.F32) {
      return v;
    }
    Shape x = v.args.get(0).shape();
    int[] axes = v.attrs.ints("axes");
    int[] others = Arrays.stream(axes).filter(a -> a != 0).toArray();
    long left = v.size() * x.dim(0);
    if (others.length == 0
        || others.length == axes.length
        || x.dim(0) < 2 * threads
        || x.size() < threads * MIN_POINTS_PER_THREAD
        || left > x.size() / SMALLER) {
      return v;
    }
    TensorType type = v.type.with(Shape.of(x.dim(0)).concat(v.shape()));
    Value first = Value.of(v.kind, type, v.op, v.attrs.with("axes", others), v.args);
    int[] leading = {0};
    return Value.of(v.kind, v.type, v.op, v.attrs.with("axes", leading), List.of(View.of(first)));
  }
}
