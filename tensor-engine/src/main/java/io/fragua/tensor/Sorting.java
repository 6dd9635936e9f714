package io.fragua.tensor;

import io.fragua.op.OpTable;
import java.util.List;

/**
 * Orders elements. NaN counts as the largest and the two zeros as equal; equal elements keep their
 * order.
 */
public interface Sorting {
  /** This tensor. */
  Tensor self();

  private List<Tensor> sorted(int axis, boolean descending) {
    return Tensor.applyAll(
        OpTable.get("sort"),
        Attrs.of("axis", self().shape().axis(axis)).with("descending", descending ? 1 : 0),
        List.of(self()));
  }

  /**
   * The elements of each line along an axis, least first. Any dtype; a gradient goes back to where
   * the element was.
   *
   * @source NumPy sort(kind="stable")
   */
  default Tensor sort(int axis) {
    return sort(axis, false);
  }

  /** As {@link #sort(int)}, or largest first (then NaN leads). */
  default Tensor sort(int axis, boolean descending) {
    return sorted(axis, descending).get(0);
  }

  /**
   * Where the elements of {@link #sort(int)} come from, i32.
   *
   * @source NumPy argsort(kind="stable")
   */
  default Tensor argsort(int axis) {
    return argsort(axis, false);
  }

  /** As {@link #argsort(int)}, or largest first (then NaN leads). */
  default Tensor argsort(int axis, boolean descending) {
    return sorted(axis, descending).get(1);
  }

  /**
   * The largest elements along an axis.
   *
   * @param values largest first
   * @param indices where they were, i32; of equal elements the first is taken first
   */
  record TopK(Tensor values, Tensor indices) {}

  /**
   * The k largest elements along an axis, largest first; of equal ones the first.
   *
   * @throws ShapeException if the axis has less than k elements
   * @source JAX lax.top_k; ONNX TopK-24
   */
  default TopK topK(int k, int axis) {
    int n = self().shape().dim(axis);
    Check.shape(
        k >= 0 && k <= n,
        "top_k: k must lie in [0, %d]: %d on axis %d of %s; ask for fewer",
        n,
        k,
        axis,
        self().type());
    List<Tensor> all = sorted(axis, true);
    return new TopK(all.get(0).slice(axis, 0, k), all.get(1).slice(axis, 0, k));
  }

  /**
   * The different elements of a tensor.
   *
   * @param values [size], ascending; those there is no place for are left out
   * @param inverse i32 of the tensor's shape, where in {@code values} each of its elements is; that
   *     of an element which was left out is {@code size} or more
   * @param counts i32 [size], how often each is there; 0 for a place that was filled
   */
  record Unique(Tensor values, Tensor inverse, Tensor counts) {}

  /**
   * The different elements, least first, NaN once; places that are left get the least element.
   *
   * @param size number of places, for shapes are known before values are
   * @throws ShapeException if the size is negative, or this has no elements to fill places with
   * @source JAX {@code jnp.unique(x, size=size, return_inverse=True, return_counts=True)}
   */
  default Unique unique(int size) {
    Check.shape(
        size == 0 || self().shape().size() > 0,
        "unique: filling needs an element: %s for %d places; pass a value to fill with",
        self().type(),
        size);
    return unique(size, null);
  }

  /**
   * As {@link #unique(int)}, with a value for places that are left.
   *
   * @param fill one that this dtype holds
   */
  default Unique unique(int size, double fill) {
    return unique(size, Double.valueOf(fill));
  }

  private Unique unique(int size, Double fill) {
    Check.shape(size >= 0, "unique: a size is not negative: %d; correct it", size);
    Tensor x = self().reshape(-1);
    int n = x.shape().dim(0);
    List<Tensor> sorted = ((Sorting) x).sorted(0, false);
    Tensor s = sorted.get(0);
    Tensor number = number(s, n);
    Tensor first = fill == null && size > 0 ? s.slice(0, 0, 1) : Tensor.scalar(x.dtype(), 0);
    Tensor rest = fill == null ? first : x.operand("unique", fill);
    // A further row takes what has no place; of equal elements (the zeros) the first is taken.
    Tensor outside = Tensor.scalar(DType.I32, size).lift(x);
    Tensor place = number.minimum(size);
    Tensor table = rest.reshape(-1).lift(x).broadcastTo(Shape.of(size + 1));
    Tensor own = isFirst(s, n).select(place, outside.broadcastTo(place.shape()));
    Tensor ones = Tensor.scalar(DType.I32, 1).lift(x).broadcastTo(place.shape());
    Tensor zeros = Tensor.scalar(DType.I32, 0).lift(x).broadcastTo(place.shape());
    return new Unique(
        table.scatter(Scatter.SET, own, s).slice(0, 0, size),
        zeros.scatter(Scatter.SET, sorted.get(1), number).reshape(self().shape().dims()),
        ones.scatterAdd(size + 1, place).slice(0, 0, size));
  }

  /** Which of the different elements each of these sorted ones is. */
  private static Tensor number(Tensor s, int n) {
    return n == 0
        ? s.iotaLike(DType.I32, Shape.of(0), 0)
        : isFirst(s, n).cast(DType.I32).cumsum(0).sub(1);
  }

  /** Whether each of these sorted elements differs from the one before. */
  private static Tensor isFirst(Tensor s, int n) {
    Tensor at = s.iotaLike(DType.I32, Shape.of(n), 0);
    Tensor before = s.slice(0, 0, Math.max(0, n - 1)).pad(0, Math.min(n, 1), 0, 0);
    Tensor both = s.notEqual(s).and(before.notEqual(before)); // NaN equals NaN
    return s.notEqual(before).and(both.not()).or(at.less(1));
  }

  /**
   * Where values would have to be put into this sorted vector to keep it sorted, i32 of the values'
   * shape.
   *
   * @param values of this dtype
   * @param right behind equal elements instead of before them
   * @throws ShapeException if this is no vector or the dtypes differ
   * @source NumPy searchsorted; by halving, unrolled
   */
  default Tensor searchSorted(Tensor values, boolean right) {
    Check.shape(
        self().shape().rank() == 1 && self().dtype() == values.dtype(),
        "search_sorted: needs a vector and values of its dtype: %s with %s; cast, or map over the"
            + " vectors",
        self().type(),
        values.type());
    int n = self().shape().dim(0);
    Tensor v = values.lift(self());
    Tensor at = Tensor.scalar(DType.I32, 0).lift(self()).lift(v).broadcastTo(v.shape());
    Tensor nan = v.notEqual(v);
    for (int step = Integer.highestOneBit(n); step > 0; step >>= 1) {
      Tensor next = at.add(step);
      Tensor x = self().lift(v).gather(next.sub(1).minimum(n - 1));
      Tensor before = right ? x.lessEqual(v).or(nan) : x.less(v).or(nan.and(x.equal(x)));
      Tensor fits = next.lessEqual(Tensor.scalar(DType.I32, n));
      at = fits.and(before).select(next, at);
    }
    return at;
  }

  /**
   * At these places the line through the given points; outside of them the first or last value.
   *
   * @param xp [n], n at least 1, where the points are, ascending, of this dtype
   * @param fp [n], their values, of this dtype
   * @throws ShapeException if the points are no vectors of one type and of this floating dtype
   * @source NumPy interp
   */
  default Tensor interp(Tensor xp, Tensor fp) {
    Tensor x = self();
    Check.shape(
        xp.shape().rank() == 1
            && xp.shape().dim(0) >= 1
            && xp.type().equals(fp.type())
            && xp.dtype() == x.dtype()
            && x.dtype().isFloating(),
        "interp: points must be two vectors of one size and of the floating dtype of the places: %s"
            + " and %s for %s; cast or reshape them",
        xp.type(),
        fp.type(),
        x.type());
    int n = xp.shape().dim(0);
    if (n == 1) {
      return fp.lift(x).broadcastTo(x.shape());
    }
    Tensor right = xp.searchSorted(x, true).maximum(1).minimum(n - 1);
    Tensor left = right.sub(1);
    Tensor p = xp.lift(x);
    Tensor v = fp.lift(x);
    Tensor start = v.gather(left);
    Tensor step = p.gather(right).sub(p.gather(left));
    Tensor one = Tensor.scalar(x.dtype(), 1);
    Tensor still = step.equal(Tensor.scalar(x.dtype(), 0)).and(x.equal(x)); // NaN stays
    Tensor share = x.sub(p.gather(left)).div(still.select(one, step)); // no derivative divides by 0
    Tensor line = still.select(start, share.mul(v.gather(right).sub(start)).add(start));
    Tensor before = x.less(p.slice(0, 0, 1).reshape());
    Tensor behind = x.greater(p.slice(0, n - 1, n).reshape());
    return before.select(
        v.slice(0, 0, 1).reshape(), behind.select(v.slice(0, n - 1, n).reshape(), line));
  }

  /**
   * How many elements lie between each two edges, i32 [n - 1]: from the lower edge on to below the
   * upper one, which counts in the last bin. Elements outside and NaN are not counted.
   *
   * @param edges [n], ascending, of this dtype
   * @throws ShapeException if the edges are less than two or not a vector of this dtype
   * @source NumPy histogram
   */
  default Tensor histogram(Tensor edges) {
    Tensor x = self().reshape(-1);
    int n = edges.shape().rank() == 1 ? edges.shape().dim(0) : 0;
    Check.shape(
        n >= 2 && edges.dtype() == x.dtype(),
        "histogram: edges must be a vector of at least two, of the tensor's dtype: %s for %s; cast"
            + " or reshape them",
        edges.type(),
        self().type());
    Tensor e = edges.lift(x);
    Tensor last = x.equal(e.slice(0, n - 1, n).reshape());
    Tensor bin = e.searchSorted(x, true).sub(last.cast(DType.I32)).sub(1);
    Tensor outside = bin.less(0).or(bin.greater(n - 2)).or(x.isNan());
    Tensor none = Tensor.scalar(DType.I32, n - 1); // a further bin takes what is not counted
    return outside.select(none, bin).bincount(n).slice(0, 0, n - 1);
  }

  /** As {@link #histogram(Tensor)}, with bins of one width from {@code low} to {@code high}. */
  default Tensor histogram(int bins, double low, double high) {
    Check.that(
        low <= high,
        "histogram: low must not be above high: %s and %s for %s; exchange them",
        low,
        high,
        self().type());
    return histogram(
        Ranges.linspace(self().dtype(), low, high, Check.size("histogram", bins + 1L)));
  }

  /**
   * The middle element along an axis, or the mean of the two; NaN if any is.
   *
   * @throws ShapeException if the axis is empty or the dtype not floating
   * @source NumPy median
   */
  default Tensor median(int axis) {
    int n = floatingLine("median", axis);
    Tensor s = sort(axis);
    Tensor low = wide(s, axis, (n - 1) / 2);
    return orNan(n % 2 == 1 ? low : low.add(wide(s, axis, n / 2)).div(2), s, axis);
  }

  /**
   * The value below which a share of the elements along an axis lies, linear between neighbours;
   * NaN if any is.
   *
   * @param q in [0, 1]
   * @throws ShapeException if the axis is empty or the dtype not floating
   * @source NumPy quantile(method="linear")
   */
  default Tensor quantile(double q, int axis) {
    Check.that(q >= 0 && q <= 1, "quantile: q must lie in [0, 1]: %s; correct it", q);
    int n = floatingLine("quantile", axis);
    Tensor s = sort(axis);
    double place = q * (n - 1);
    int i = (int) Math.floor(place);
    double t = place - i;
    Tensor low = wide(s, axis, i);
    if (t == 0) {
      return orNan(low, s, axis);
    }
    Tensor high = wide(s, axis, i + 1);
    Tensor d = high.sub(low);
    return orNan(t < 0.5 ? low.add(d.mul(t)) : high.sub(d.mul(1 - t)), s, axis);
  }

  /** As {@link #quantile}, with {@code p} in [0, 100]. */
  default Tensor percentile(double p, int axis) {
    return quantile(p / 100, axis);
  }

  private int floatingLine(String who, int axis) {
    int n = self().shape().dim(axis);
    Check.shape(
        n > 0 && self().dtype().isFloating(),
        "%s: needs a floating dtype and an axis that is not empty: axis %d of %s; cast it or check"
            + " first",
        who,
        axis,
        self().type());
    return n;
  }

  private static Tensor line(Tensor s, int axis, int i) {
    int a = s.shape().axis(axis);
    return s.slice(a, i, i + 1).reshape(s.shape().without(a).dims());
  }

  /** As f32 where it is f16 or bf16: sums and differences of f16 overflow. */
  private static Tensor wide(Tensor s, int axis, int i) {
    return line(s, axis, i).cast(s.dtype().wide());
  }

  /** NaN is sorted to the end. */
  private static Tensor orNan(Tensor t, Tensor s, int axis) {
    Tensor last = line(s, axis, s.shape().dim(axis) - 1);
    return last.notEqual(last).select(last, t.cast(s.dtype()));
  }
}
