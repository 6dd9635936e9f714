package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/**
 * Batching rules that rows share. The axis of the examples is in front, so most rows do what they
 * did, one axis further to the right.
 *
 * @source JAX {@code jax.interpreters.batching} and the rules in {@code jax.lax}
 */
final class Batching {
  /** Element by element: every operand gets the axis. */
  static final Op.Batch ALL = rule((a, n) -> a);

  /** Setting {@code axis} moves on by one. */
  static final Op.Batch AXIS = rule((a, n) -> a.with("axis", a.integer("axis") + 1));

  /** As {@link #AXIS}, of a row with one operand and several results. */
  static final Op.Batch AXIS_OF_SEVERAL =
      (Op.Batch.Many)
          (op, in, mapped, a) -> Tensor.applyAll(op, a.with("axis", a.integer("axis") + 1), in);

  /** Settings {@code axes} move on by one. */
  static final Op.Batch AXES = rule((a, n) -> a.with("axes", next(a.ints("axes"))));

  /** The axis goes in front of setting {@code shape}. */
  static final Op.Batch SHAPE = rule(Batching::lead);

  /** As {@link #SHAPE}; the first of {@code dims} is the axis. */
  static final Op.Batch SHAPE_AND_DIMS =
      rule((a, n) -> lead(a, n).with("dims", first(a.ints("dims"))));

  /** The axis stays in front of {@code perm}. */
  static final Op.Batch PERM = rule((a, n) -> a.with("perm", first(a.ints("perm"))));

  private Batching() {}

  /** The same row on operands that all have the axis, with settings changed for n examples. */
  private static Op.Batch rule(BiFunction<Attrs, Integer, Attrs> settings) {
    return (op, in, mapped, a) -> {
      int n = size(in, mapped);
      return Tensor.apply(op, settings.apply(a, n), spread(in, mapped, n));
    };
  }

  private static int size(List<Tensor> in, List<Boolean> mapped) {
    return in.get(mapped.indexOf(true)).shape().dim(0);
  }

  private static List<Tensor> spread(List<Tensor> in, List<Boolean> mapped, int n) {
    List<Tensor> out = new ArrayList<>();
    for (int i = 0; i < in.size(); i++) {
      out.add(mapped.get(i) ? in.get(i) : spread(in.get(i), n));
    }
    return out;
  }

  /** The same for each of n examples. */
  static Tensor spread(Tensor t, int n) {
    int[] dims = next(IntStream.range(0, t.shape().rank()).toArray());
    return t.broadcastInDim(Shape.of(n).concat(t.shape()), dims);
  }

  private static Attrs lead(Attrs a, int n) {
    return a.with("shape", Shape.of(n).concat(a.shape("shape")));
  }

  private static int[] next(int[] axes) {
    return Arrays.stream(axes).map(x -> x + 1).toArray();
  }

  private static int[] first(int[] axes) {
    return IntStream.concat(IntStream.of(0), Arrays.stream(next(axes))).toArray();
  }

  /** Rows by index: of one table, of one set of indices, or from a table of all tables. */
  static Tensor gather(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    Tensor table = in.get(0);
    Tensor ids = in.get(1);
    if (!mapped.get(0)) {
      return table.gather(ids);
    }
    if (!mapped.get(1)) {
      return move(move(table, 0, 1).gather(ids), ids.shape().rank(), 0);
    }
    int n = table.shape().dim(0);
    int rows = table.shape().dim(1);
    Shape row = table.shape().slice(2, table.shape().rank());
    Tensor all = table.reshape(Shape.of(product(op, n, rows)).concat(row).dims());
    return all.gather(apart(ids, rows));
  }

  /** Adds rows: all examples side by side, or below one another when they have own indices. */
  static Tensor scatterAdd(Op op, List<Tensor> in, List<Boolean> mapped, Attrs a) {
    int rows = a.integer("rows");
    if (!mapped.get(1)) {
      int r = in.get(1).shape().rank();
      return move(move(in.get(0), 0, r).scatterAdd(rows, in.get(1)), 1, 0);
    }
    int n = size(in, mapped);
    Tensor updates = mapped.get(0) ? in.get(0) : spread(in.get(0), n);
    Tensor sums = updates.scatterAdd(product(op, n, rows), apart(in.get(1), rows));
    Shape row = sums.shape().slice(1, sums.shape().rank());
    return sums.reshape(Shape.of(n, rows).concat(row).dims());
  }

  /** Indices [n, ...] into n tables below one another; one that is outside its table stays so. */
  private static Tensor apart(Tensor ids, int rows) {
    Tensor start = ids.iotaLike(DType.I32, ids.shape(), 0).mul(rows);
    Tensor outside = ids.less(0).or(ids.greaterEqual(Tensor.scalar(DType.I32, rows)));
    return outside.select(Tensor.scalar(DType.I32, -1), ids.add(start));
  }

  private static int product(Op op, int n, int rows) {
    Check.shape(
        (long) n * rows <= Integer.MAX_VALUE,
        "%s: the tables of all examples must have less than 2^31 rows: %d of %d; map fewer"
            + " examples at once",
        op,
        n,
        rows);
    return n * rows;
  }

  /** The tensor with one axis moved. */
  static Tensor move(Tensor t, int from, int to) {
    List<Integer> perm = new ArrayList<>(IntStream.range(0, t.shape().rank()).boxed().toList());
    perm.add(to, perm.remove(from));
    return from == to ? t : t.transpose(perm.stream().mapToInt(i -> i).toArray());
  }
}
