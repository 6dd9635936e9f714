package io.fragua.tensor;

import java.util.Arrays;

/**
 * Rows folded by group: row {@code i} belongs to group {@code segments[i]}. Groups need no order;
 * {@link Indexing#scatterAdd} is their sum.
 */
public interface Segments {
  /** This tensor. */
  Tensor self();

  /** How the rows of a bag become one. */
  enum Fold {
    /** Their sum. */
    SUM,
    /** Their mean. */
    MEAN,
    /** The largest of each column. */
    MAX
  }

  /**
   * How often each of 0, 1, ... is among the elements, i32 [length].
   *
   * @throws IndexOutOfBoundsException when computed, if an element lies outside [0, length)
   * @throws ShapeException if this is not of an integer type
   * @source NumPy bincount, for shapes are known before values with a fixed length
   */
  default Tensor bincount(int length) {
    Tensor one = Tensor.scalar(DType.I32, 1).lift(self());
    return bincount(length, one.broadcastTo(self().shape()));
  }

  /**
   * As {@link #bincount(int)}, with a weight for each element, which are summed in their type.
   *
   * @param weights of this shape
   */
  default Tensor bincount(int length, Tensor weights) {
    Check.shape(
        self().dtype().isInteger() && weights.shape().equals(self().shape()),
        "bincount: needs integers, and weights of their shape: %s with %s; cast or broadcast first",
        self().type(),
        weights.type());
    return weights.reshape(-1).scatterAdd(length, ids(length));
  }

  /** As i32 indices; an i64 outside must not wrap to one inside. */
  private Tensor ids(int length) {
    Tensor x = self().reshape(-1);
    return (x.dtype() == DType.I64 ? x.maximum(-1).minimum(length) : x).cast(DType.I32);
  }

  /**
   * The mean of each group's rows; 0 for a group without rows. Types as those of {@link
   * Reductions#mean}: f16 and bf16 are computed in f32, and the means of integers are f32.
   *
   * @param rows how many groups
   * @param segments i32 [n], each in [0, rows)
   * @throws IndexOutOfBoundsException when computed, if a group lies outside
   */
  default Tensor segmentMean(int rows, Tensor segments) {
    if (isComputed(segments)) {
      typed(self()).segmentMean(rows, typed(segments));
    }
    DType t = self().dtype();
    Tensor x = self().cast(t.precise());
    Tensor counts = sizes(x.dtype(), x, rows, segments).maximum(1);
    Tensor mean = x.scatterAdd(rows, segments).div(counts);
    return t.isFloating() ? mean.cast(t) : mean;
  }

  /**
   * The largest of each group's rows, column by column; -infinity (or the type's least value) for a
   * group without rows.
   *
   * @param rows how many groups
   * @param segments i32 [n], each in [0, rows)
   * @throws IndexOutOfBoundsException when computed, if a group lies outside
   * @source JAX segment_max
   */
  default Tensor segmentMax(int rows, Tensor segments) {
    DType t = self().dtype();
    double least = t.isFloating() ? Double.NEGATIVE_INFINITY : t.least();
    return extremum(Scatter.MAX, least, rows, segments);
  }

  /**
   * The least of each group's rows, column by column; infinity (or the type's largest value) for a
   * group without rows.
   *
   * @param rows how many groups
   * @param segments i32 [n], each in [0, rows)
   * @throws IndexOutOfBoundsException when computed, if a group lies outside
   * @source JAX segment_min
   */
  default Tensor segmentMin(int rows, Tensor segments) {
    DType t = self().dtype();
    double most = t.isFloating() ? Double.POSITIVE_INFINITY : t.greatest();
    return extremum(Scatter.MIN, most, rows, segments);
  }

  private Tensor extremum(Scatter mode, double start, int rows, Tensor segments) {
    if (isComputed(segments)) {
      ((Segments) typed(self())).extremum(mode, start, rows, typed(segments));
    }
    Shape s = self().shape();
    int r = segments.shape().rank();
    Tensor first = Tensor.scalar(self().dtype(), start).lift(self()).lift(segments);
    return first
        .broadcastTo(Shape.of(rows).concat(s.slice(Math.min(r, s.rank()), s.rank())))
        .scatter(mode, segments, self());
  }

  /**
   * True if what is made of these is computed at once. Then a function of several steps first goes
   * through them with types alone: what is wrong with those is said before an index that is.
   */
  private boolean isComputed(Tensor other) {
    return !self().isTraced() && !other.isTraced();
  }

  private static Tensor typed(Tensor t) {
    return Tensor.input(t.type());
  }

  /** Number of rows of each group, of the rows' rank. */
  private static Tensor sizes(DType t, Tensor like, int rows, Tensor segments) {
    Tensor one = Tensor.scalar(t, 1).lift(like).lift(segments);
    Tensor counts = one.broadcastTo(segments.shape()).scatterAdd(rows, segments);
    Shape s = like.shape();
    Check.shape(
        segments.shape().rank() <= s.rank(),
        "segments: the rows' leading axes must be those of the groups: %s with groups %s; reshape"
            + " one of them",
        like.type(),
        segments.type());
    int[] dims = new int[1 + s.rank() - segments.shape().rank()];
    Arrays.fill(dims, 1);
    dims[0] = rows;
    return counts.reshape(dims);
  }

  /**
   * Bags of rows of this table [N, D], each folded to one row: result [bags, D]. An empty bag gives
   * 0.
   *
   * @param ids i32 [n], the rows of all bags, each in [0, N)
   * @param segments i32 [n], the bag of each, in [0, bags); {@link #ofOffsets} makes them
   * @throws IndexOutOfBoundsException when computed, if an index lies outside
   * @source PyTorch EmbeddingBag
   */
  default Tensor embeddingBag(Tensor ids, Tensor segments, int bags, Fold fold) {
    if (isComputed(ids) && isComputed(segments)) {
      typed(self()).embeddingBag(typed(ids), typed(segments), bags, fold);
    }
    Tensor rows = self().gather(ids);
    return switch (fold) {
      case SUM -> rows.scatterAdd(bags, segments);
      case MEAN -> rows.segmentMean(bags, segments);
      case MAX -> {
        Tensor empty = sizes(DType.I32, rows, bags, segments).less(1);
        Tensor zero = Tensor.scalar(self().dtype(), 0);
        yield empty
            .broadcastTo(Shape.of(bags).concat(self().shape().slice(1, self().shape().rank())))
            .select(zero, rows.segmentMax(bags, segments));
      }
    };
  }

  /**
   * The group of each of {@code n} elements, of groups that lie one behind another.
   *
   * @param offsets i32 [groups], where each group starts; ascending, the first 0
   * @return i32 [n]
   */
  static Tensor ofOffsets(Tensor offsets, int n) {
    if (!offsets.isTraced()) {
      ofOffsets(typed(offsets), n);
    }
    Tensor at = offsets.iotaLike(DType.I32, Shape.of(n), 0);
    return offsets.searchSorted(at, true).sub(1);
  }
}
