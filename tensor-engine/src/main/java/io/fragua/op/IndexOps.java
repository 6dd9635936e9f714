package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.Arrays;
import java.util.List;

/**
 * Rows that read or write by index. Indices are i32. Those of rows are checked when computed; a
 * start of a piece is moved so that the piece lies inside.
 */
final class IndexOps {
  static final List<Op> ROWS =
      List.of(
          row(
              "gather",
              2,
              IndexOps::gatherType,
              (g, in, y, a) ->
                  Arrays.asList(
                      ScatterVjp.scatter(Scatter.ADD, zeros(in.get(0), g), in.get(1), g, a), null),
              IndexBatching::gather,
              "Gather-13",
              "NumPy take(axis=0)"),
          row(
              "scatter",
              3,
              IndexOps::scatterType,
              ScatterVjp::apply,
              IndexBatching::scatter,
              "ScatterND-18",
              "JAX x.at[ids].set, add, mul, min, max"),
          row(
              "dynamic_slice",
              2,
              (op, in, a) -> {
                start(op, in.get(1));
                return in.get(0).with(piece(op, in.get(0), a.integer("axis"), a.integer("size")));
              },
              (g, in, y, a) ->
                  Arrays.asList(
                      zeros(in.get(0), g).dynamicUpdateSlice(a.integer("axis"), in.get(1), g),
                      null),
              IndexBatching::dynamicSlice,
              "Slice-13",
              "JAX lax.dynamic_slice_in_dim, a negative start is moved to 0"),
          row(
              "dynamic_update_slice",
              3,
              IndexOps::updateType,
              (g, in, y, a) -> {
                int axis = a.integer("axis");
                Tensor u = in.get(1);
                return Arrays.asList(
                    g.dynamicUpdateSlice(axis, in.get(2), zeros(u, g)),
                    g.dynamicSlice(axis, in.get(2), u.shape().dim(axis)),
                    null);
              },
              IndexBatching::dynamicUpdateSlice,
              "none: ScatterND with computed indices",
              "JAX lax.dynamic_update_slice_in_dim"));

  private IndexOps() {}

  private static Op row(
      String name,
      int arity,
      Op.TypeRule type,
      Op.Vjp vjp,
      Op.Batch batch,
      String onnx,
      String source) {
    return new Op(name, Family.INDEX, arity, Rules.ANY, type, vjp, null, batch, null, onnx, source);
  }

  private static TensorType gatherType(Op op, List<TensorType> in, Attrs a) {
    ids(op, in.get(1));
    Shape s = in.get(0).shape();
    Check.shape(
        s.rank() >= 1, "gather: the table needs an axis to index: %s; reshape it", in.get(0));
    return in.get(0).with(in.get(1).shape().concat(s.slice(1, s.rank())));
  }

  private static TensorType scatterType(Op op, List<TensorType> in, Attrs a) {
    TensorType x = in.get(0);
    TensorType u = in.get(2);
    ids(op, in.get(1));
    Scatter mode = Scatter.parse(a.text("mode"));
    Check.shape(
        x.dtype() == u.dtype() && (x.dtype() != DType.BOOL || mode == Scatter.SET),
        "scatter: table and updates must have one dtype, bool only to set: %s and %s to %s; cast"
            + " them",
        x,
        u,
        mode);
    Shape i = in.get(1).shape();
    Check.shape(
        x.shape().rank() >= 1 && u.shape().equals(i.concat(x.shape().slice(1, x.shape().rank()))),
        "scatter: the updates must have the axes of the indices, then those of a row: %s with"
            + " indices %s into %s; reshape one of them",
        u,
        in.get(1),
        x);
    return x;
  }

  private static TensorType updateType(Op op, List<TensorType> in, Attrs a) {
    start(op, in.get(2));
    TensorType x = in.get(0);
    TensorType u = in.get(1);
    int axis = a.integer("axis");
    Rules.inside(op, axis, x);
    Check.shape(
        u.dtype() == x.dtype()
            && u.shape().rank() == x.shape().rank()
            && u.shape().without(axis).equals(x.shape().without(axis)),
        "dynamic_update_slice: the update must agree in dtype and in all axes but %d: %s with %s;"
            + " cast, reshape or broadcast it",
        axis,
        x,
        u);
    piece(op, x, axis, u.shape().dim(axis));
    return x;
  }

  private static Shape piece(Op op, TensorType t, int axis, int size) {
    Rules.inside(op, axis, t);
    Check.shape(
        size >= 0 && size <= t.shape().dim(axis),
        "%s: the piece must fit the axis: %d elements of axis %d of %s; correct the size",
        op,
        size,
        axis,
        t);
    return t.shape().with(axis, size);
  }

  private static void ids(Op op, TensorType t) {
    Check.shape(t.dtype() == DType.I32, "%s: indices must be i32: %s; cast them", op, t);
  }

  private static void start(Op op, TensorType t) {
    Check.shape(
        t.equals(TensorType.of(DType.I32)),
        "%s: the start must be an i32 scalar: %s; cast or reshape it",
        op,
        t);
  }

  /** Zeros of a tensor's type, traced if {@code g} is. */
  static Tensor zeros(Tensor like, Tensor g) {
    return Tensor.scalar(like.dtype(), 0).lift(g).broadcastTo(like.shape());
  }
}
