package io.fragua.cpu;

import io.fragua.op.Op;
import io.fragua.op.Scalar;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.List;

/** Numbers that are known when a program is compiled. */
final class ScalarConstants {
  private ScalarConstants() {}

  /** True if this is that number, everywhere. */
  static boolean is(View v, double number) {
    return v != null && v.base().isScalarConstant() && number(v) == number;
  }

  /** The number that this is everywhere. */
  static double number(View v) {
    return v.base().constant.buffer().getDouble(v.base().type.dtype(), 0);
  }

  /** One number computed by the row's own meaning, or null if the row has none (cipher, bits). */
  static Value fold(Op op, DType to, List<View> args) {
    Scalar s = op.scalar();
    DType from = args.get(args.size() - 1).base().type.dtype();
    boolean real = from.isFloating();
    if (op.name().equals("bitcast")
        || (real ? s.real() : s.integer()) == null
        || from == DType.F16
        || from == DType.BF16) {
      return null;
    }
    Buffer out = Buffer.collected(to.bytes());
    if (real) {
      double[] x = args.stream().mapToDouble(ScalarConstants::number).toArray();
      double y = s.real().apply(x);
      if (to == DType.BOOL || to.isFloating()) {
        out.putDouble(to, 0, y);
      } else {
        out.putLong(to, 0, ReferenceKernels.saturated(to, y));
      }
    } else {
      long[] x =
          args.stream()
              .mapToLong(v -> v.base().constant.buffer().getLong(v.base().type.dtype(), 0))
              .toArray();
      if (to.isFloating()) {
        out.putDouble(to, 0, s.integer().apply(x));
      } else {
        out.putLong(to, 0, s.integer().apply(x));
      }
    }
    return Value.constant(Tensor.of(new TensorType(to, Shape.SCALAR), out));
  }
}
