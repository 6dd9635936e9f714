package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.IndexError;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The derivative of {@code scatter}, exact also where an index comes several times. */
final class ScatterVjp {
  private ScatterVjp() {}

  static List<Tensor> apply(Tensor g, List<Tensor> in, Tensor y, Attrs a) {
    Tensor x = in.get(0);
    Tensor ids = in.get(1);
    Tensor u = in.get(2);
    return switch (Scatter.parse(a.text("mode"))) {
      case SET ->
          Arrays.asList(
              scatter(Scatter.SET, g, ids, IndexOps.zeros(u, g), a),
              null,
              last(x, ids, g, a).select(gather(g, ids, a), IndexOps.zeros(u, g)));
      case ADD -> Arrays.asList(g, null, gather(g, ids, a));
      case MUL ->
          Arrays.asList(
              scatter(Scatter.MUL, g, ids, u, a),
              null,
              gather(g, ids, a).mul(others(x, ids, u, g, a)));
      case MIN, MAX -> extremum(g, x, ids, u, y, a);
    };
  }

  /** Whether an update is the one that stays in its row, of the updates' shape. */
  private static Tensor last(Tensor x, Tensor ids, Tensor g, Attrs a) {
    Tensor place = g.iotaLike(DType.I32, Shape.of(size(ids)), 0);
    Tensor flat = ids.reshape(-1);
    Tensor none = Tensor.scalar(DType.I32, -1).lift(g);
    Tensor start = none.broadcastTo(Shape.of(x.shape().dim(0)));
    Tensor kept = scatter(Scatter.SET, start, flat, place, a);
    return spread(gather(kept, flat, a).equal(place).reshape(ids.shape().dims()), x, ids);
  }

  private static int size(Tensor ids) {
    return Math.toIntExact(ids.shape().size());
  }

  /** One truth value a row, repeated along it. */
  private static Tensor spread(Tensor t, Tensor x, Tensor ids) {
    int[] dims = IntStream.range(0, ids.shape().rank()).toArray();
    return t.broadcastInDim(ids.shape().concat(x.shape().slice(1, x.shape().rank())), dims);
  }

  /**
   * For each update the product of everything else that goes into its element. Dividing the whole
   * product would give 0 / 0 at a zero, so zeros are counted and left out. Where one of the others
   * is zero, it is a factor still: the product is 0, but moves with it. Of two it moves with
   * neither, so that first and second derivatives are exact, and higher ones where at most one of
   * an element's updates is zero.
   */
  private static Tensor others(Tensor x, Tensor ids, Tensor u, Tensor g, Attrs a) {
    Tensor zero = u.equal(IndexOps.zeros(u, g));
    Tensor one = Tensor.scalar(u.dtype(), 1);
    Tensor rest = zero.select(one, u);
    Tensor product = gather(scatter(Scatter.MUL, x, ids, rest, a), ids, a);
    Tensor none = IndexOps.zeros(u, g);
    Tensor count = sumOfOthers(zero.cast(u.dtype()), x, ids, a);
    Tensor factor = sumOfOthers(zero.select(u, none), x, ids, a); // where the count is 1, that one
    Tensor without = product.div(rest);
    return count.equal(none).select(without, count.equal(one).select(without.mul(factor), none));
  }

  private static Tensor sumOfOthers(Tensor u, Tensor x, Tensor ids, Attrs a) {
    Tensor none = IndexOps.zeros(x, u);
    return gather(scatter(Scatter.ADD, none, ids, u, a), ids, a).sub(u);
  }

  /** The gradient is shared equally by all that reach the extremum, as by {@code reduce_max}. */
  private static List<Tensor> extremum(
      Tensor g, Tensor x, Tensor ids, Tensor u, Tensor y, Attrs a) {
    Tensor own = x.equal(y).cast(x.dtype());
    Tensor hit = u.equal(gather(y, ids, a)).cast(x.dtype());
    Tensor share = g.div(scatter(Scatter.ADD, own, ids, hit, a));
    return Arrays.asList(own.mul(share), null, hit.mul(gather(share, ids, a)));
  }

  /** Rows by index, with what a row of these settings says of wrong indices. */
  private static Tensor gather(Tensor x, Tensor ids, Attrs a) {
    return Tensor.apply("gather", IndexError.of(a), x, ids.lift(x));
  }

  /** As {@link #gather}, written. */
  static Tensor scatter(Scatter mode, Tensor x, Tensor ids, Tensor u, Attrs a) {
    Attrs error = IndexError.of(a).with("mode", mode.toString());
    return Tensor.apply("scatter", error, x, ids.lift(x), u.lift(x));
  }
}
