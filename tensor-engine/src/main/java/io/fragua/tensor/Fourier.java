package io.fragua.tensor;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Discrete Fourier transforms, f32 and f64 (computed in f64), of any length.
 *
 * <p>There is no complex dtype: a complex tensor is a real one with a last axis of size 2, the real
 * and the imaginary part, as in ONNX's DFT. So n complex numbers are [n, 2], and axes are counted
 * with that axis: the last axis of the signal is -2. Real operands and results ({@code rfft},
 * {@code irfft}) have no such axis, and their last axis is -1.
 *
 * <p>Forward transforms are not scaled, inverse ones divide by the length. Errors: {@link
 * ShapeException} if a complex operand's last axis is not of size 2, and for an axis that is not
 * there or is that of the pairs.
 *
 * @source NumPy fft; ONNX DFT-20
 */
public interface Fourier {
  /** This tensor. */
  Tensor self();

  private Tensor fft(int axis, boolean inverse) {
    Shape s = self().shape();
    int a = axis < 0 ? axis + s.rank() : axis; // checked by the row
    return Tensor.apply("fft", Attrs.of("axis", a).with("inverse", inverse ? 1 : 0), self());
  }

  /** Transform of complex numbers along one axis: y_k = sum_j x_j e^(-2 pi i j k / n). */
  default Tensor fft(int axis) {
    return fft(axis, false);
  }

  /** Inverse transform of complex numbers: y_k = 1/n sum_j x_j e^(2 pi i j k / n). */
  default Tensor ifft(int axis) {
    return fft(axis, true);
  }

  /** Transform along the last axis of the signal. */
  default Tensor fft() {
    return fft(-2);
  }

  /** Inverse transform along the last axis of the signal. */
  default Tensor ifft() {
    return ifft(-2);
  }

  /** Transform along the last two axes of the signal. */
  default Tensor fft2() {
    return fftn(-3, -2);
  }

  /** Inverse transform along the last two axes of the signal. */
  default Tensor ifft2() {
    return ifftn(-3, -2);
  }

  /** Transform along several axes; none given means all but that of the pairs. */
  default Tensor fftn(int... axes) {
    Tensor t = self();
    for (int a : signal(axes)) {
      t = t.fft(a);
    }
    return t;
  }

  /** Inverse of {@link #fftn}. */
  default Tensor ifftn(int... axes) {
    Tensor t = self();
    for (int a : signal(axes)) {
      t = t.ifft(a);
    }
    return t;
  }

  private int[] signal(int... axes) {
    return axes.length > 0 ? axes : IntStream.range(0, self().shape().rank() - 1).toArray();
  }

  /**
   * Transform of real numbers along one axis, the half that is not the conjugate of the other:
   * [..., n, ...] to [..., n / 2 + 1, ..., 2].
   *
   * @throws ShapeException if the axis is empty
   */
  default Tensor rfft(int axis) {
    Shape s = self().shape();
    int a = s.axis(axis);
    int n = s.dim(a);
    Check.shape(
        n > 0, "rfft: the axis must not be empty: axis %d of %s; pad it", axis, self().type());
    return self().expandDims(-1).pad(-1, 0, 1, 0).fft(a).slice(a, 0, n / 2 + 1);
  }

  /** As {@link #rfft(int)}, along the last axis. */
  default Tensor rfft() {
    return rfft(-1);
  }

  /**
   * The n real numbers of which this is the half transform: [..., n / 2 + 1, ..., 2] to [..., n,
   * ...]. The imaginary parts of the first element and, for even n, of the last do not count.
   *
   * @param n length of the result, which the half does not tell
   * @throws ShapeException if the axis has another size than n / 2 + 1
   */
  default Tensor irfft(int axis, int n) {
    Shape s = self().shape();
    int a = axis < 0 ? axis + s.rank() : axis;
    Check.shape(
        s.rank() >= 2 && s.dim(-1) == 2 && a >= 0 && a < s.rank() - 1 && n > 0,
        "irfft: needs pairs on the last axis, an axis before it and n > 0: axis %d of %s, n %d; use"
            + " what rfft gave",
        axis,
        self().type(),
        n);
    int half = n / 2 + 1;
    Check.shape(
        s.dim(a) == half,
        "irfft: the axis must have n / 2 + 1 elements: axis %d of %s, n %d (%d vs %d); slice or pad"
            + " it",
        axis,
        self().type(),
        n,
        s.dim(a),
        half);
    Tensor mirrored = self().slice(a, 1, 1 + n - half).reverse(a).conj();
    Tensor whole = Movement.concat(a, List.of(self(), mirrored)).ifft(a);
    return whole.slice(-1, 0, 1).reshape(s.with(a, n).slice(0, s.rank() - 1).dims());
  }

  /** As {@link #irfft(int, int)}, along the last axis of the signal. */
  default Tensor irfft(int n) {
    return irfft(-2, n);
  }

  /** The complex conjugate. */
  default Tensor conj() {
    pairs("conj", self());
    return Movement.concat(-1, List.of(self().slice(-1, 0, 1), self().slice(-1, 1, 2).neg()));
  }

  /** Product of complex numbers, element by element; shapes broadcast. */
  default Tensor complexMul(Tensor b) {
    pairs("complex_mul", self());
    pairs("complex_mul", b);
    Tensor re = self().slice(-1, 0, 1);
    Tensor im = self().slice(-1, 1, 2);
    Tensor bre = b.slice(-1, 0, 1);
    Tensor bim = b.slice(-1, 1, 2);
    return Movement.concat(-1, List.of(re.mul(bre).sub(im.mul(bim)), re.mul(bim).add(im.mul(bre))));
  }

  private static void pairs(String who, Tensor t) {
    Check.shape(
        t.shape().rank() >= 1 && t.shape().dim(-1) == 2,
        "%s: the last axis must be the pair of real and imaginary part: %s; stack the two parts on"
            + " a last axis",
        who,
        t.type());
  }

  /**
   * Moves the zero frequency, which comes first, to the middle of each of these axes.
   *
   * @source NumPy fft.fftshift
   */
  default Tensor fftshift(int... axes) {
    Tensor t = self();
    for (int a : axes) {
      int n = t.shape().dim(a);
      t = rolled(t, a, (n + 1) / 2);
    }
    return t;
  }

  /**
   * Undoes {@link #fftshift}.
   *
   * @source NumPy fft.ifftshift
   */
  default Tensor ifftshift(int... axes) {
    Tensor t = self();
    for (int a : axes) {
      t = rolled(t, a, t.shape().dim(a) / 2);
    }
    return t;
  }

  /** The elements from {@code first} on, then those before. */
  private static Tensor rolled(Tensor t, int axis, int first) {
    int n = t.shape().dim(axis);
    return Movement.concat(axis, List.of(t.slice(axis, first, n), t.slice(axis, 0, first)));
  }

  /**
   * The frequencies of a transform's elements, in its order: 0, 1, ..., -2, -1, divided by n d.
   *
   * @param n length of the signal
   * @param d distance of its samples
   * @throws IllegalArgumentException if n is not positive
   * @source NumPy fft.fftfreq
   */
  static Tensor fftfreq(int n, double d) {
    Check.that(n > 0, "fftfreq: the length must be positive: %d; correct it", n);
    TensorType.of(DType.F64, n).fits("fftfreq");
    Tensor i = Movement.iota(DType.F64, Shape.of(n), 0);
    return i.less((n + 1) / 2).select(i, i.sub(n)).div(n * d);
  }

  /**
   * The frequencies of {@link #rfft}'s elements.
   *
   * @throws IllegalArgumentException if n is not positive
   * @source NumPy fft.rfftfreq
   */
  static Tensor rfftfreq(int n, double d) {
    Check.that(n > 0, "rfftfreq: the length must be positive: %d; correct it", n);
    TensorType.of(DType.F64, n / 2 + 1).fits("rfftfreq");
    return Movement.iota(DType.F64, Shape.of(n / 2 + 1), 0).div(n * d);
  }
}
