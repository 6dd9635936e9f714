package io.fragua.op;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.TensorType;
import java.util.Arrays;
import java.util.List;

/** Rows that read or write by index. Indices are i32 and checked when computed. */
final class IndexOps {
  static final List<Op> ROWS =
      List.of(
          new Op(
              "gather",
              Family.INDEX,
              2,
              Rules.COMPUTED,
              (op, in, a) -> {
                Rules.dtype(op, in.get(0));
                ids(op, in.get(1));
                Shape s = in.get(0).shape();
                Check.shape(
                    s.rank() >= 1,
                    "gather: the table needs an axis to index: %s; reshape it",
                    in.get(0));
                return in.get(0).with(in.get(1).shape().concat(s.slice(1, s.rank())));
              },
              (g, in, y, a) ->
                  Arrays.asList(g.scatterAdd(in.get(0).shape().dim(0), in.get(1)), null),
              null,
              Batching::gather,
              null,
              "Gather-13",
              "NumPy take(axis=0)"),
          new Op(
              "scatter_add",
              Family.INDEX,
              2,
              Rules.NUMERIC,
              (op, in, a) -> {
                Rules.dtype(op, in.get(0));
                ids(op, in.get(1));
                Shape u = in.get(0).shape();
                Shape i = in.get(1).shape();
                Check.shape(
                    u.rank() >= i.rank() && u.slice(0, i.rank()).equals(i),
                    "scatter_add: the updates' leading axes must be those of the indices: %s with"
                        + " indices %s; reshape one of them",
                    in.get(0),
                    in.get(1));
                int rows = a.integer("rows");
                Check.shape(
                    rows >= 0, "scatter_add: rows must not be negative: %d; correct it", rows);
                return in.get(0).with(Shape.of(rows).concat(u.slice(i.rank(), u.rank())));
              },
              (g, in, y, a) -> Arrays.asList(g.gather(in.get(1)), null),
              null,
              Batching::scatterAdd,
              null,
              "ScatterElements-18",
              "JAX segment_sum"));

  private IndexOps() {}

  private static void ids(Op op, TensorType t) {
    Check.shape(t.dtype() == DType.I32, "%s: indices must be i32: %s; cast them", op, t);
  }
}
