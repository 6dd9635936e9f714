package io.fragua.transform;

import io.fragua.graph.Batched;
import io.fragua.graph.Graph;
import io.fragua.graph.Tracer;
import io.fragua.tensor.Check;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Maps a function of one example over an axis of many: by the rows' batching rules the loop is
 * inside each operation, not around the function. A product of a matrix with a vector becomes one
 * product of matrices.
 *
 * @source JAX {@code jax.vmap}
 */
public final class Vmap {
  private Vmap() {}

  /** Maps over the first axis of every operand, giving results with the axis in front. */
  public static Fn vmap(Fn f) {
    return vmap(f, null, null);
  }

  /** As {@link #vmap(Fn, List, List)}, giving results with the axis in front. */
  public static Fn vmap(Fn f, List<Integer> inAxes) {
    return vmap(f, inAxes, null);
  }

  /**
   * A function of many examples from a function of one. Tensors that {@code f} captures are the
   * same for all examples.
   *
   * @param inAxes the axis to map for each operand, counted from the back when negative; null for
   *     an operand that is the same for all examples. A null list: the first axis of each
   * @param outAxes where the axis goes in each result; null for a result that is the same for all
   *     examples. A null list: in front of each
   * @throws io.fragua.tensor.ShapeException when applied, if an axis does not exist, the mapped
   *     axes differ in size or there is none
   */
  public static Fn vmap(Fn f, List<Integer> inAxes, List<Integer> outAxes) {
    return args -> {
      List<Integer> in = inAxes == null ? Collections.nCopies(args.size(), 0) : inAxes;
      int n = size(args, in);
      List<Tensor> front = new ArrayList<>();
      List<Boolean> mapped = new ArrayList<>();
      List<TensorType> types = new ArrayList<>();
      for (int i = 0; i < args.size(); i++) {
        Tensor x = args.get(i);
        mapped.add(in.get(i) != null);
        int axis = mapped.get(i) ? x.shape().axis(in.get(i)) : 0;
        front.add(mapped.get(i) ? move(x, axis, 0) : x);
        types.add(mapped.get(i) ? x.type().with(x.shape().without(axis)) : x.type());
      }
      Tracer.Closure c = Traced.closure(f, types);
      for (Tensor t : c.captured()) {
        front.add(t);
        mapped.add(false);
      }
      List<Tensor> values = Batched.evaluate(c.graph(), Traced.together(front), mapped);
      return results(c.graph(), values, mapped, n, outAxes);
    };
  }

  /** The size of the mapped axis. */
  private static int size(List<Tensor> args, List<Integer> axes) {
    Check.that(
        axes.size() == args.size(),
        "vmap: inAxes must have an axis or null for each operand: %s for %d operands; add or remove"
            + " some",
        axes,
        args.size());
    int first = -1;
    for (int i = 0; i < args.size(); i++) {
      if (axes.get(i) == null) {
        continue;
      }
      Shape s = args.get(i).shape();
      checkAxis("an operand", axes.get(i), s.rank(), args.get(i).type());
      first = first < 0 ? i : first;
      int n = args.get(first).shape().dim(axes.get(first));
      Check.shape(
          s.dim(axes.get(i)) == n,
          "vmap: mapped axes must have one size: axis %d of %s, operand %d, has %d, axis %d of %s,"
              + " operand %d, has %d; map other axes, or null for what all examples share",
          axes.get(first),
          args.get(first).type(),
          first,
          n,
          axes.get(i),
          args.get(i).type(),
          i,
          s.dim(axes.get(i)));
    }
    Check.shape(
        first >= 0,
        "vmap: at least one operand must be mapped: inAxes %s; name an axis, or call the function"
            + " itself",
        axes);
    return args.get(first).shape().dim(axes.get(first));
  }

  private static void checkAxis(String of, int axis, int rank, TensorType t) {
    Check.shape(
        axis >= -rank && axis < rank,
        "vmap: axis of %s must lie in [-%d, %d): axis %d of %s; name an existing axis",
        of,
        rank,
        rank,
        axis,
        t);
  }

  private static List<Tensor> results(
      Graph g, List<Tensor> values, List<Boolean> mapped, int n, List<Integer> outAxes) {
    int count = g.outputs().size();
    List<Integer> axes = outAxes == null ? Collections.nCopies(count, 0) : outAxes;
    Check.that(
        axes.size() == count,
        "vmap: outAxes must have an axis or null for each result: %s for %d results; add or remove"
            + " some",
        axes,
        count);
    List<Tensor> results = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int v = g.outputs().get(i).value();
      Tensor r = values.get(v);
      if (axes.get(i) == null) {
        Check.that(
            !mapped.get(v),
            "vmap: only a result that is the same for all examples may have no axis: result %d, %s,"
                + " is not; name its place in outAxes",
            i,
            g.type(v));
        results.add(r);
        continue;
      }
      int rank = g.type(v).shape().rank() + 1;
      checkAxis("a result with the mapped axis", axes.get(i), rank, g.type(v));
      if (!mapped.get(v)) {
        r = spread(r, n);
      }
      results.add(move(r, 0, axes.get(i) < 0 ? axes.get(i) + rank : axes.get(i)));
    }
    return results;
  }

  /** The same for each of n examples, in front. */
  static Tensor spread(Tensor t, int n) {
    return t.expandDims(0).broadcastTo(Shape.of(n).concat(t.shape()));
  }

  /** The tensor with one axis moved. */
  private static Tensor move(Tensor t, int from, int to) {
    List<Integer> perm = new ArrayList<>(IntStream.range(0, t.shape().rank()).boxed().toList());
    perm.add(to, perm.remove(from));
    return from == to ? t : t.transpose(perm.stream().mapToInt(i -> i).toArray());
  }
}
