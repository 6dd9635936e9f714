package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import java.util.List;
import java.util.Set;

/**
 * Rows whose elements follow from those before them on an axis. Attributes: {@code axis}; {@code
 * reverse}, 1 to go from the end to the start. The first element is the operand's own.
 */
final class CumulativeOps {
  static final List<Op> ROWS =
      List.of(
          row(
              "cumsum",
              1,
              Rules.NUMBERS,
              (g, in, y, a) -> List.of(apply("cumsum", back(a), g)),
              "CumSum-14",
              "NumPy cumsum"),
          row(
              "cumprod",
              1,
              Rules.NUMBERS,
              CumulativeOps::product,
              "none: no ONNX operator",
              "NumPy cumprod"),
          row(
              "cummax",
              1,
              Rules.NUMBERS,
              CumulativeOps::extremum,
              "none: no ONNX operator",
              "JAX lax.cummax; NaN stays"),
          row(
              "cummin",
              1,
              Rules.NUMBERS,
              CumulativeOps::extremum,
              "none: no ONNX operator",
              "JAX lax.cummin; NaN stays"),
          row(
              "cumlogsumexp",
              1,
              Rules.FLOATS,
              CumulativeOps::logSumExp,
              "none: no ONNX operator",
              "JAX lax.cumlogsumexp"),
          // y[i] = a[i] y[i - 1] + b[i], y[0] = b[0]: what the derivatives of the others are made
          // of, and its own.
          row(
              "linear_recurrence",
              2,
              Rules.FLOATS,
              (g, in, y, a) -> {
                Tensor db = recurrence(next(in.get(0), a, 1), g, back(a));
                return List.of(db.mul(next(y, back(a), 0)), db);
              },
              "none: Scan",
              "SciPy lfilter with coefficients that change; Blelloch 1990"));

  private CumulativeOps() {}

  private static Op row(
      String name, int arity, Set<DType> dtypes, Op.Vjp vjp, String onnx, String source) {
    return new Op(
        name,
        Family.CUMULATIVE,
        arity,
        dtypes,
        (op, in, a) -> {
          Rules.same(op, in);
          Rules.inside(op, a.integer("axis"), in.get(0));
          io.fragua.tensor.Check.shape(
              a.integer("reverse") == 0 || a.integer("reverse") == 1,
              "%s: reverse must be 0 or 1: %d; correct it",
              op,
              a.integer("reverse"));
          return in.get(0);
        },
        vjp,
        null,
        Batching.AXIS,
        null,
        onnx,
        source);
  }

  private static Tensor apply(String op, Attrs a, Tensor x) {
    return Tensor.apply(op, a, x);
  }

  private static Tensor recurrence(Tensor a, Tensor b, Attrs attrs) {
    return Tensor.apply("linear_recurrence", attrs, a, b);
  }

  /** The other direction. */
  private static Attrs back(Attrs a) {
    return a.with("reverse", 1 - a.integer("reverse"));
  }

  /** At each place the element that comes next in this direction; at the last a number. */
  private static Tensor next(Tensor t, Attrs a, double last) {
    int axis = a.integer("axis");
    int n = t.shape().dim(axis);
    if (n == 0) {
      return t;
    }
    return a.integer("reverse") == 0
        ? t.slice(axis, 1, n).pad(axis, 0, 1, last)
        : t.slice(axis, 0, n - 1).pad(axis, 1, 0, last);
  }

  /**
   * The product before the element, times what flows back to it through those behind it: no
   * division, so zeros do no harm.
   */
  private static List<Tensor> product(Tensor g, List<Tensor> in, Tensor y, Attrs a) {
    Tensor behind = recurrence(next(in.get(0), a, 1), g, back(a));
    return List.of(next(y, back(a), 1).mul(behind));
  }

  /**
   * The gradient goes to the element that was taken, on a tie to the one that came last, as in
   * PyTorch.
   */
  private static List<Tensor> extremum(Tensor g, List<Tensor> in, Tensor y, Attrs a) {
    Tensor x = in.get(0);
    int axis = a.integer("axis");
    int size = Math.toIntExact(x.shape().size());
    int inner = Math.toIntExact(x.shape().slice(axis + 1, x.shape().rank()).size());
    Tensor at = x.iotaLike(DType.I32, x.shape(), axis);
    Tensor zero = Tensor.scalar(DType.I32, 0);
    // A place is numbered so that later ones are larger; NaN is not equal to itself, but taken.
    Tensor order = a.integer("reverse") == 0 ? at : at.neg().add(x.shape().dim(axis));
    Tensor hit = x.equal(y).or(x.isNan());
    Tensor least = Tensor.scalar(DType.I32, -1);
    Tensor taken = apply("cummax", a, hit.select(order, least)).maximum(zero);
    Tensor place = a.integer("reverse") == 0 ? taken : taken.neg().add(x.shape().dim(axis));
    Tensor own =
        x.iotaLike(DType.I32, io.fragua.tensor.Shape.of(size), 0).reshape(x.shape().dims());
    Tensor ids = own.add(place.sub(at).mul(inner));
    return List.of(g.reshape(size).scatterAdd(size, ids.reshape(size)).reshape(x.shape().dims()));
  }

  /** The results never shrink in their direction, so e to the power of a step back is at most 1. */
  private static List<Tensor> logSumExp(Tensor g, List<Tensor> in, Tensor y, Attrs a) {
    Tensor x = in.get(0);
    Tensor following = next(y, a, Double.POSITIVE_INFINITY);
    Tensor zero = Tensor.scalar(x.dtype(), 0);
    Tensor decay = y.equal(following).select(zero, y.sub(following)).exp();
    Tensor behind = recurrence(decay, g, back(a));
    return List.of(behind.mul(x.equal(y).select(zero, x.sub(y)).exp()));
  }
}
