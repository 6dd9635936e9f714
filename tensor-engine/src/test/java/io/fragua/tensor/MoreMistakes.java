package io.fragua.tensor;

import static io.fragua.tensor.ErrorTextTest.f;
import static io.fragua.tensor.ErrorTextTest.of;

import io.fragua.tensor.ErrorTextTest.Mistake;
import java.util.List;

/** Mistakes of linear algebra, Fourier transforms and groups, for {@link ErrorTextTest}. */
final class MoreMistakes {
  /** Those that once named the values where there were some. */
  static final List<Mistake> ALL =
      List.of(
          of(
              "inv: matrices must be square: f32[2, 3]; use pinv for others",
              x -> List.of(x.get(0).inv()),
              f(2, 3)),
          of(
              "matrix_power: matrices must be square: f32[2, 3]; slice them",
              x -> List.of(x.get(0).matrixPower(2)),
              f(2, 3)),
          of(
              "expm: matrices must be square: f32[2, 3]; slice them",
              x -> List.of(x.get(0).expm()),
              f(2, 3)),
          of(
              "lstsq: needs a matrix, two axes: f32[2]; reshape it",
              x -> List.of(x.get(0).lstsq(x.get(0))),
              f(2)),
          of(
              "rfft: the axis must not be empty: axis -1 of f32[0]; pad it",
              x -> List.of(x.get(0).rfft()),
              f(0)),
          of(
              "irfft: needs pairs on the last axis, an axis before it and n > 0: axis 0 of f32[2],"
                  + " n 2; use what rfft gave",
              x -> List.of(x.get(0).irfft(0, 2)),
              f(2)),
          of(
              "irfft: the axis must have n / 2 + 1 elements: axis 0 of f32[3, 2], n 2 (3 vs 2);"
                  + " slice or pad it",
              x -> List.of(x.get(0).irfft(0, 2)),
              f(3, 2)),
          of(
              "conj: the last axis must be the pair of real and imaginary part: f32[3]; stack the"
                  + " two parts on a last axis",
              x -> List.of(x.get(0).conj()),
              f(3)),
          of(
              "complex_mul: the last axis must be the pair of real and imaginary part: f32[3];"
                  + " stack the two parts on a last axis",
              x -> List.of(x.get(0).complexMul(x.get(1))),
              f(2),
              f(3)),
          of(
              "tensordot: the number of axes must lie in [0, 1]: 2 axes of f32[2] and f32[3]; sum"
                  + " fewer",
              x -> List.of(x.get(0).tensordot(x.get(1), 2)),
              f(2),
              f(3)),
          of(
              "tensordot: axes must be pairs of equal size, each once: axes [0] of f32[2] with [0]"
                  + " of f32[3]; correct the axes",
              x -> List.of(x.get(0).tensordot(x.get(1), 1)),
              f(2),
              f(3)),
          of(
              "vdot: operands must have as many elements: f32[2] with f32[3] (2 vs 3); slice one of"
                  + " them",
              x -> List.of(x.get(0).vdot(x.get(1))),
              f(2),
              f(3)),
          of(
              "vecdot: the last axes must have one size: f32[2] with f32[3]; transpose one of them",
              x -> List.of(x.get(0).vecdot(x.get(1))),
              f(2),
              f(3)),
          of(
              "cross: the last axes must have size 3: f32[2] with f32[3]; transpose or pad with a"
                  + " zero",
              x -> List.of(x.get(0).cross(x.get(1))),
              f(2),
              f(3)),
          of(
              "diagonal: needs two axes: f32[2]; reshape it first",
              x -> List.of(x.get(0).diagonal()),
              f(2)),
          of(
              "trace: needs two axes: f32[2]; reshape it first",
              x -> List.of(x.get(0).trace()),
              f(2)),
          of(
              "segments: the rows' leading axes must be those of the groups: f32[4] with groups"
                  + " i32[2, 2]; reshape one of them",
              x -> List.of(x.get(0).segmentMean(0, x.get(1))),
              f(4),
              TensorType.of(DType.I32, 2, 2)),
          of(
              "scatter: indices must be i32: f32[1]; cast them",
              x -> List.of(x.get(0).embeddingBag(x.get(1), x.get(2), 3, Segments.Fold.SUM)),
              f(0, 2),
              TensorType.of(DType.I32, 1),
              f(1)),
          of(
              "at_least: the number of axes must lie in [0, 64]: 2147483647 for f32[1]; correct it",
              x -> List.of(x.get(0).atLeast(Integer.MAX_VALUE)),
              f(1)),
          of(
              "at_least: the number of axes must lie in [0, 64]: -2147483648 for f32[1]; correct"
                  + " it",
              x -> List.of(x.get(0).atLeast(Integer.MIN_VALUE)),
              f(1)),
          of(
              "fftfreq: a single tensor holds at most 2147483583 bytes: f64[1073741824]; split the"
                  + " tensor",
              x -> List.of(Fourier.fftfreq(1 << 30, 1)),
              f(1)),
          of(
              "rfftfreq: a single tensor holds at most 2147483583 bytes: f64[536870913]; split the"
                  + " tensor",
              x -> List.of(Fourier.rfftfreq(1 << 30, 1)),
              f(1)));

  private MoreMistakes() {}
}
