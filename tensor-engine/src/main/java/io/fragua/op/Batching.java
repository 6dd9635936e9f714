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

  static int size(List<Tensor> in, List<Boolean> mapped) {
    return in.get(mapped.indexOf(true)).shape().dim(0);
  }

  static List<Tensor> spread(List<Tensor> in, List<Boolean> mapped, int n) {
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

  /** Indices [n, ...] into n tables below one another; a negative one stays so. */
  static Tensor apart(Tensor ids, int rows) {
    Tensor start = ids.iotaLike(DType.I32, ids.shape(), 0).mul(rows);
    return ids.less(0).select(ids, ids.add(start));
  }

  static int product(Op op, int n, int rows) {
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
