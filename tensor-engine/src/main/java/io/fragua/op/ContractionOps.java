package io.fragua.op;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.EnumSet;
import java.util.List;

/** Rows that sum products over an axis. */
final class ContractionOps {
  static final List<Op> ROWS =
      List.of(
          new Op(
              "matmul",
              Family.CONTRACTION,
              2,
              EnumSet.of(DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32, DType.I64),
              (op, in, a) -> {
                TensorType x = in.get(0);
                TensorType w = in.get(1);
                Rules.dtype(op, x);
                Check.shape(
                    x.dtype() == w.dtype(),
                    "matmul: operands must have one dtype: %s x %s; cast one of them",
                    x,
                    w);
                int r = x.shape().rank();
                Check.shape(
                    r >= 2
                        && w.shape().rank() == r
                        && x.shape().slice(0, r - 2).equals(w.shape().slice(0, r - 2)),
                    "matmul: operands need equal leading axes and two more: %s x %s; broadcast or"
                        + " reshape one of them",
                    x.shape(),
                    w.shape());
                Check.shape(
                    x.shape().dim(-1) == w.shape().dim(-2),
                    "matmul: inner sizes differ: %s x %s (%d vs %d); transpose the right operand or"
                        + " fix the layer's input size",
                    x.shape(),
                    w.shape(),
                    x.shape().dim(-1),
                    w.shape().dim(-2));
                return x.with(x.shape().with(-1, w.shape().dim(-1)));
              },
              (g, in, y, a) -> {
                Tensor x = in.get(0);
                Tensor w = in.get(1);
                return List.of(g.matmul(w.transpose()), x.transpose().matmul(g));
              },
              null,
              // leading axes broadcast, and the examples lead; one weight for all is a tall product
              (op, in, mapped, a) -> in.get(0).matmul(in.get(1)),
              null,
              "MatMul-13",
              "NumPy matmul on operands with equal leading axes"));

  private ContractionOps() {}
}
