package io.fragua.op;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Scatter;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.Collections;
import java.util.List;

/** The row that orders. What else asks for an order (top-k, quantiles) is composed of it. */
final class SortOps {
  static final List<Op> ROWS =
      List.of(
          new Op(
              "sort",
              Family.SORT,
              1,
              Rules.ANY,
              (Op.TypeRule.Many) SortOps::types,
              (Op.Vjp.Many) SortOps::pullBack,
              null,
              Batching.AXIS_OF_SEVERAL,
              null,
              "TopK-24",
              "NumPy sort and argsort, stable; NaN counts as the largest, the zeros are equal"));

  private SortOps() {}

  /** The values in order, and where each was, i32. */
  private static List<TensorType> types(Op op, List<TensorType> in, Attrs a) {
    Rules.inside(op, a.integer("axis"), in.get(0));
    int descending = a.integer("descending");
    Check.shape(
        descending == 0 || descending == 1,
        "sort: descending must be 0 or 1: %d; correct it",
        descending);
    return List.of(in.get(0), in.get(0).with(DType.I32));
  }

  /** Each gradient goes back to where its value was; the second result has none. */
  private static List<Tensor> pullBack(List<Tensor> g, List<Tensor> in, List<Tensor> out, Attrs a) {
    Tensor zero = IndexOps.zeros(in.get(0), out.get(0));
    return g.get(0) == null
        ? Collections.singletonList(null)
        : List.of(zero.putAlongAxis(Scatter.ADD, a.integer("axis"), out.get(1), g.get(0)));
  }
}
