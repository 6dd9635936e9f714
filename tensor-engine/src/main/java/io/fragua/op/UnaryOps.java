package io.fragua.op;

import static io.fragua.op.Rules.ANY;
import static io.fragua.op.Rules.BOOL;
import static io.fragua.op.Rules.FLOATS;
import static io.fragua.op.Rules.NUMBERS;

import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Rows with one operand, computed element by element. */
final class UnaryOps {
  /** Derivative of a unary row: operand gradient from g, operand and result. */
  interface D {
    Tensor apply(Tensor g, Tensor x, Tensor y);
  }

  static final List<Op> ROWS =
      List.of(
          unary(
              "neg",
              NUMBERS,
              x -> -x,
              x -> -x,
              "(-$0)",
              "$0.neg()",
              (g, x, y) -> g.neg(),
              "Neg-13"),
          unary(
              "abs",
              NUMBERS,
              Math::abs,
              Math::abs,
              "Math.abs($0)",
              "$0.abs()",
              (g, x, y) -> g.mul(x.sign()),
              "Abs-13"),
          unary(
              "sign",
              NUMBERS,
              Math::signum,
              Long::signum,
              "($0 > 0 ? ($T) 1 : $0 < 0 ? ($T) -1 : $0)",
              "$0.blend(1, $0.compare(VectorOperators.GT, 0)).blend(-1,"
                  + " $0.compare(VectorOperators.LT, 0))",
              (g, x, y) -> IndexOps.zeros(x, g),
              "Sign-13"),
          real("exp", Math::exp, "Math.exp($0)", null, (g, x, y) -> g.mul(y), "Exp-13"),
          // Not exp(x log 2): the product's rounding error would grow with x.
          real(
              "exp2",
              x -> Math.pow(2, x),
              "Math.pow(2, $0)",
              null,
              (g, x, y) -> g.mul(y).mul(Math.log(2)),
              "none: Pow(2, x)"),
          real(
              "expm1",
              Math::expm1,
              "Math.expm1($0)",
              null,
              (g, x, y) -> g.mul(y.add(1)),
              "none: no ONNX operator"),
          real("log", Math::log, "Math.log($0)", null, (g, x, y) -> g.div(x), "Log-13"),
          real(
              "log1p",
              Math::log1p,
              "Math.log1p($0)",
              null,
              (g, x, y) -> g.div(x.add(1)),
              "none: no ONNX operator"),
          real(
              "sqrt",
              Math::sqrt,
              "Math.sqrt($0)",
              "$0.sqrt()",
              (g, x, y) -> g.div(y.mul(2)),
              "Sqrt-13"),
          real(
              "cbrt",
              Math::cbrt,
              "Math.cbrt($0)",
              null,
              (g, x, y) -> g.div(y.square().mul(3)),
              "none: no ONNX operator"),
          real(
              "rsqrt",
              x -> 1 / Math.sqrt(x),
              "1 / Math.sqrt($0)",
              "$V.broadcast($S, 1f).div($0.sqrt())",
              (g, x, y) -> g.mul(y).div(x).mul(-0.5),
              "none: no ONNX operator"),
          real("sin", Math::sin, "Math.sin($0)", null, (g, x, y) -> g.mul(x.cos()), "Sin-7"),
          real("cos", Math::cos, "Math.cos($0)", null, (g, x, y) -> g.mul(x.sin()).neg(), "Cos-7"),
          real(
              "tanh",
              Math::tanh,
              "Math.tanh($0)",
              null,
              (g, x, y) -> g.sub(g.mul(y.square())),
              "Tanh-13"),
          real(
              "logistic",
              x -> 1 / (1 + Math.exp(-x)),
              "1 / (1 + Math.exp(-$0))",
              null,
              (g, x, y) -> g.mul(y.sub(y.square())),
              "Sigmoid-13"),
          // A row of its own because its derivative reads the result alone: the operand need not be
          // kept, and a contraction can apply it as an epilogue.
          unary(
              "relu",
              NUMBERS,
              x -> x > 0 || x != x ? x : 0,
              x -> Math.max(x, 0),
              "($0 <= 0 ? ($T) 0 : $0)",
              "$0.blend(0, $0.compare(VectorOperators.LE, 0))",
              (g, x, y) -> y.greater(0).select(g, Tensor.scalar(g.dtype(), 0)),
              "Relu-14"),
          real(
              "floor",
              Math::floor,
              "Math.floor($0)",
              null,
              (g, x, y) -> IndexOps.zeros(x, g),
              "Floor-13"),
          real(
              "ceil",
              Math::ceil,
              "Math.ceil($0)",
              null,
              (g, x, y) -> IndexOps.zeros(x, g),
              "Ceil-13"),
          real(
              "round",
              Math::rint,
              "Math.rint($0)",
              null,
              (g, x, y) -> IndexOps.zeros(x, g),
              "Round-22"),
          row(
              "logical_not",
              BOOL,
              Rules.SAME,
              null,
              "bool has no derivative",
              new Scalar(null, x -> 1 - x[0], "(!$0)", "$0.not()"),
              "Not-1",
              "NumPy logical_not"),
          row(
              "stop_gradient",
              ANY,
              Rules.SAME,
              null,
              "its purpose is to have none",
              new Scalar(x -> x[0], x -> x[0], "$0", "$0"),
              "Identity-21",
              "JAX lax.stop_gradient"),
          // Code depends on both types, so the compiler writes it; the meaning is the backend's
          // conversion on store.
          row(
              "cast",
              ANY,
              (op, in, a) -> in.get(0).with(a.dtype("dtype")),
              (g, in, out, a) ->
                  java.util.Collections.singletonList(
                      in.get(0).dtype().isFloating() && out.dtype().isFloating()
                          ? g.cast(in.get(0).dtype())
                          : null),
              null,
              new Scalar(x -> x[0], x -> x[0], null, null),
              "Cast-21",
              "NumPy astype"),
          row(
              "bitcast",
              EnumSet.of(DType.F32, DType.I32, DType.F64, DType.I64),
              (op, in, a) -> {
                Rules.dtype(op, in.get(0));
                DType to = a.dtype("dtype");
                Check.shape(
                    to.bytes() == in.get(0).dtype().bytes() && op.dtypes().contains(to),
                    "bitcast: both types must have one width: %s to %s; cast first",
                    in.get(0),
                    to);
                return in.get(0).with(to);
              },
              null,
              "bits have no derivative",
              new Scalar(x -> x[0], x -> x[0], null, null),
              "BitCast-26",
              "JAX lax.bitcast_convert_type"));

  private UnaryOps() {}

  static Op real(
      String name,
      java.util.function.DoubleUnaryOperator f,
      String scalar,
      String vector,
      D d,
      String onnx) {
    return unary(name, FLOATS, f, null, "($T) (" + scalar + ")", vector, d, onnx);
  }

  private static Op unary(
      String name,
      Set<DType> dtypes,
      java.util.function.DoubleUnaryOperator f,
      java.util.function.LongUnaryOperator i,
      String scalar,
      String vector,
      D d,
      String onnx) {
    return row(
        name,
        dtypes,
        Rules.SAME,
        (g, in, out, a) -> List.of(d.apply(g, in.get(0), out)),
        null,
        new Scalar(
            x -> f.applyAsDouble(x[0]),
            i == null ? null : x -> i.applyAsLong(x[0]),
            scalar,
            vector),
        onnx,
        "NumPy or JAX lax, the function of this name");
  }

  static Op row(
      String name,
      Set<DType> dtypes,
      Op.TypeRule type,
      Op.Vjp vjp,
      String noGradient,
      Scalar scalar,
      String onnx,
      String source) {
    return new Op(
        name, Family.UNARY, 1, dtypes, type, vjp, noGradient, Batching.ALL, scalar, onnx, source);
  }
}
