package io.fragua.op;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** Type rules and dtype sets that families share. */
final class Rules {
  static final Set<DType> REAL = EnumSet.of(DType.F32, DType.F64);
  static final Set<DType> NUMERIC = EnumSet.of(DType.F32, DType.F64, DType.I32, DType.I64);
  static final Set<DType> BOOL = EnumSet.of(DType.BOOL);
  static final Set<DType> COMPUTED =
      EnumSet.of(DType.F32, DType.F64, DType.I32, DType.I64, DType.BOOL);
  static final Set<DType> ANY = EnumSet.allOf(DType.class);

  /** All floating types; f16 and bf16 are computed in f32 and rounded, op by op. */
  static final Set<DType> FLOATS = EnumSet.of(DType.F32, DType.F64, DType.F16, DType.BF16);

  /** All integers; narrow ones wrap. */
  static final Set<DType> INTEGERS =
      EnumSet.of(DType.I8, DType.U8, DType.I16, DType.I32, DType.I64);

  static final Set<DType> BITS = EnumSet.complementOf(EnumSet.copyOf(FLOATS));
  static final Set<DType> NUMBERS = EnumSet.complementOf(EnumSet.of(DType.BOOL));

  private Rules() {}

  static void dtype(Op op, TensorType t) {
    Check.shape(
        op.dtypes().contains(t.dtype()),
        "%s: dtype must be one of %s: %s; cast it first",
        op,
        op.dtypes(),
        t);
  }

  /** All operands of one accepted type; the result has it too. */
  static final Op.TypeRule SAME =
      (op, in, a) -> {
        same(op, in);
        return in.get(0);
      };

  /** All operands of one accepted type; the result is bool. */
  static final Op.TypeRule COMPARE =
      (op, in, a) -> {
        same(op, in);
        return in.get(0).with(DType.BOOL);
      };

  static void same(Op op, List<TensorType> in) {
    for (TensorType t : in) {
      dtype(op, t);
      Check.shape(
          t.equals(in.get(0)),
          "%s: operands must have one type: %s with %s; broadcast or cast one of them",
          op,
          in.get(0),
          t);
    }
  }

  static void inside(Op op, int axis, TensorType t) {
    Check.shape(
        axis >= 0 && axis < t.shape().rank(),
        "%s: axis must lie in [0, %d): axis %d of %s; name an existing axis",
        op,
        t.shape().rank(),
        axis,
        t);
  }

  /** Gradients of several results, zeros for a result that has none. */
  static List<Tensor> zerosForNull(List<Tensor> g, List<Tensor> out) {
    Tensor like = g.stream().filter(Objects::nonNull).findFirst().orElseThrow();
    List<Tensor> all = new ArrayList<>();
    for (int i = 0; i < g.size(); i++) {
      TensorType t = out.get(i).type();
      all.add(
          g.get(i) != null
              ? g.get(i)
              : Tensor.scalar(t.dtype(), 0).lift(like).broadcastTo(t.shape()));
    }
    return all;
  }

  /** A scalar of the tensor's dtype to multiply or compare it with. */
  static Tensor one(Tensor like) {
    return Tensor.scalar(like.dtype(), 1);
  }
}
