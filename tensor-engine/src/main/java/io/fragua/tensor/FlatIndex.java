package io.fragua.tensor;

/**
 * Places on several axes as one index into rows. An index outside its axis becomes a negative one,
 * so that it is an error when computed, not another row; see {@link IndexError}.
 */
final class FlatIndex {
  private FlatIndex() {}

  /**
   * The table for indices along an axis, broadcast, where each lies in it, their shape, and the
   * settings of the row that looks them up.
   */
  record Lines(Tensor table, Tensor at, Shape shape, Attrs error) {}

  static Lines lines(String who, Tensor x, Tensor ids, int axis) {
    int a = x.shape().axis(axis);
    Check.shape(
        ids.shape().rank() == x.shape().rank(),
        "%s: indices must have the tensor's rank: %s for %s; reshape them",
        who,
        ids.type(),
        x.type());
    i32(who, ids);
    int n = x.shape().dim(a);
    int m = ids.shape().dim(a);
    Shape others = Shape.broadcast(who, x.shape().with(a, 1), ids.shape().with(a, 1));
    Tensor table = x.broadcastTo(others.with(a, n));
    int lead = Check.size(who, others.slice(0, a).size());
    int trail = Check.size(who, others.slice(a + 1, others.rank()).size());
    check(who, table.shape());
    Shape s = Shape.of(lead, m, trail);
    Shape all = others.with(a, m);
    Tensor i = IndexError.marked(ids.lift(x).broadcastTo(all), n).reshape(s.dims());
    Tensor line = i.iotaLike(DType.I32, s, 0).mul(n * trail).add(i.iotaLike(DType.I32, s, 2));
    Tensor at = i.less(0).select(i, i.mul(trail).add(line));
    return new Lines(table, at, all, error(who, x, a, ids.shape(), all));
  }

  /**
   * The settings of a row that looks up indices into one axis, as {@link IndexError} wants them.
   */
  static Attrs error(String who, Tensor x, int axis, Shape ids, Shape spread) {
    int[] sizes = {x.shape().dim(axis)};
    return IndexError.of(text(who, String.valueOf(axis), x), sizes, ids, spread);
  }

  private static String text(String who, String axis, Tensor x) {
    return who
        + ": indices must lie in [0, {size}): index {index} at position {position} of {shape} for"
        + (" axis " + axis + " of " + x.type() + "; correct or clip the indices");
  }

  static void i32(String who, Tensor ids) {
    Check.shape(
        ids.dtype() == DType.I32, "%s: indices must be i32: %s; cast them", who, ids.type());
  }

  /** The sum; stays as it is where the index is negative. */
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
    i32(who, ids);
    return ids.shape().dim(-1);
  }

  /** As {@link #error}, of the first axes. */
  static Attrs errors(String who, Tensor x, Tensor ids) {
    int k = ids.shape().dim(-1);
    if (k == 0) {
      return Attrs.NONE; // all look up the whole
    }
    int[] sizes = x.shape().slice(0, k).dims();
    Shape places = ids.shape().slice(0, ids.shape().rank() - 1);
    return IndexError.of(text(who, "{axis}", x), sizes, ids.shape(), places);
  }

  /** The first k axes as one. */
  static Tensor rows(String who, Tensor x, int k) {
    Shape s = x.shape();
    check(who, s.slice(0, k));
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
      Tensor next = IndexError.marked(ids.slice(-1, i, i + 1).reshape(dims), n, i, k);
      Tensor sum = add(next, at.mul(n));
      at = at.less(0).select(at, sum);
    }
    return at;
  }

  /** Rows by index, with what is said of wrong ones. */
  static Tensor gather(Attrs error, Tensor x, Tensor ids) {
    return Tensor.apply("gather", error, x, ids);
  }

  /** As {@link Indexing#scatter}, with what is said of wrong indices. */
  static Tensor scatter(Attrs error, Scatter mode, Tensor x, Tensor ids, Tensor updates) {
    Tensor traced = x.isTraced() ? x : ids.isTraced() ? ids : updates;
    return Tensor.apply(
        "scatter",
        error.with("mode", mode.toString()),
        x.lift(traced),
        ids.lift(traced),
        updates.lift(traced));
  }

  private static void check(String who, Shape s) {
    Check.shape(
        s.size() <= Integer.MAX_VALUE,
        "%s: the indexed axes must have less than 2^31 places: %s; index parts",
        who,
        s);
  }
}
