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
    return t.isFloating() ? Double.NEGATIVE_INFINITY : t.least();
  }

  /** The value that a minimum over nothing has. */
  static double greatest(DType t) {
    return t.isFloating() ? Double.POSITIVE_INFINITY : t.greatest();
  }

  /** The extreme of i64, which a double does not hold. */
  static Tensor scalarI64(boolean least) {
    Buffer b = Buffer.collected(8);
    b.putLong(DType.I64, 0, least ? Long.MIN_VALUE : Long.MAX_VALUE);
    return Tensor.of(new TensorType(DType.I64, Shape.SCALAR), b);
  }

  /** The start of a reduction as a Java expression of the element's Java type. */
  static String text(String op, DType t) {
    double start =
        switch (op) {
          case "reduce_sum" -> 0;
          case "reduce_prod" -> 1;
          case "reduce_max" -> least(t);
          default -> greatest(t);
        };
    long bits =
        t == DType.I64 && Math.abs(start) > 1
            ? (start < 0 ? Long.MIN_VALUE : Long.MAX_VALUE)
            : (long) start;
    return ScalarText.literal(t, start, bits);
  }
}
