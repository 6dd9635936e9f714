package io.fragua.random;

import io.fragua.tensor.DType;
import io.fragua.tensor.Tensor;

/** The inverse error function that makes uniform numbers normal, of f32. */
final class InverseError {
  /*
   * Inverse error function: two polynomials in w = -log(1 - x^2), for the centre (w < 5, around 2.5)
   * and for the tails (in sqrt(w), around 3); highest power first.
   * Giles, "Approximating the erfinv function", GPU Computing Gems 2, 2011, table 1 (single).
   */
  private static final double[] CENTRE = {
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941
  };
  private static final double[] TAIL = {
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682
  };

  private InverseError() {}

  /** Inverse of the error function on (-1, 1). */
  static Tensor of(Tensor x) {
    Tensor w = x.square().neg().log1p().neg();
    Tensor centre = w.less(5);
    Tensor v = centre.select(w.sub(2.5), w.sqrt().sub(3));
    Tensor p = pick(centre, 0);
    for (int i = 1; i < CENTRE.length; i++) {
      p = p.mul(v).add(pick(centre, i));
    }
    return p.mul(x);
  }

  private static Tensor pick(Tensor centre, int i) {
    return centre.select(Tensor.scalar(DType.F32, CENTRE[i]), Tensor.scalar(DType.F32, TAIL[i]));
  }
}
