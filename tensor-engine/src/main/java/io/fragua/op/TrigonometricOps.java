package io.fragua.op;

import static io.fragua.op.UnaryOps.real;

import io.fragua.tensor.Tensor;
import java.util.List;

/** Rows of angles and of hyperbolas; sin, cos and tanh stand with the other unary rows. */
final class TrigonometricOps {
  static final List<Op> ROWS =
      List.of(
          real(
              "tan",
              Math::tan,
              "Math.tan($0)",
              null,
              (g, x, y) -> g.mul(y.square().add(1)),
              "Tan-7"),
          real(
              "asin",
              Math::asin,
              "Math.asin($0)",
              null,
              (g, x, y) -> g.mul(oneMinusSquare(x).rsqrt()),
              "Asin-7"),
          real(
              "acos",
              Math::acos,
              "Math.acos($0)",
              null,
              (g, x, y) -> g.mul(oneMinusSquare(x).rsqrt()).neg(),
              "Acos-7"),
          real(
              "atan",
              Math::atan,
              "Math.atan($0)",
              null,
              (g, x, y) -> g.div(x.square().add(1)),
              "Atan-7"),
          real("sinh", Math::sinh, "Math.sinh($0)", null, (g, x, y) -> g.mul(x.cosh()), "Sinh-9"),
          real("cosh", Math::cosh, "Math.cosh($0)", null, (g, x, y) -> g.mul(x.sinh()), "Cosh-9"),
          real(
              "asinh",
              Special::asinh,
              "io.fragua.op.Special.asinh($0)",
              null,
              (g, x, y) -> g.mul(x.square().add(1).rsqrt()),
              "Asinh-9"),
          real(
              "acosh",
              Special::acosh,
              "io.fragua.op.Special.acosh($0)",
              null,
              (g, x, y) -> g.mul(x.sub(1).rsqrt()).mul(x.add(1).rsqrt()),
              "Acosh-9"),
          real(
              "atanh",
              Special::atanh,
              "io.fragua.op.Special.atanh($0)",
              null,
              (g, x, y) -> g.div(oneMinusSquare(x)),
              "Atanh-9"),
          BinaryOps.binary(
              "atan2",
              Rules.FLOATS,
              x -> Math.atan2(x[0], x[1]),
              null,
              "($T) Math.atan2($0, $1)",
              null,
              (g, in, y, a) -> {
                Tensor scaled = g.div(in.get(0).square().add(in.get(1).square()));
                return List.of(scaled.mul(in.get(1)), scaled.mul(in.get(0)).neg());
              },
              "none: no ONNX operator"),
          BinaryOps.binary(
              "hypot",
              Rules.FLOATS,
              x -> Math.hypot(x[0], x[1]),
              null,
              "($T) Math.hypot($0, $1)",
              null,
              (g, in, y, a) -> {
                // Of the two infinite slopes at the origin none is right; 0 is.
                Tensor zero = Tensor.scalar(y.dtype(), 0);
                Tensor scaled = g.div(y.equal(zero).select(Rules.one(y), y));
                return List.of(scaled.mul(in.get(0)), scaled.mul(in.get(1)));
              },
              "none: no ONNX operator"));

  private TrigonometricOps() {}

  /** 1 - x^2 as a product, which keeps its digits near 1. */
  private static Tensor oneMinusSquare(Tensor x) {
    return x.neg().add(1).mul(x.add(1));
  }
}
