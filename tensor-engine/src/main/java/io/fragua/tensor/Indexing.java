package io.fragua.tensor;

import java.util.List;
import java.util.stream.IntStream;

/** Reads and writes by index. */
public interface Indexing {
  /** This tensor. */
  Tensor self();

  /**
   * Rows by index: result [ids..., D...] from this [N, D...].
   *
   * @param ids i32, each in [0, N)
   * @throws IndexOutOfBoundsException when computed, if an index lies outside
   * @source NumPy take(axis=0); ONNX Gather-13
   */
  default Tensor gather(Tensor ids) {
    return Tensor.apply("gather", Attrs.NONE, self(), ids);
  }

  /**
   * Slices by index along an axis: {@code axis} of this becomes the axes of the indices.
   *
   * @param ids i32, each in [0, n)
   * @throws IndexOutOfBoundsException when computed, if an index lies outside
   * @source NumPy take
   */
  default Tensor take(Tensor ids, int axis) {
    FlatIndex.i32("take", ids);
    Shape s = self().shape();
    int a = s.axis(axis);
    int lead = Check.size("take", s.slice(0, a).size());
    Shape row = s.slice(a + 1, s.rank());
    int n = s.dim(a);
    Tensor table = self().reshape(Shape.of(Check.size("take", (long) lead * n)).concat(row).dims());
    Shape all = Shape.of(lead).concat(ids.shape());
    int[] kept = IntStream.range(1, all.rank()).toArray();
    Tensor at = IndexError.marked(ids.lift(self()), n).broadcastInDim(all, kept);
    Tensor flat = FlatIndex.add(at, at.iotaLike(DType.I32, all, 0).mul(n));
    Attrs error = FlatIndex.error("take", self(), a, ids.shape(), all);
    return FlatIndex.gather(error, table, flat)
        .reshape(s.slice(0, a).concat(ids.shape()).concat(row).dims());
  }

  /**
   * For each index the element at that place of its own line along an axis, as {@link
   * Sorting#argsort} gives them. The other axes of both broadcast.
   *
   * @param ids i32, of this rank, each in [0, n)
   * @throws IndexOutOfBoundsException when computed, if an index lies outside
   * @source NumPy take_along_axis
   */
  default Tensor takeAlongAxis(Tensor ids, int axis) {
    FlatIndex.Lines l = FlatIndex.lines("take_along_axis", self(), ids, axis);
    return FlatIndex.gather(l.error(), l.table().reshape(-1), l.at()).reshape(l.shape().dims());
  }

  /**
   * This tensor with elements written at places of their own lines along an axis.
   *
   * @param ids i32, of this shape but for that axis, each in [0, n)
   * @param values of the indices' shape
   * @throws IndexOutOfBoundsException when computed, if an index lies outside
   * @source NumPy put_along_axis, with JAX's ways to write
   */
  default Tensor putAlongAxis(Scatter mode, int axis, Tensor ids, Tensor values) {
    int a = self().shape().axis(axis);
    Check.shape(
        ids.shape().equals(values.shape())
            && ids.shape().rank() == self().shape().rank()
            && ids.shape().without(a).equals(self().shape().without(a)),
        "put_along_axis: indices and values must have one shape, and this tensor's in all axes but"
            + " %d: %s and %s for %s; broadcast or reshape them",
        a,
        ids.type(),
        values.type(),
        self().type());
    FlatIndex.Lines l = FlatIndex.lines("put_along_axis", self(), ids, a);
    Tensor flat = self().reshape(-1);
    return FlatIndex.scatter(l.error(), mode, flat, l.at().reshape(-1), values.reshape(-1))
        .reshape(self().shape().dims());
  }

  /**
   * Slices by index along the first axes: the last axis of the indices names one place on each.
   *
   * @param ids i32 [..., K], K at most this rank, each inside its axis
   * @return [..., the axes from K on]
   * @throws IndexOutOfBoundsException when computed, if an index lies outside
   * @source ONNX GatherND-13; JAX x[ids[..., 0], ids[..., 1], ...]
   */
  default Tensor gatherNd(Tensor ids) {
    int k = FlatIndex.places("gather_nd", self(), ids);
    Attrs error = FlatIndex.errors("gather_nd", self(), ids);
    Tensor at = FlatIndex.ravel(ids.lift(self()), self(), k);
    return FlatIndex.gather(error, FlatIndex.rows("gather_nd", self(), k), at);
  }

  /**
   * As {@link #scatter}, by places on the first axes as in {@link #gatherNd}.
   *
   * @param ids i32 [..., K], K at most this rank, each inside its axis
   * @param updates [..., the axes from K on]
   * @throws IndexOutOfBoundsException when computed, if an index lies outside
   * @source ONNX ScatterND-18
   */
  default Tensor scatterNd(Scatter mode, Tensor ids, Tensor updates) {
    int k = FlatIndex.places("scatter_nd", self(), ids);
    Attrs error = FlatIndex.errors("scatter_nd", self(), ids);
    Tensor at = FlatIndex.ravel(ids.lift(self()), self(), k);
    return FlatIndex.scatter(error, mode, FlatIndex.rows("scatter_nd", self(), k), at, updates)
        .reshape(self().shape().dims());
  }

  /**
   * Adds rows into zeros: result [rows, D...] where row {@code ids[i]} is the sum of this [ids...,
   * D...] over all such i. The same as {@link #scatter} by {@link Scatter#ADD} into zeros.
   *
   * @param ids i32, each in [0, rows)
   * @throws IndexOutOfBoundsException when computed, if an index lies outside
   * @source JAX segment_sum
   */
  default Tensor scatterAdd(int rows, Tensor ids) {
    Check.shape(rows >= 0, "scatter: rows must not be negative: %d; correct it", rows);
    int r = ids.shape().rank();
    Shape u = self().shape();
    Check.shape(
        u.rank() >= r && u.slice(0, r).equals(ids.shape()),
        "scatter: the updates' leading axes must be those of the indices: %s with indices %s;"
            + " reshape one of them",
        self().type(),
        ids.type());
    Tensor zero = Tensor.scalar(self().dtype(), 0).lift(self()).lift(ids);
    return zero.broadcastTo(Shape.of(rows).concat(u.slice(r, u.rank())))
        .scatter(Scatter.ADD, ids, self());
  }

  /**
   * This table [N, D...] with rows written by index.
   *
   * <p>Updates [ids..., D...], of this dtype; bool only with {@link Scatter#SET}. Where an index
   * comes several times, updates are applied in the order of the indices.
   *
   * @param ids i32, each in [0, N)
   * @throws IndexOutOfBoundsException when computed, if an index lies outside
   * @throws ShapeException if shapes or dtypes do not fit
   * @source JAX x.at[ids].set and its neighbours; ONNX ScatterND-18
   */
  default Tensor scatter(Scatter mode, Tensor ids, Tensor updates) {
    return FlatIndex.scatter(Attrs.NONE, mode, self(), ids, updates);
  }

  /**
   * {@code size} elements of one axis from a start that is known when computed.
   *
   * @param start i32 scalar; moved into [0, n - size], so the piece always lies inside
   * @throws ShapeException if the piece does not fit the axis or the start is no i32 scalar
   * @source JAX lax.dynamic_slice_in_dim; unlike there a negative start does not count from the
   *     back
   */
  default Tensor dynamicSlice(int axis, Tensor start, int size) {
    Attrs a = Attrs.of("axis", self().shape().axis(axis)).with("size", size);
    return Tensor.apply("dynamic_slice", a, self().lift(start), start.lift(self()));
  }

  /**
   * As {@link #dynamicSlice(int, Tensor, int)} on every axis.
   *
   * @param starts one i32 scalar an axis
   * @param sizes one an axis
   * @source JAX lax.dynamic_slice
   */
  default Tensor dynamicSlice(List<Tensor> starts, int... sizes) {
    everyAxis("dynamic_slice", starts.size());
    everyAxis("dynamic_slice", sizes.length);
    Tensor t = self();
    for (int i = 0; i < sizes.length; i++) {
      t = t.dynamicSlice(i, starts.get(i), sizes[i]);
    }
    return t;
  }

  /**
   * This tensor with a piece of one axis replaced, from a start that is known when computed.
   *
   * @param start i32 scalar; moved into [0, n - m], m the update's size of that axis
   * @param update of this dtype, and of this shape but for that axis
   * @throws ShapeException if the update does not fit or the start is no i32 scalar
   * @source JAX lax.dynamic_update_slice_in_dim
   */
  default Tensor dynamicUpdateSlice(int axis, Tensor start, Tensor update) {
    Tensor traced = self().isTraced() ? self() : update.isTraced() ? update : start;
    return Tensor.apply(
        "dynamic_update_slice",
        Attrs.of("axis", self().shape().axis(axis)),
        self().lift(traced),
        update.lift(traced),
        start.lift(traced));
  }

  /**
   * As {@link #dynamicUpdateSlice(int, Tensor, Tensor)} with a start on every axis.
   *
   * @param starts one i32 scalar an axis
   * @source JAX lax.dynamic_update_slice
   */
  default Tensor dynamicUpdateSlice(List<Tensor> starts, Tensor update) {
    everyAxis("dynamic_update_slice", starts.size());
    everyAxis("dynamic_update_slice", update.shape().rank());
    Tensor piece = update;
    for (int i = starts.size() - 1; i >= 0; i--) { // the last axis within a slab of the others
      Tensor slab = self();
      for (int k = 0; k < i; k++) {
        slab = slab.dynamicSlice(k, starts.get(k), update.shape().dim(k));
      }
      piece = slab.dynamicUpdateSlice(i, starts.get(i), piece);
    }
    return starts.isEmpty() ? update : piece;
  }

  private void everyAxis(String who, int given) {
    Check.shape(
        given == self().shape().rank(),
        "%s: every axis needs a start and a size: %d given for %s; name all axes, or one by its"
            + " number",
        who,
        given,
        self().type());
  }

  /**
   * 1 where the index is the position on the new last axis, else 0; all 0 for an index outside.
   *
   * @param depth size of the new last axis
   * @param dtype of the result
   */
  default Tensor oneHot(int depth, DType dtype) {
    Shape s = self().shape().concat(Shape.of(depth));
    DType t = self().dtype().wide(); // a narrow one may not hold the depth
    return self()
        .cast(t)
        .expandDims(self().shape().rank())
        .equal(self().iotaLike(t, s, -1))
        .cast(dtype);
  }
}
