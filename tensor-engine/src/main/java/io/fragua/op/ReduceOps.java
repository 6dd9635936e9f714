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
          reduce("reduce_prod", ReduceOps::product, "ReduceProd-18", "NumPy prod"),
          new Op(
              "argmax",
              Family.REDUCE,
              1,
              Rules.NUMBERS,
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
    return t.broadcastInDim(like.shape(), kept(like.shape(), a.ints("axes")));
  }

  private static int[] kept(Shape s, int[] axes) {
    return IntStream.range(0, s.rank())
        .filter(i -> Arrays.stream(axes).noneMatch(x -> x == i))
        .toArray();
  }

  /** The gradient is shared equally by all elements that reach the extremum, as in JAX. */
  private static List<Tensor> extremum(Tensor g, List<Tensor> in, Tensor y, Attrs a) {
    Tensor x = in.get(0);
    Tensor hit = x.equal(spread(y, x, a)).cast(x.dtype());
    Tensor count = Tensor.apply("reduce_sum", a, hit); // sum() would take no axes for all
    return List.of(hit.mul(spread(g.div(count), x, a)));
  }

  /**
   * For each element the product of the others: of those before it times those behind it, so that
   * zeros do no harm.
   */
  private static List<Tensor> product(Tensor g, List<Tensor> in, Tensor y, Attrs a) {
    Tensor x = in.get(0);
    if (x.shape().size() == 0) {
      return List.of(spread(g, x, a));
    }
    int rank = x.shape().rank();
    int[] axes = a.ints("axes");
    int[] kept = kept(x.shape(), axes);
    int[] perm = IntStream.concat(Arrays.stream(kept), Arrays.stream(axes)).toArray();
    int[] back = new int[rank];
    for (int i = 0; i < rank; i++) {
      back[perm[i]] = i;
    }
    Tensor moved = x.transpose(perm);
    int n = (int) (x.shape().size() / y.shape().size());
    int rows = (int) y.shape().size();
    Tensor row = moved.reshape(rows, n);
    Tensor before = row.slice(1, 0, n - 1).pad(1, 1, 0, 1).cumprod(1);
    Tensor behind = row.slice(1, 1, n).pad(1, 0, 1, 1).cumprod(1, true);
    Tensor others = before.mul(behind).reshape(moved.shape().dims()).transpose(back);
    return List.of(spread(g, x, a).mul(others));
  }

  private static Op reduce(String name, Op.Vjp vjp, String onnx, String source) {
    return new Op(
        name,
        Family.REDUCE,
        1,
        Rules.NUMBERS,
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
