package io.fragua.testing;

import static io.fragua.testing.OpCase.of;
import static io.fragua.testing.OpCase.operand;

import io.fragua.tensor.Attrs;
import io.fragua.tensor.DType;
import java.util.List;

/** Fourier transforms: lengths with all kinds of factors, primes too, along every axis. */
final class FftCases {
  private static final int[][] SHAPES = {
    {0, 2},
    {1, 2},
    {2, 2},
    {3, 2},
    {4, 2},
    {5, 2},
    {6, 2},
    {7, 2},
    {8, 2},
    {9, 2},
    {11, 2},
    {12, 2},
    {13, 2},
    {16, 2},
    {17, 2},
    {210, 2},
    {211, 2},
    {223, 2},
    {256, 2},
    {361, 2},
    {446, 2},
    {509, 2},
    {2, 3, 2},
    {3, 4, 2},
    {2, 0, 2},
    {0, 3, 2},
    {2, 3, 5, 2},
    {4, 1, 3, 2},
    {3, 17, 8, 2}
  };

  private FftCases() {}

  static void addTo(List<OpCase> all) {
    for (DType t : List.of(DType.F32, DType.F64)) {
      for (int[] s : SHAPES) {
        for (int axis = 0; axis < s.length - 1; axis++) {
          for (int inverse = 0; inverse < 2; inverse++) {
            Attrs a = Attrs.of("axis", axis).with("inverse", inverse);
            Tolerance tol = Tolerance.sum(s[axis], 2);
            all.add(of("fft", a, tol, operand(t, Values.range(-1, 1), s)).differentiable());
          }
        }
      }
    }
  }
}
