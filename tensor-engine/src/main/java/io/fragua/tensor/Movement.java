package io.fragua.tensor;

import java.util.List;
import java.util.stream.IntStream;

/** Moves elements without computing. Negative axes count from the back. */
public interface Movement {
  /** This tensor. */
  Tensor self();

  /** Same elements in row-major order under other sizes; one size may be -1. */
  default Tensor reshape(int... dims) {
    int[] d = dims.clone();
    int free = -1;
    long known = 1;
    for (int i = 0; i < d.length; i++) {
      if (d[i] == -1) {
        Check.shape(
            free < 0,
            "reshape: at most one size may be -1: %s; state the others",
            java.util.Arrays.toString(dims));
        free = i;
      } else {
        known *= d[i];
      }
    }
    if (free >= 0) {
      d[free] = known == 0 ? 0 : (int) (self().shape().size() / known);
    }
    Shape to = Shape.of(d);
    return to.equals(self().shape())
        ? self()
        : Tensor.apply("reshape", Attrs.of("shape", to), self());
  }

  /** A new axis of size 1 at {@code axis} of the result; -1 makes it the last. */
  default Tensor expandDims(int axis) {
    Shape s = self().shape();
    int a = axis < 0 ? axis + s.rank() + 1 : axis;
    Check.shape(
        a >= 0 && a <= s.rank(),
        "expand_dims: axis must lie in [-%d, %d]: axis %d of %s; name a place between axes",
        s.rank() + 1,
        s.rank(),
        axis,
        self().type());
    return reshape(s.slice(0, a).concat(Shape.of(1)).concat(s.slice(a, s.rank())).dims());
  }

  /** Axis {@code i} of the result is axis {@code perm[i]} of this. */
  default Tensor transpose(int... perm) {
    int[] p = IntStream.of(perm).map(self().shape()::axis).toArray();
    return Tensor.apply("transpose", Attrs.of("perm", p), self());
  }

  /** The last two axes exchanged. */
  default Tensor transpose() {
    int r = self().shape().rank();
    Check.shape(r >= 2, "transpose: needs two axes: %s; reshape it first", self().type());
    int[] p = IntStream.range(0, r).toArray();
    p[r - 2] = r - 1;
    p[r - 1] = r - 2;
    return transpose(p);
  }

  /** Broadcasts by NumPy's rule: axes aligned at the end. */
  default Tensor broadcastTo(Shape to) {
    Shape from = self().shape();
    if (from.equals(to)) {
      return self();
    }
    Check.shape(
        Shape.broadcast("broadcast_to", from, to).equals(to),
        "broadcast_to: the target must be the larger: %s to %s; exchange them or reshape",
        from,
        to);
    // The primitive neither stretches nor drops axes: a size-1 axis is removed, then put back wide.
    int off = to.rank() - from.rank();
    int[] kept =
        IntStream.range(0, from.rank()).filter(i -> from.dim(i) == to.dim(off + i)).toArray();
    Tensor t = self().reshape(IntStream.of(kept).map(from::dim).toArray());
    return t.broadcastInDim(to, IntStream.of(kept).map(i -> off + i).toArray());
  }

  /** Axis {@code i} of this becomes axis {@code dims[i]} of the result; other axes repeat it. */
  default Tensor broadcastInDim(Shape to, int... dims) {
    return self().shape().equals(to)
        ? self()
        : Tensor.apply("broadcast_in_dim", Attrs.of("shape", to).with("dims", dims), self());
  }

  /** Elements {@code start} (inclusive) to {@code limit} (exclusive) of one axis. */
  default Tensor slice(int axis, int start, int limit) {
    return slice(axis, start, limit, 1);
  }

  /** Every {@code stride}-th element from {@code start} to {@code limit} of one axis. */
  default Tensor slice(int axis, int start, int limit, int stride) {
    return Tensor.apply(
        "slice",
        Attrs.of("axis", self().shape().axis(axis))
            .with("start", start)
            .with("limit", limit)
            .with("stride", stride),
        self());
  }

  /** Puts {@code low} and {@code high} copies of a value around one axis. */
  default Tensor pad(int axis, int low, int high, double value) {
    return pad(axis, low, high, 0, value);
  }

  /** As {@link #pad(int, int, int, double)}, with {@code interior} copies between elements too. */
  default Tensor pad(int axis, int low, int high, int interior, double value) {
    return Tensor.apply(
        "pad",
        Attrs.of("axis", self().shape().axis(axis))
            .with("low", low)
            .with("high", high)
            .with("interior", interior)
            .with("value", value),
        self());
  }

  /** The order of one axis reversed. */
  default Tensor reverse(int axis) {
    return Tensor.apply("reverse", Attrs.of("axis", self().shape().axis(axis)), self());
  }

  /**
   * Pieces of these sizes along one axis, in order.
   *
   * @throws ShapeException if the sizes do not add up to the axis'
   * @source JAX {@code lax.split}
   */
  default List<Tensor> split(int axis, int... sizes) {
    return Tensor.applyAll(
        io.fragua.op.OpTable.get("split"),
        Attrs.of("axis", self().shape().axis(axis)).with("sizes", sizes),
        List.of(self()));
  }

  /** Tensors joined along an axis. */
  static Tensor concat(int axis, List<Tensor> parts) {
    Check.shape(!parts.isEmpty(), "concat: needs at least one tensor: none given; pass one");
    return parts.size() == 1
        ? parts.get(0)
        : Tensor.apply(
            io.fragua.op.OpTable.get("concat"),
            Attrs.of("axis", parts.get(0).shape().axis(axis)),
            parts);
  }

  /** 0, 1, 2, ... along one axis of a shape; concrete. */
  static Tensor iota(DType dtype, Shape shape, int axis) {
    return Tensor.apply("iota", iotaAttrs(dtype, shape, axis));
  }

  /** As {@link #iota}, but traced if this tensor is. */
  default Tensor iotaLike(DType dtype, Shape shape, int axis) {
    return self().isTraced()
        ? Tensor.record(io.fragua.op.OpTable.get("iota"), iotaAttrs(dtype, shape, axis), List.of())
        : iota(dtype, shape, axis);
  }

  private static Attrs iotaAttrs(DType dtype, Shape shape, int axis) {
    return Attrs.of("dtype", dtype).with("shape", shape).with("axis", shape.axis(axis));
  }
}
