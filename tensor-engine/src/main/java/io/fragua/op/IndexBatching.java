package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.IndexError;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.List;

/**
 * Batching rules of rows that read or write by index. Examples with indices of their own have their
 * tables put below one another, and each index gets the start of its table.
 *
 * @source JAX {@code jax.lax} batching rules of gather, scatter and dynamic_slice
 */
final class IndexBatching {
  private IndexBatching() {}

  /** Rows by index: of one table, of one set of indices, or from a table of all tables. */
  static Tensor gather(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    Tensor table = in.get(0);
    Tensor ids = in.get(1);
    if (!mapped.get(0)) {
      return Tensor.apply("gather", a, table, ids);
    }
    if (!mapped.get(1)) {
      Tensor beside = Tensor.apply("gather", a, Batching.move(table, 0, 1), ids);
      return Batching.move(beside, ids.shape().rank(), 0);
    }
    int n = table.shape().dim(0);
    int rows = table.shape().dim(1);
    Shape row = table.shape().slice(2, table.shape().rank());
    Tensor all = table.reshape(Shape.of(Batching.product(op, n, rows)).concat(row).dims());
    return Tensor.apply("gather", error(op, a, ids, rows), all, apart(a, ids, rows));
  }

  /** Writes rows: all examples side by side, or below one another when they have own indices. */
  static Tensor scatter(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    Scatter mode = Scatter.parse(a.text("mode"));
    int n = Batching.size(in, mapped);
    Tensor table = mapped.get(0) ? in.get(0) : Batching.spread(in.get(0), n);
    Tensor ids = in.get(1);
    Tensor updates = mapped.get(2) ? in.get(2) : Batching.spread(in.get(2), n);
    if (!mapped.get(1)) {
      Tensor beside = Batching.move(updates, 0, ids.shape().rank());
      Tensor all = Tensor.apply(op.name(), a, Batching.move(table, 0, 1), ids, beside);
      return Batching.move(all, 1, 0);
    }
    int rows = table.shape().dim(1);
    Attrs error = error(op, a, ids, rows).with("mode", mode.toString());
    return Tensor.apply(op.name(), error, below(op, table), apart(a, ids, rows), updates)
        .reshape(table.shape().dims());
  }

  /** What is said of an index that is wrong for its own example's table. */
  private static Attrs error(Op op, Attrs a, Tensor ids, int rows) {
    Shape one = ids.shape().slice(1, ids.shape().rank());
    return IndexError.isMarked(a) ? IndexError.of(a) : IndexError.marked(op.name(), a, rows, one);
  }

  private static Tensor apart(Attrs a, Tensor ids, int rows) {
    return Batching.apart(IndexError.isMarked(a) ? ids : IndexError.marked(ids, rows), rows);
  }

  /** A piece of each example: one start for all, or the rows of each piece. */
  static Tensor dynamicSlice(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    int axis = a.integer("axis");
    int size = a.integer("size");
    Tensor x = in.get(0);
    Tensor start = in.get(1);
    if (!mapped.get(1)) {
      return x.dynamicSlice(axis + 1, start, size);
    }
    if (!mapped.get(0)) {
      Tensor front = Batching.move(x, axis, 0);
      return Batching.move(front.gather(piece(start, front.shape().dim(0), size)), 1, axis + 1);
    }
    Tensor front = Batching.move(x, axis + 1, 1);
    Tensor ids = piece(start, front.shape().dim(1), size);
    Tensor rows = below(op, front).gather(Batching.apart(ids, front.shape().dim(1)));
    return Batching.move(rows, 1, axis + 1);
  }

  /** As {@link #dynamicSlice}, written. */
  static Tensor dynamicUpdateSlice(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    int axis = a.integer("axis");
    int n = Batching.size(in, mapped);
    Tensor x = mapped.get(0) ? in.get(0) : Batching.spread(in.get(0), n);
    Tensor update = mapped.get(1) ? in.get(1) : Batching.spread(in.get(1), n);
    if (!mapped.get(2)) {
      return x.dynamicUpdateSlice(axis + 1, in.get(2), update);
    }
    Tensor front = Batching.move(x, axis + 1, 1);
    int rows = front.shape().dim(1);
    Tensor ids = Batching.apart(piece(in.get(2), rows, update.shape().dim(axis + 1)), rows);
    Tensor written = below(op, front).scatter(Scatter.SET, ids, Batching.move(update, axis + 1, 1));
    return Batching.move(written.reshape(front.shape().dims()), 1, axis + 1);
  }

  /** Rows [n, size] of pieces that start at [n], moved so that they lie inside. */
  private static Tensor piece(Tensor start, int rows, int size) {
    int n = start.shape().dim(0);
    Tensor first = start.maximum(0).minimum(rows - size).reshape(n, 1);
    return first.add(first.iotaLike(DType.I32, Shape.of(n, size), 1));
  }

  /** Tables [n, rows, ...] as one of n * rows. */
  private static Tensor below(Op op, Tensor tables) {
    Shape s = tables.shape();
    int all = Batching.product(op, s.dim(0), s.dim(1));
    return tables.reshape(Shape.of(all).concat(s.slice(2, s.rank())).dims());
  }
}
