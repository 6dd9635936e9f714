package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Rows that fold axes away. Attribute {@code axes}: ascending, counted from the front. */
final class ReduceOps {
  static final List<Op> ROWS =
      List.of(
          reduce(
              "reduce_sum",
              (g, in, y, a) -> List.of(spread(g, in.get(0), a)),
              "ReduceSum-13",
              "NumPy sum"),
          reduce("reduce_max", ReduceOps::extremum, "ReduceMax-20", "NumPy max"),
          reduce("reduce_min", ReduceOps::extremum, "ReduceMin-20", "NumPy min"),
          new Op(
              "argmax",
              Family.REDUCE,
              1,
              Rules.NUMERIC,
              (op, in, a) -> {
                Rules.dtype(op, in.get(0));
                int axis = a.integer("axis");
                Rules.inside(op, axis, in.get(0));
                Check.shape(
                    in.get(0).shape().dim(axis) > 0,
                    "argmax: the axis must not be empty: axis %d of %s; check for emptiness first",
                    axis,
                    in.get(0));
                return new TensorType(DType.I32, in.get(0).shape().without(axis));
              },
              null,
              "an index has no derivative",
              Batching.AXIS,
              null,
              "ArgMax-13",
              "NumPy argmax: the first maximum; NaN counts as the largest"));

  private ReduceOps() {}

  private static Tensor spread(Tensor t, Tensor like, Attrs a) {
    int[] axes = a.ints("axes");
    int[] kept =
        IntStream.range(0, like.shape().rank())
            .filter(i -> Arrays.stream(axes).noneMatch(x -> x == i))
            .toArray();
    return t.broadcastInDim(like.shape(), kept);
  }

  /** The gradient is shared equally by all elements that reach the extremum, as in JAX. */
  private static List<Tensor> extremum(Tensor g, List<Tensor> in, Tensor y, Attrs a) {
    Tensor x = in.get(0);
    Tensor hit = x.equal(spread(y, x, a)).cast(x.dtype());
    Tensor count = Tensor.apply("reduce_sum", a, hit); // sum() would take no axes for all
    return List.of(hit.mul(spread(g.div(count), x, a)));
  }

  private static Op reduce(String name, Op.Vjp vjp, String onnx, String source) {
    return new Op(
        name,
        Family.REDUCE,
        1,
        Rules.NUMERIC,
        (op, in, a) -> {
          Rules.dtype(op, in.get(0));
          int[] axes = a.ints("axes");
          Shape s = in.get(0).shape();
          for (int i = 0; i < axes.length; i++) {
            Rules.inside(op, axes[i], in.get(0));
            Check.shape(
                i == 0 || axes[i] > axes[i - 1],
                "%s: axes must be ascending without repetition: %s of %s; name each axis once",
                op,
                Arrays.toString(axes),
                s);
          }
          return in.get(0).with(s.without(axes));
        },
        vjp,
        null,
        Batching.AXES,
        null,
        onnx,
        source);
  }
}
