package io.fragua.op;

import java.util.List;

/**
 * Rows on integers, most of them on their bits. A shift by less than 0 or by at least the type's
 * width moves all bits out, as in JAX; {@code $W} in the texts is 31 or 63, {@code $U0} the first
 * operand without its sign.
 */
final class IntegerOps {
  static final List<Op> ROWS =
      List.of(
          shift(
              "shift_left",
              x -> x[1] < 0 || x[1] > 63 ? 0 : x[0] << x[1],
              "($1 < 0 || $1 > $W ? 0 : $0 << $1)"),
          // What stands above the bits depends on the type, so the meaning is the backend's.
          shift("shift_right_logical", null, "($1 < 0 || $1 > $W ? 0 : $U0 >>> $1)"),
          shift(
              "shift_right_arithmetic",
              x -> x[0] >> (x[1] < 0 || x[1] > 63 ? 63 : x[1]),
              "($0 >> ($1 < 0 || $1 > $W ? $W : $1))"),
          BinaryOps.elementwise(
              "gcd",
              Family.BINARY,
              2,
              Rules.INTEGERS,
              Rules.SAME,
              new Scalar(
                  null,
                  x -> Special.gcd(x[0], x[1]),
                  "($T) io.fragua.op.Special.gcd($0, $1)",
                  null),
              "none: no ONNX operator",
              "NumPy gcd"),
          UnaryOps.row(
              "population_count",
              Rules.INTEGERS,
              Rules.SAME,
              null,
              "integers have no derivative",
              new Scalar(null, null, "$C.bitCount($U0)", null),
              "none: no ONNX operator",
              "JAX lax.population_count"));

  private IntegerOps() {}

  private static Op shift(String name, Scalar.Int meaning, String scalar) {
    return BinaryOps.elementwise(
        name,
        Family.BINARY,
        2,
        Rules.INTEGERS,
        Rules.SAME,
        new Scalar(null, meaning, scalar, null),
        name.equals("shift_right_arithmetic") ? "none: no ONNX operator" : "BitShift-11",
        "JAX lax." + name);
  }
}
