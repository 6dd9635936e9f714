package io.fragua.op;

import static io.fragua.op.Rules.ANY;
import static io.fragua.op.Rules.BITS;
import static io.fragua.op.Rules.FLOATS;
import static io.fragua.op.Rules.NUMBERS;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Shape;
import io.fragua.tensor.Tensor;
import io.fragua.tensor.TensorType;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Rows with two or more operands of one shape, computed element by element. */
final class BinaryOps {
  static final List<Op> ROWS =
      List.of(
          binary(
              "add",
              NUMBERS,
              x -> x[0] + x[1],
              x -> x[0] + x[1],
              "($0 + $1)",
              "$0.add($1)",
              (g, in, y, a) -> List.of(g, g),
              "Add-14"),
          binary(
              "sub",
              NUMBERS,
              x -> x[0] - x[1],
              x -> x[0] - x[1],
              "($0 - $1)",
              "$0.sub($1)",
              (g, in, y, a) -> List.of(g, g.neg()),
              "Sub-14"),
          binary(
              "mul",
              NUMBERS,
              x -> x[0] * x[1],
              x -> x[0] * x[1],
              "($0 * $1)",
              "$0.mul($1)",
              (g, in, y, a) -> List.of(g.mul(in.get(1)), g.mul(in.get(0))),
              "Mul-14"),
          binary(
              "div",
              NUMBERS,
              x -> x[0] / x[1],
              BinaryOps::divide,
              "($0 / $1)",
              "$0.div($1)",
              (g, in, y, a) -> {
                Tensor q = g.div(in.get(1));
                return List.of(q, q.mul(y).neg());
              },
              "Div-14"),
          binary(
              "pow",
              FLOATS,
              x -> Special.pow(x[0], x[1]),
              null,
              "($T) io.fragua.op.Special.pow($0, $1)",
              null,
              (g, in, y, a) -> {
                Tensor x = in.get(0);
                Tensor p = in.get(1);
                Tensor zero = Tensor.scalar(x.dtype(), 0);
                // d/dp is y log x, taken as 0 where x is 0 (y is 0 there for every p > 0); below 0
                // there is none
                Tensor logx = x.equal(zero).select(Rules.one(x), x).log();
                Tensor dx = p.equal(zero).select(zero, p.mul(x.pow(p.sub(1))));
                return List.of(g.mul(dx), g.mul(y).mul(logx));
              },
              "Pow-15"),
          binary(
              "maximum",
              NUMBERS,
              x -> Math.max(x[0], x[1]),
              x -> Math.max(x[0], x[1]),
              "Math.max($0, $1)",
              "$0.max($1)",
              (g, in, y, a) -> tie(g, in, y),
              "Max-13"),
          binary(
              "minimum",
              NUMBERS,
              x -> Math.min(x[0], x[1]),
              x -> Math.min(x[0], x[1]),
              "Math.min($0, $1)",
              "$0.min($1)",
              (g, in, y, a) -> tie(g, in, y),
              "Min-13"),
          binary(
              "fmod",
              NUMBERS,
              x -> x[0] % x[1],
              x -> x[1] == 0 ? 0 : x[0] % x[1],
              "($0 % $1)",
              null,
              (g, in, y, a) -> List.of(g, g.mul(in.get(0).div(in.get(1)).trunc()).neg()),
              "Mod-13 with fmod=1"),
          binary(
              "copysign",
              FLOATS,
              x -> Math.copySign(x[0], x[1]),
              null,
              "Math.copySign($0, $1)",
              "((IntVector) ((IntVector) $0.reinterpretAsInts()).and(2147483647)"
                  + ".or(((IntVector) $1.reinterpretAsInts()).and(-2147483648)))"
                  + ".reinterpretAsFloats()",
              (g, in, y, a) -> {
                Tensor one = Rules.one(g);
                return Arrays.asList(
                    g.mul(one.copysign(in.get(0))).mul(one.copysign(in.get(1))),
                    IndexOps.zeros(in.get(1), g));
              },
              "none: no ONNX operator"),
          // The spacing is the type's, so the meaning is the backend's.
          new Op(
              "nextafter",
              Family.BINARY,
              2,
              EnumSet.of(DType.F32, DType.F64),
              Rules.SAME,
              null,
              "it moves by steps of one unit in the last place",
              Batching.ALL,
              new Scalar(null, null, "Math.nextAfter($0, $1)", null),
              "none: no ONNX operator",
              "NumPy nextafter"),
          bits("bitwise_and", x -> x[0] & x[1], "&", "AND", "BitwiseAnd-18; And-7 on bool"),
          bits("bitwise_or", x -> x[0] | x[1], "|", "OR", "BitwiseOr-18; Or-7 on bool"),
          bits("bitwise_xor", x -> x[0] ^ x[1], "^", "XOR", "BitwiseXor-18; Xor-7 on bool"),
          compare("equal", x -> x[0] == x[1], x -> x[0] == x[1], "==", "EQ", "Equal-19"),
          compare(
              "not_equal", x -> x[0] != x[1], x -> x[0] != x[1], "!=", "NE", "none: Not(Equal)"),
          compare("less", x -> x[0] < x[1], x -> x[0] < x[1], "<", "LT", "Less-13"),
          compare("less_equal", x -> x[0] <= x[1], x -> x[0] <= x[1], "<=", "LE", "LessOrEqual-16"),
          compare("greater", x -> x[0] > x[1], x -> x[0] > x[1], ">", "GT", "Greater-13"),
          compare(
              "greater_equal",
              x -> x[0] >= x[1],
              x -> x[0] >= x[1],
              ">=",
              "GE",
              "GreaterOrEqual-16"),
          new Op(
              "select",
              Family.ELEMENTWISE,
              3,
              ANY,
              BinaryOps::selectType,
              (g, in, y, a) -> {
                Tensor zero = Tensor.scalar(g.dtype(), 0);
                return Arrays.asList(null, in.get(0).select(g, zero), in.get(0).select(zero, g));
              },
              null,
              Batching.ALL,
              new Scalar(
                  x -> x[0] != 0 ? x[1] : x[2],
                  x -> x[0] != 0 ? x[1] : x[2],
                  "($0 ? $1 : $2)",
                  "$2.blend($1, $0)"),
              "Where-16",
              "NumPy where"),
          // One row gives all 32 random bits: the two words of the cipher, or both combined.
          elementwise(
              "threefry2x32",
              Family.ELEMENTWISE,
              4,
              EnumSet.of(DType.I32),
              (op, in, a) -> {
                String word = a.text("word");
                Check.shape(
                    Set.of("0", "1", "xor").contains(word),
                    "threefry2x32: word must be 0, 1 or xor: \"%s\"; correct it",
                    word);
                return Rules.SAME.infer(op, in, a);
              },
              new Scalar(null, null, null, null),
              "none: no ONNX operator",
              "Salmon et al. 2011, Threefry-2x32-20; JAX threefry2x32_p"));

  private BinaryOps() {}

  /** As the generated code: two's complement, a zero divisor gives 0 rather than a trap. */
  private static long divide(long[] x) {
    return x[1] == 0 ? 0 : x[0] / x[1];
  }

  /** The gradient goes to the operand that was taken, half to each on a tie, as in JAX. */
  private static List<Tensor> tie(Tensor g, List<Tensor> in, Tensor y) {
    Tensor half = Tensor.scalar(g.dtype(), 0.5);
    Tensor zero = Tensor.scalar(g.dtype(), 0);
    Tensor one = Rules.one(g);
    Tensor both = in.get(0).equal(in.get(1)).select(half, one);
    return List.of(
        g.mul(in.get(0).equal(y).select(both, zero)), g.mul(in.get(1).equal(y).select(both, zero)));
  }

  private static TensorType selectType(Op op, List<TensorType> in, io.fragua.tensor.Attrs a) {
    Shape s = in.get(0).shape();
    Check.shape(
        in.get(0).dtype() == DType.BOOL && s.equals(in.get(1).shape()),
        "select: the condition must be bool of the operands' shape: %s with %s and %s; compare or"
            + " broadcast first",
        in.get(0),
        in.get(1),
        in.get(2));
    Rules.same(op, in.subList(1, 3));
    return in.get(1);
  }

  static Op binary(
      String name,
      Set<DType> dtypes,
      Scalar.Real real,
      Scalar.Int integer,
      String scalar,
      String vector,
      Op.Vjp vjp,
      String onnx) {
    return new Op(
        name,
        Family.BINARY,
        2,
        dtypes,
        Rules.SAME,
        vjp,
        null,
        Batching.ALL,
        new Scalar(real, integer, scalar, vector),
        onnx,
        "NumPy, the function of this name");
  }

  private static Op bits(String name, Scalar.Int f, String sign, String lane, String onnx) {
    String vector =
        lane.equals("XOR")
            ? "$0.lanewise(VectorOperators.XOR, $1)"
            : "$0." + lane.toLowerCase(java.util.Locale.ROOT) + "($1)";
    return elementwise(
        name,
        Family.BINARY,
        2,
        BITS,
        Rules.SAME,
        new Scalar(null, f, "($0 " + sign + " $1)", vector),
        onnx,
        "NumPy, the function of this name");
  }

  private static Op compare(
      String name,
      java.util.function.Predicate<double[]> real,
      java.util.function.Predicate<long[]> integer,
      String sign,
      String lane,
      String onnx) {
    return elementwise(
        name,
        Family.COMPARE,
        2,
        name.endsWith("equal") && name.length() <= 9 ? ANY : NUMBERS,
        Rules.COMPARE,
        new Scalar(
            x -> real.test(x) ? 1 : 0,
            x -> integer.test(x) ? 1 : 0,
            "($0 " + sign + " $1)",
            "$0.compare(VectorOperators." + lane + ", $1)"),
        onnx,
        "NumPy, the function of this name");
  }

  static Op elementwise(
      String name,
      Family family,
      int arity,
      Set<DType> dtypes,
      Op.TypeRule type,
      Scalar scalar,
      String onnx,
      String source) {
    return new Op(
        name,
        family,
        arity,
        dtypes,
        type,
        null,
        "integers and bool have no derivative",
        Batching.ALL,
        scalar,
        onnx,
        source);
  }
}
