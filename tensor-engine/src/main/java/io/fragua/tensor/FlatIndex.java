package io.fragua.tensor;

/**
 * Places on several axes as one index into rows. An index outside its axis becomes -1, so that it
 * is an error when computed, not another row.
 */
final class FlatIndex {
  private FlatIndex() {}

  /** The table for indices along an axis, broadcast, where each lies in it, and their shape. */
  record Lines(Tensor table, Tensor at, Shape shape) {}

  static Lines lines(String who, Tensor x, Tensor ids, int axis) {
    int a = x.shape().axis(axis);
    Check.shape(
        ids.shape().rank() == x.shape().rank(),
        "%s: indices must have the tensor's rank: %s for %s; reshape them",
        who,
        ids.type(),
        x.type());
    int n = x.shape().dim(a);
    int m = ids.shape().dim(a);
    Shape others = Shape.broadcast(who, x.shape().with(a, 1), ids.shape().with(a, 1));
    Tensor table = x.broadcastTo(others.with(a, n));
    int lead = Check.size(who, others.slice(0, a).size());
    int trail = Check.size(who, others.slice(a + 1, others.rank()).size());
    check(who, table.shape());
    Shape s = Shape.of(lead, m, trail);
    Tensor i = inside(ids.lift(x).broadcastTo(others.with(a, m)), n).reshape(s.dims());
    Tensor line = i.iotaLike(DType.I32, s, 0).mul(n * trail).add(i.iotaLike(DType.I32, s, 2));
    Tensor at = i.less(0).select(i, i.mul(trail).add(line));
    return new Lines(table, at, others.with(a, m));
  }

  /** The index itself where it lies in [0, n), else -1. */
  static Tensor inside(Tensor ids, int n) {
    Check.shape(ids.dtype() == DType.I32, "index: indices must be i32: %s; cast them", ids.type());
    Tensor outside = ids.less(0).or(ids.greaterEqual(Tensor.scalar(DType.I32, n)));
    return outside.select(Tensor.scalar(DType.I32, -1), ids);
  }

  /** The sum; stays -1 where the index is. */
  static Tensor add(Tensor index, Tensor start) {
    return index.less(0).select(index, index.add(start));
  }

  /** How many axes the indices' last axis names. */
  static int places(String who, Tensor x, Tensor ids) {
    int r = ids.shape().rank();
    Check.shape(
        r >= 1 && ids.shape().dim(-1) <= x.shape().rank(),
        "%s: the indices' last axis must name at most the tensor's axes: %s for %s; reshape them",
        who,
        ids.type(),
        x.type());
    return ids.shape().dim(-1);
  }

  /** The first k axes as one. */
  static Tensor rows(Tensor x, int k) {
    Shape s = x.shape();
    check("index", s.slice(0, k));
    int rows = Math.toIntExact(s.slice(0, k).size());
    return x.reshape(Shape.of(rows).concat(s.slice(k, s.rank())).dims());
  }

  /** Indices [..., k] into the first k axes as indices into them as one. */
  static Tensor ravel(Tensor ids, Tensor x, int k) {
    int r = ids.shape().rank();
    int[] dims = ids.shape().slice(0, r - 1).dims();
    Tensor at = Tensor.scalar(DType.I32, 0).lift(ids).broadcastTo(Shape.of(dims));
    for (int i = 0; i < k; i++) {
      int n = x.shape().dim(i);
      Tensor next = inside(ids.slice(-1, i, i + 1).reshape(dims), n);
      Tensor sum = add(next, at.mul(n));
      at = at.less(0).select(at, sum);
    }
    return at;
  }

  private static void check(String who, Shape s) {
    Check.shape(
        s.size() <= Integer.MAX_VALUE,
        "%s: the indexed axes must have less than 2^31 places: %s; index parts",
        who,
        s);
  }
}
