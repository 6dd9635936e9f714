package io.fragua.tensor;

import java.util.List;

/**
 * Element by element: predicates, division with remainder, bits, limits, closeness. Binary ones
 * broadcast as NumPy does.
 */
public interface Arithmetic {
  /** This tensor. */
  Tensor self();

  private Tensor scalar(double v) {
    return Tensor.scalar(self().dtype(), v);
  }

  /** True where the element is NaN, bool; any numbers. */
  default Tensor isNan() {
    return self().notEqual(self());
  }

  /** True where the element is an infinity, bool; floating types, false elsewhere. */
  default Tensor isInf() {
    return self().dtype().isFloating()
        ? self().abs().equal(scalar(Double.POSITIVE_INFINITY))
        : isNan();
  }

  /** True where the element is +infinity, bool; false for integers. */
  default Tensor isPosinf() {
    return self().dtype().isFloating() ? self().equal(scalar(Double.POSITIVE_INFINITY)) : isNan();
  }

  /** True where the element is -infinity, bool; false for integers. */
  default Tensor isNeginf() {
    return self().dtype().isFloating() ? self().equal(scalar(Double.NEGATIVE_INFINITY)) : isNan();
  }

  /** True where the element is neither NaN nor infinite, bool. */
  default Tensor isFinite() {
    return self().dtype().isFloating()
        ? self().abs().less(Double.POSITIVE_INFINITY)
        : self().equal(self());
  }

  /** True where the sign is negative, that of a zero or NaN too; bool. */
  default Tensor signbit() {
    return (self().dtype().isFloating() ? scalar(1).copysign(self()) : self()).less(0);
  }

  /** The whole number next to x toward 0, with x's sign; integers stay. */
  default Tensor trunc() {
    return self().dtype().isInteger()
        ? self()
        : self().less(0).select(self().ceil(), self().floor());
  }

  /**
   * To this many decimals, ties to even: x 10^d is rounded and divided by 10^d, so that a number
   * that x stands for but does not hold, as 0.285, may go the other way. Integers stay, and with
   * less than 0 decimals go to tens, hundreds and so on, in f64.
   *
   * @param decimals -300 to 300; 0 is {@link Elementwise#round()}
   * @source NumPy {@code round}
   */
  default Tensor roundTo(int decimals) {
    Check.that(
        decimals >= -300 && decimals <= 300,
        "round_to: takes -300 to 300 decimals: %d; correct it",
        decimals);
    double ten = Math.pow(10, Math.abs(decimals));
    if (decimals == 0 || self().dtype().isInteger() && decimals > 0) {
      return self().round();
    }
    if (self().dtype().isInteger()) {
      return self().cast(DType.F64).div(ten).round().mul(ten).cast(self().dtype());
    }
    return decimals > 0 ? self().mul(ten).round().div(ten) : self().div(ten).round().mul(ten);
  }

  /**
   * What is behind the point, and the whole number before it, both with x's sign; of an infinity 0
   * and itself.
   *
   * @return fraction, whole; floating types
   * @source NumPy {@code modf}; C
   */
  default List<Tensor> modf() {
    Tensor whole = self().trunc();
    Tensor rest = isInf().select(scalar(0), self().sub(whole));
    return List.of(rest.copysign(self()), whole);
  }

  /**
   * {@link #floorDivide} and {@link #remainder}.
   *
   * @return quotient, remainder
   * @source NumPy {@code divmod}
   */
  default List<Tensor> divmod(Tensor b) {
    return List.of(floorDivide(b), remainder(b));
  }

  /**
   * a to the power b in f64, whatever the types of both are; so integers have negative powers.
   *
   * @source NumPy {@code float_power}
   */
  default Tensor floatPower(Tensor b) {
    return self().cast(DType.F64).pow(b.cast(DType.F64));
  }

  /**
   * The larger; where one is NaN the other.
   *
   * @source NumPy {@code fmax}
   */
  default Tensor fmax(Tensor b) {
    return isNan().select(b, b.isNan().select(self(), self().maximum(b)));
  }

  /**
   * The smaller; where one is NaN the other.
   *
   * @source NumPy {@code fmin}
   */
  default Tensor fmin(Tensor b) {
    return isNan().select(b, b.isNan().select(self(), self().minimum(b)));
  }

  /**
   * These numbers for NaN and the two infinities; integers stay.
   *
   * @source NumPy {@code nan_to_num}
   */
  default Tensor nanToNum(double nan, double posinf, double neginf) {
    if (!self().dtype().isFloating()) {
      return self();
    }
    Tensor low = self().equal(scalar(Double.NEGATIVE_INFINITY)).select(scalar(neginf), self());
    Tensor high = self().equal(scalar(Double.POSITIVE_INFINITY)).select(scalar(posinf), low);
    return isNan().select(scalar(nan), high);
  }

  /** 0 for NaN and the type's greatest finite numbers for infinities. */
  default Tensor nanToNum() {
    double most =
        switch (self().dtype()) {
          case F64 -> Double.MAX_VALUE;
          case F16 -> 65504;
          case BF16 -> 0x1.FEp127;
          default -> Float.MAX_VALUE;
        };
    return nanToNum(0, most, -most);
  }

  /** 1 / x; floating types. */
  default Tensor reciprocal() {
    return scalar(1).div(self());
  }

  /**
   * At least {@code low}, at most {@code high}; the second counts if they cross. NaN stays. At a
   * limit half of the gradient flows.
   *
   * @source NumPy {@code clip}
   */
  default Tensor clip(double low, double high) {
    return clip(self().operand("clip", low), self().operand("clip", high));
  }

  /** As {@link #clip(double, double)}, with limits that differ from element to element. */
  default Tensor clip(Tensor low, Tensor high) {
    return self().maximum(low).minimum(high);
  }

  /**
   * What is left of a division that truncates: a - b trunc(a / b), with the sign of a; 0 for an
   * integer by 0.
   *
   * @source NumPy {@code fmod}; C
   */
  default Tensor fmod(Tensor b) {
    return Elementwise.binary("fmod", self(), b);
  }

  /**
   * What is left of a division that rounds down: a - b floor(a / b), with the sign of b; 0 for an
   * integer by 0.
   *
   * @source NumPy {@code remainder}; Python {@code %}
   */
  default Tensor remainder(Tensor b) {
    Tensor r = fmod(b);
    Tensor zero = scalar(0);
    if (self().dtype() == DType.U8) {
      return r;
    }
    Tensor moved = differs(r, b).select(r.add(b), r);
    if (!self().dtype().isFloating()) {
      return moved;
    }
    // NumPy gives a zero the divisor's sign; the slopes are those of the number it stands for.
    Tensor slopes = moved.stopGradient().sub(moved);
    Tensor signed = zero.copysign(b).stopGradient().sub(slopes);
    return r.equal(zero).and(b.notEqual(zero)).select(signed, moved);
  }

  /** True where what is left is not 0 and has another sign than the divisor. */
  private static Tensor differs(Tensor r, Tensor b) {
    return r.notEqual(Tensor.scalar(r.dtype(), 0)).and(r.less(0).xor(b.less(0)));
  }

  /**
   * Division rounded down; an integer by 0 is 0.
   *
   * @source NumPy {@code floor_divide}; Python {@code //}
   */
  default Tensor floorDivide(Tensor b) {
    Tensor r = fmod(b);
    if (self().dtype() == DType.U8) {
      return self().div(b);
    }
    if (!self().dtype().isFloating()) {
      Tensor q = self().div(b);
      return differs(r, b).select(q.sub(1), q);
    }
    // a - r is a multiple of b, so the quotient is a whole number but for its rounding.
    Tensor q = self().sub(r).div(b);
    Tensor down = differs(r, b).select(q.sub(1), q).round();
    Tensor zero = scalar(0);
    Tensor signed = down.equal(zero).select(zero.copysign(self().div(b)), down);
    return b.equal(zero).select(self().div(b), signed);
  }

  /** The magnitude of a with the sign of b; floating types. */
  default Tensor copysign(Tensor b) {
    return Elementwise.binary("copysign", self(), b);
  }

  /** The number next to a in the direction of b; f32 and f64. No derivative. */
  default Tensor nextafter(Tensor b) {
    return Elementwise.binary("nextafter", self(), b);
  }

  /**
   * 0 below 0, 1 above 0, {@code h} at 0; NaN stays.
   *
   * @source NumPy {@code heaviside}
   */
  default Tensor heaviside(Tensor h) {
    Tensor step = self().greater(0).select(scalar(1), self().less(0).select(scalar(0), h));
    return isNan().select(self(), step);
  }

  /**
   * x 2^n, in two steps so that 2^n itself need not be representable.
   *
   * @param n i32
   * @source NumPy {@code ldexp}
   */
  default Tensor ldexp(Tensor n) {
    DType t = self().dtype();
    Tensor half = n.shiftRightArithmetic(1);
    return self().mul(half.cast(t).exp2()).mul(n.sub(half).cast(t).exp2());
  }

  /** All bits exchanged; integers and bool. */
  default Tensor bitwiseNot() {
    DType t = self().dtype();
    return t == DType.BOOL ? self().not() : self().xor(scalar(t == DType.U8 ? t.greatest() : -1));
  }

  /** The number of bits that are set, in the operand's type; integers. */
  default Tensor populationCount() {
    return Tensor.apply("population_count", Attrs.NONE, self());
  }

  /**
   * Greatest common divisor, 0 of two zeros; integers.
   *
   * @source NumPy {@code gcd}
   */
  default Tensor gcd(Tensor b) {
    return Elementwise.binary("gcd", self(), b);
  }

  /**
   * Least common multiple, 0 if one is 0; integers, which wrap.
   *
   * @source NumPy {@code lcm}
   */
  default Tensor lcm(Tensor b) {
    return self().div(gcd(b)).mul(b).abs();
  }

  /** Shifts bits to the left; by less than 0 or by the width or more gives 0. */
  default Tensor shiftLeft(Tensor n) {
    return Elementwise.binary("shift_left", self(), n);
  }

  /** Shifts bits to the right, filling with zeros; by less than 0 or by the width gives 0. */
  default Tensor shiftRightLogical(Tensor n) {
    return Elementwise.binary("shift_right_logical", self(), n);
  }

  /** Shifts bits to the right, filling with the sign. */
  default Tensor shiftRightArithmetic(Tensor n) {
    return Elementwise.binary("shift_right_arithmetic", self(), n);
  }

  /** As {@link #shiftRightArithmetic(Tensor)}, all by one number. */
  default Tensor shiftRightArithmetic(int n) {
    return shiftRightArithmetic(self().bits(n));
  }

  /**
   * True where |a - b| is at most {@code atol + rtol |b|}, bool; equal infinities are close, NaN is
   * not. Integers are compared as f64.
   *
   * @source NumPy {@code isclose}
   */
  default Tensor isclose(Tensor b, double rtol, double atol) {
    if (!self().dtype().isFloating()) { // no difference wraps, and the bounds may be fractions
      return self().cast(DType.F64).isclose(b.cast(DType.F64), rtol, atol);
    }
    Tensor near =
        self()
            .sub(b)
            .abs()
            .lessEqual(
                b.abs().mul(self().operand("isclose", rtol)).add(self().operand("isclose", atol)));
    // a distance to infinity is never small, though the bound is infinite too
    return self().equal(b).or(near.and(self().isFinite()).and(b.isFinite()));
  }

  /** True if {@link #isclose} is true everywhere: a bool scalar. */
  default Tensor allclose(Tensor b, double rtol, double atol) {
    return isclose(b, rtol, atol).all();
  }
}
