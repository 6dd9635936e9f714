package io.fragua.transform;

import io.fragua.graph.Graph;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Whole matrices of derivatives: the pull-back mapped over the rows of an identity matrix. */
public final class Jacobian {
  private Jacobian() {}

  /**
   * All partial derivatives of a function's results.
   *
   * @param f its results must be floating
   * @param wrt positions of operands, by default all of them
   * @return a function giving, for each result and each named operand in it, the derivatives, of
   *     the result's shape followed by the operand's
   * @throws io.fragua.tensor.ShapeException when applied, if a result or named operand is not
   *     floating
   * @source JAX {@code jax.jacrev}
   */
  public static Fn jacobian(Fn f, int... wrt) {
    return args -> {
      Traced t = Traced.of(f, args);
      Graph g = t.graph();
      int[] w = wrt.length == 0 ? IntStream.range(0, args.size()).toArray() : wrt;
      Grad.checkWrt("jacobian", g, args.size(), w);
      List<Tensor> values = t.values();
      List<Tensor> results = new ArrayList<>();
      for (int r = 0; r < g.outputs().size(); r++) {
        int result = r;
        Fn back =
            u -> {
              Tensor[] cotangents = new Tensor[g.outputs().size()];
              cotangents[result] = u.get(0);
              return Grad.pullBack(g, values, Arrays.asList(cotangents), w);
            };
        Tensor y = values.get(g.outputs().get(r).value());
        List<Tensor> rows = Vmap.vmap(back).apply(List.of(identity(y)));
        for (int i = 0; i < w.length; i++) {
          Shape of = y.shape().concat(args.get(w[i]).shape());
          results.add(rows.get(i).reshape(of.dims()));
        }
      }
      return results;
    };
  }

  /**
   * All second partial derivatives: the Jacobian of the Jacobian.
   *
   * @param f its results must be floating; usually one scalar
   * @param wrt positions of operands, by default all of them
   * @return a function giving, for each result, each named operand a and each named operand b, the
   *     derivatives, of the result's shape followed by those of a and b
   * @source JAX {@code jax.hessian}
   */
  public static Fn hessian(Fn f, int... wrt) {
    return jacobian(jacobian(f, wrt), wrt);
  }

  /** One tensor of the result's shape for each of its elements, with 1 there and 0 elsewhere. */
  private static Tensor identity(Tensor result) {
    TensorType t = result.type();
    Check.shape(
        t.dtype().isFloating() && t.shape().size() <= Integer.MAX_VALUE,
        "jacobian: results must be floating, of less than 2^31 elements: %s; cast it or leave it"
            + " out",
        t);
    int n = (int) t.shape().size();
    Shape square = Shape.of(n, n);
    return result
        .iotaLike(DType.I32, square, 0)
        .equal(result.iotaLike(DType.I32, square, 1))
        .cast(t.dtype())
        .reshape(Shape.of(n).concat(t.shape()).dims());
  }
}
