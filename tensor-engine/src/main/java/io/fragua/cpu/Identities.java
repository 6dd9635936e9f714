package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;

/** What a reduction starts from. */
final class Identities {
  private Identities() {}

  /** The value that a maximum over nothing has. */
  static double least(DType t) {
    return switch (t) {
      case I32 -> Integer.MIN_VALUE;
      case I64 -> Long.MIN_VALUE;
      default -> Double.NEGATIVE_INFINITY;
    };
  }

  /** The value that a minimum over nothing has. */
  static double greatest(DType t) {
    return switch (t) {
      case I32 -> Integer.MAX_VALUE;
      case I64 -> Long.MAX_VALUE;
      default -> Double.POSITIVE_INFINITY;
    };
  }

  /** The extreme of i64, which a double does not hold. */
  static Tensor scalarI64(boolean least) {
    Buffer b = Buffer.collected(8);
    b.putLong(DType.I64, 0, least ? Long.MIN_VALUE : Long.MAX_VALUE);
    return Tensor.of(new TensorType(DType.I64, Shape.SCALAR), b);
  }

  /** The start of a reduction as a Java expression of the element's Java type. */
  static String text(String op, DType t) {
    boolean max = op.equals("reduce_max");
    if (op.equals("reduce_prod")) {
      return t == DType.F64 ? "1.0" : t == DType.F32 ? "1f" : t == DType.I64 ? "1L" : "1";
    }
    if (op.equals("reduce_sum")) {
      return t == DType.F64 ? "0.0" : t == DType.F32 ? "0f" : t == DType.I64 ? "0L" : "0";
    }
    return switch (t) {
      case F32 -> max ? "Float.NEGATIVE_INFINITY" : "Float.POSITIVE_INFINITY";
      case F64 -> max ? "Double.NEGATIVE_INFINITY" : "Double.POSITIVE_INFINITY";
      case I64 -> max ? "Long.MIN_VALUE" : "Long.MAX_VALUE";
      default -> max ? "Integer.MIN_VALUE" : "Integer.MAX_VALUE";
    };
  }
}
