package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Check;
import io.fragua.tensor.Movement;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Rows that move elements without computing. */
final class MovementOps {
  static final List<Op> ROWS =
      List.of(
          movement(
              "reshape",
              1,
              (op, in, a) -> {
                Shape to = a.shape("shape");
                Check.shape(
                    to.size() == in.get(0).shape().size(),
                    "reshape: the number of elements must stay: %s (%d) to %s (%d); correct a size"
                        + " or pass -1 for one of them",
                    in.get(0),
                    in.get(0).shape().size(),
                    to,
                    to.size());
                return in.get(0).with(to);
              },
              (g, in, y, a) -> List.of(g.reshape(in.get(0).shape().dims())),
              Batching.SHAPE,
              "Reshape-21",
              "NumPy reshape"),
          movement(
              "transpose",
              1,
              (op, in, a) -> {
                int[] perm = a.ints("perm");
                int[] sorted = perm.clone();
                Arrays.sort(sorted);
                Check.shape(
                    Arrays.equals(sorted, IntStream.range(0, in.get(0).shape().rank()).toArray()),
                    "transpose: perm must name each axis once: %s of %s; correct perm",
                    Arrays.toString(perm),
                    in.get(0));
                return in.get(0)
                    .with(Shape.of(Arrays.stream(perm).map(in.get(0).shape()::dim).toArray()));
              },
              (g, in, y, a) -> {
                int[] perm = a.ints("perm");
                int[] inverse = new int[perm.length];
                for (int i = 0; i < perm.length; i++) {
                  inverse[perm[i]] = i;
                }
                return List.of(g.transpose(inverse));
              },
              Batching.PERM,
              "Transpose-21",
              "NumPy transpose"),
          movement(
              "broadcast_in_dim",
              1,
              MovementOps::broadcastType,
              (g, in, y, a) -> {
                int[] dims = a.ints("dims");
                int[] repeated =
                    IntStream.range(0, y.shape().rank())
                        .filter(i -> Arrays.stream(dims).noneMatch(d -> d == i))
                        .toArray();
                return List.of(repeated.length == 0 ? g : g.sum(repeated));
              },
              Batching.SHAPE_AND_DIMS,
              "Expand-13",
              "StableHLO broadcast_in_dim, without stretching of size-1 axes"),
          movement(
              "slice",
              1,
              (op, in, a) -> {
                int axis = a.integer("axis");
                Rules.inside(op, axis, in.get(0));
                int n = in.get(0).shape().dim(axis);
                int start = a.integer("start");
                int limit = a.integer("limit");
                int stride = a.integer("stride");
                Check.shape(
                    0 <= start && start <= limit && limit <= n && stride >= 1,
                    "slice: must hold 0 <= start <= limit <= size and stride >= 1: start %d, limit"
                        + " %d, stride %d on axis %d of %s; correct the bounds",
                    start,
                    limit,
                    stride,
                    axis,
                    in.get(0));
                return in.get(0)
                    .with(
                        in.get(0)
                            .shape()
                            .with(axis, (int) (((long) limit - start + stride - 1) / stride)));
              },
              (g, in, y, a) -> {
                int axis = a.integer("axis");
                int n = in.get(0).shape().dim(axis);
                int stride = a.integer("stride");
                int m = y.shape().dim(axis);
                int used = m == 0 ? 0 : (m - 1) * stride + 1;
                int low = m == 0 ? 0 : a.integer("start");
                return List.of(g.pad(axis, low, n - low - used, stride - 1, 0));
              },
              Batching.AXIS,
              "Slice-13",
              "NumPy slicing of one axis"),
          movement(
              "pad",
              1,
              (op, in, a) -> {
                int axis = a.integer("axis");
                Rules.inside(op, axis, in.get(0));
                int n = in.get(0).shape().dim(axis);
                int low = a.integer("low");
                int high = a.integer("high");
                int interior = a.integer("interior");
                double value = a.real("value");
                Check.that(
                    in.get(0).dtype().holds(value),
                    "pad: the value must be whole and in the range of an integer dtype: %s for %s;"
                        + " cast the tensor to a type that holds it first",
                    value,
                    in.get(0));
                Check.shape(
                    low >= 0 && high >= 0 && interior >= 0,
                    "pad: low, high and interior must not be negative: %d, %d, %d on axis %d of"
                        + " %s; slice to remove elements",
                    low,
                    high,
                    interior,
                    axis,
                    in.get(0));
                int inner = n == 0 ? 0 : Math.multiplyExact(n - 1, interior);
                return in.get(0)
                    .with(
                        in.get(0)
                            .shape()
                            .with(
                                axis,
                                Math.addExact(Math.addExact(low, high), Math.addExact(n, inner))));
              },
              (g, in, y, a) -> {
                int axis = a.integer("axis");
                int n = in.get(0).shape().dim(axis);
                int step = a.integer("interior") + 1;
                int low = a.integer("low");
                int limit = n == 0 ? low : low + (n - 1) * step + 1;
                return List.of(g.slice(axis, low, limit, step));
              },
              Batching.AXIS,
              "Pad-21",
              "StableHLO pad of one axis, without negative padding"),
          movement(
              "reverse",
              1,
              (op, in, a) -> {
                Rules.inside(op, a.integer("axis"), in.get(0));
                return in.get(0);
              },
              (g, in, y, a) -> List.of(g.reverse(a.integer("axis"))),
              Batching.AXIS,
              "none: Slice with step -1",
              "NumPy flip"),
          movement(
              "concat",
              -1,
              MovementOps::concatType,
              MovementOps::split,
              Batching.AXIS,
              "Concat-13",
              "NumPy concatenate"),
          movement(
              "split",
              1,
              (Op.TypeRule.Many) MovementOps::splitTypes,
              (Op.Vjp.Many)
                  (g, in, out, a) ->
                      List.of(Movement.concat(a.integer("axis"), Rules.zerosForNull(g, out))),
              Batching.AXIS_OF_SEVERAL,
              "Split-18",
              "JAX lax.split"),
          new Op(
              "iota",
              Family.MOVEMENT,
              0,
              Rules.NUMERIC,
              (op, in, a) -> {
                TensorType t = new TensorType(a.dtype("dtype"), a.shape("shape"));
                Rules.dtype(op, t);
                Rules.inside(op, a.integer("axis"), t);
                return t;
              },
              null,
              "it has no operand",
              null,
              null,
              "Range-11",
              "StableHLO iota"));

  private MovementOps() {}

  private static TensorType broadcastType(Op op, List<TensorType> in, Attrs a) {
    Shape from = in.get(0).shape();
    Shape to = a.shape("shape");
    int[] dims = a.ints("dims");
    boolean ok = dims.length == from.rank();
    for (int i = 0; ok && i < dims.length; i++) {
      ok =
          dims[i] >= 0
              && dims[i] < to.rank()
              && (i == 0 || dims[i] > dims[i - 1])
              && from.dim(i) == to.dim(dims[i]);
    }
    Check.shape(
        ok,
        "broadcast_in_dim: dims must map each axis to one of equal size, ascending: %s to %s with"
            + " dims %s; correct dims or reshape first",
        from,
        to,
        Arrays.toString(dims));
    return in.get(0).with(to);
  }

  private static TensorType concatType(Op op, List<TensorType> in, Attrs a) {
    int axis = a.integer("axis");
    Rules.inside(op, axis, in.get(0));
    int n = 0;
    for (TensorType t : in) {
      Check.shape(
          t.dtype() == in.get(0).dtype()
              && t.shape().rank() == in.get(0).shape().rank()
              && t.shape().without(axis).equals(in.get(0).shape().without(axis)),
          "concat: operands must agree in dtype and in all axes but %d: %s with %s; cast, reshape"
              + " or slice one of them",
          axis,
          in.get(0),
          t);
      n = Math.addExact(n, t.shape().dim(axis));
    }
    return in.get(0).with(in.get(0).shape().with(axis, n));
  }

  private static List<TensorType> splitTypes(Op op, List<TensorType> in, Attrs a) {
    int axis = a.integer("axis");
    Rules.inside(op, axis, in.get(0));
    int[] sizes = a.ints("sizes");
    Check.shape(
        sizes.length > 0
            && Arrays.stream(sizes).allMatch(n -> n >= 0)
            && Arrays.stream(sizes).asLongStream().sum() == in.get(0).shape().dim(axis),
        "split: sizes must add up to that of the axis: %s of axis %d of %s; correct a size",
        Arrays.toString(sizes),
        axis,
        in.get(0));
    return Arrays.stream(sizes)
        .mapToObj(n -> in.get(0).with(in.get(0).shape().with(axis, n)))
        .toList();
  }

  private static List<Tensor> split(Tensor g, List<Tensor> in, Tensor y, Attrs a) {
    int axis = a.integer("axis");
    List<Tensor> parts = new ArrayList<>();
    int at = 0;
    for (Tensor x : in) {
      int n = x.shape().dim(axis);
      parts.add(g.slice(axis, at, at + n));
      at += n;
    }
    return parts;
  }

  private static Op movement(
      String name,
      int arity,
      Op.TypeRule type,
      Op.Vjp vjp,
      Op.Batch batch,
      String onnx,
      String source) {
    return new Op(
        name, Family.MOVEMENT, arity, Rules.ANY, type, vjp, null, batch, null, onnx, source);
  }
}
