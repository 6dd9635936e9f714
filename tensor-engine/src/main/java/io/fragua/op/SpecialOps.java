package io.fragua.op;

import static io.fragua.op.UnaryOps.real;

import io.fragua.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Rows of the error function, of the gamma function and of Bessel's; {@link Special} says what they
 * are.
 */
final class SpecialOps {
  /** 2 / sqrt(pi), the slope of erf at 0. */
  private static final double SLOPE = 2 / Math.sqrt(Math.PI);

  static final List<Op> ROWS =
      List.of(
          real(
              "erf",
              Special::erf,
              "io.fragua.op.Special.erf($0)",
              null,
              (g, x, y) -> g.mul(x.square().neg().exp()).mul(SLOPE),
              "Erf-13"),
          real(
              "erfc",
              Special::erfc,
              "io.fragua.op.Special.erfc($0)",
              null,
              (g, x, y) -> g.mul(x.square().neg().exp()).mul(-SLOPE),
              "none: Sub(1, Erf)"),
          real(
              "erf_inv",
              Special::erfInv,
              "io.fragua.op.Special.erfInv($0)",
              null,
              (g, x, y) -> g.mul(y.square().exp()).div(SLOPE),
              "none: no ONNX operator"),
          real(
              "lgamma",
              Special::lgamma,
              "io.fragua.op.Special.lgamma($0)",
              null,
              (g, x, y) -> g.mul(x.digamma()),
              "none: no ONNX operator"),
          real(
              "digamma",
              Special::digamma,
              "io.fragua.op.Special.digamma($0)",
              null,
              (g, x, y) -> g.mul(Tensor.scalar(x.dtype(), 1).polygamma(x)),
              "none: no ONNX operator"),
          real(
              "bessel_i0e",
              Special::besselI0e,
              "io.fragua.op.Special.besselI0e($0)",
              null,
              (g, x, y) -> g.mul(x.besselI1e().sub(x.sign().mul(y))),
              "none: no ONNX operator"),
          real(
              "bessel_i1e",
              Special::besselI1e,
              "io.fragua.op.Special.besselI1e($0)",
              null,
              (g, x, y) -> {
                Tensor zero = x.equal(Tensor.scalar(x.dtype(), 0));
                Tensor one = Tensor.scalar(x.dtype(), 1);
                Tensor ratio = zero.select(one.mul(0.5), y.div(zero.select(one, x)));
                return g.mul(x.besselI0e().sub(x.sign().mul(y)).sub(ratio));
              },
              "none: no ONNX operator"),
          BinaryOps.binary(
              "polygamma",
              Rules.FLOATS,
              x -> Special.polygamma(x[0], x[1]),
              null,
              "($T) io.fragua.op.Special.polygamma($0, $1)",
              null,
              (g, in, y, a) -> Arrays.asList(null, g.mul(in.get(0).add(1).polygamma(in.get(1)))),
              "none: no ONNX operator"),
          BinaryOps.binary(
              "random_loggamma_grad",
              Rules.FLOATS,
              x -> GammaSlope.of(x[0], x[1]),
              null,
              "($T) io.fragua.op.GammaSlope.of($0, $1)",
              null,
              Op.Vjp.refused(
                  "random_loggamma_grad: the gradient of gamma numbers has no derivative: a second"
                      + " one was asked; stop the gradient of the numbers or of the first one"),
              "none: no ONNX operator"));

  private SpecialOps() {}
}
