package io.fragua.cpu;

import io.fragua.cpu.VectorText.Var;

/**
 * Writes elementary functions on f32 as Java statements on Vector API values: argument reduction
 * and a polynomial, all of additions, products and fused multiply-adds, whose results IEEE 754
 * fixes. {@code lanewise(EXP)} and its like would be shorter, but they give other bits while the
 * JVM still interprets than after it has compiled, so that the same model would score the same row
 * differently.
 *
 * <p>The coefficients are least-maximum fits (Lawson's weighting) of the remainder after the terms
 * of the Taylor series that are written out. Largest errors against f64, in units in the last
 * place: exp 0.99, expm1 1.42, log 0.81, log1p 1.30, tanh 2.40, logistic 2.35, erf 1.5, erfc 5.1;
 * those of {@link VectorAngles} are there. Results of exp, logistic and erfc below 2.4e-38 may be
 * 0.
 */
final class VectorMath {
  /** (e^r - 1 - r) / r^2 for |r| up to ln(2) / 2. */
  private static final float[] EXP = {
    0.5f, 0.16666667f, 0.041666355f, 0.008333273f, 0.001394097f, 0.0001991414f
  };

  /** (ln(1 + f) - f + f^2 / 2) / f^3 for f from -1/3 to 1/3. */
  private static final float[] LOG = {
    0.33333337f,
    -0.24999824f,
    0.19999325f,
    -0.1667945f,
    0.14312433f,
    -0.121974036f,
    0.10664956f,
    -0.12838596f,
    0.123467565f
  };

  /** (2^f - 1) / f for |f| up to 1/2. */
  private static final float[] EXP2 = {
    0.6931472f, 0.2402265f, 0.05550405f, 0.009618087f, 0.0013337972f, 0.00015452094f, 1.432023e-05f
  };

  /** erf(x) / x - 1 by powers of x^2, for |x| up to 0.95. */
  private static final float[] ERF = {
    0.12837917f,
    -0.3761263f,
    0.11283626f,
    -0.02685574f,
    0.0051924605f,
    -0.0008050804f,
    8.002775e-05f
  };

  /** -ln(1 - erf(x)) / x for x from 0.9 to 4. */
  private static final float[] ERFC = {
    1.1285449f,
    0.6356564f,
    0.10520308f,
    -0.022612128f,
    0.002892332f,
    -3.605731e-05f,
    -4.8208174e-05f,
    5.1518145e-06f
  };

  /** e^(x^2) erfc(x) (1 + x / 2) by powers of t - 1/2, where t = 1 / (1 + x / 2), x up to 10.2. */
  private static final float[] ERFCX = {
    0.51079136f,
    0.6871609f,
    0.558943f,
    0.14574337f,
    -0.1720191f,
    -0.10296074f,
    0.0973226f,
    0.04651048f,
    -0.06749103f,
    0.011683943f
  };

  private static final float LOG2_E = 1.442695f;

  /**
   * ln(2) in two parts; the first has few enough bits that its product with an exponent is exact.
   */
  private static final float LN2_HIGH = 0.693359375f;

  private static final float LN2_LOW = -0.00021219444f;

  /** 1.5 * 2^23: adding it rounds to an integer, which then stands in the low bits. */
  static final float MAGIC = 12582912f;

  static final int MAGIC_BITS = 0x4B400000;

  /** Bits of 2/3, where a mantissa starts, so that logarithms near 1 lose nothing. */
  private static final int TWO_THIRDS = 0x3F2AAAAB;

  final VectorText text;
  final boolean inv;

  private VectorMath(VectorText text, boolean invariant) {
    this.text = text;
    this.inv = invariant;
  }

  /** True if there is code for a row of the op table. */
  static boolean has(String op) {
    return switch (op) {
      case "exp", "exp2", "expm1", "log", "log1p", "tanh", "logistic" -> true;
      case "sin", "cos", "tan", "erf", "erfc" -> true;
      default -> false;
    };
  }

  /** Writes one function; gives the variable that holds its result. */
  static Var emit(VectorText text, String op, Var x) {
    VectorMath m = new VectorMath(text, x.invariant());
    return switch (op) {
      case "exp" -> m.exp(x);
      case "exp2" -> m.exp2(x);
      case "sin", "cos", "tan" -> new VectorAngles(m).emit(op, x);
      case "erf" -> m.erf(x);
      case "erfc" -> m.erfc(x);
      case "expm1" -> m.expm1(x);
      case "log" -> m.log(x);
      case "log1p" -> m.log1p(x);
      case "tanh" -> m.tanh(x);
      default -> m.logistic(x);
    };
  }

  /** A statement; {@code $0}, {@code $1}, ... stand for the operands. */
  Var f(String expression, Var... operands) {
    return text.assign('F', fill(expression, operands), inv);
  }

  Var i(String expression, Var... operands) {
    return text.assign('I', fill(expression, operands), inv);
  }

  static String fill(String expression, Var... operands) {
    for (int o = 0; o < operands.length; o++) {
      expression = expression.replace("$" + o, operands[o].name());
    }
    return expression;
  }

  Var constant(float c) {
    return text.number('F', "FloatVector.broadcast(FS, " + ScalarText.floatLiteral(c) + ")");
  }

  Var fma(Var a, Var b, Var c) {
    return f("$0.fma($1, $2)", a, b, c);
  }

  /** {@code yes} where {@code x} compares so with {@code bound}, else {@code no}. */
  Var where(Var x, String comparison, float bound, String yes, Var no) {
    Var m =
        text.assign(
            'f',
            x.name()
                + ".compare(VectorOperators."
                + comparison
                + ", "
                + ScalarText.floatLiteral(bound)
                + ")",
            inv);
    return f("$0.blend(" + yes + ", $1)", no, m);
  }

  private Var clamp(Var x, float low, float high) {
    Var top = where(x, "GT", high, ScalarText.floatLiteral(high), x); // not NaN: it is not greater
    return where(top, "LT", low, ScalarText.floatLiteral(low), top);
  }

  Var polynomial(Var x, float[] coefficients) {
    Var p = constant(coefficients[coefficients.length - 1]);
    for (int c = coefficients.length - 2; c >= 0; c--) {
      p = fma(p, x, constant(coefficients[c]));
    }
    return p;
  }

  /** e^r - 1, and n in the low bits of a float, where x = n * ln(2) + r. */
  private record Reduced(Var t, Var q) {}

  private Reduced reduce(Var x) {
    Var t = fma(x, constant(LOG2_E), constant(MAGIC));
    Var n = f("$0.sub(" + MAGIC + "f)", t);
    Var r = fma(n, constant(-LN2_HIGH), x);
    r = fma(n, constant(-LN2_LOW), r);
    Var q = fma(f("$0.mul($0)", r), polynomial(r, EXP), r);
    return new Reduced(t, q);
  }

  /** 2^(n - 1), where it is a normal number: half of 2^n, which itself may be infinite. */
  private Var halfPower(Reduced e) {
    return power(i("$0.reinterpretAsInts()", e.t), 126 - MAGIC_BITS);
  }

  /** 2^k for an integer k + bias that is a normal exponent. */
  private Var power(Var k, int bias) {
    Var exponent = i("$0.add(" + bias + ")", k);
    Var bits = i("$0.lanewise(VectorOperators.LSHL, 23)", exponent);
    return f("$0.reinterpretAsFloats()", bits);
  }

  /** Results that are not normal, or within a factor of 2 of it, are 0. */
  private Var exp(Var x) {
    return where(x, "GT", 88.72284f, "Float.POSITIVE_INFINITY", expOfNegative(x));
  }

  /** {@link #exp} of what is never above 88.72. */
  private Var expOfNegative(Var x) {
    return where(x, "LT", -86.98f, "0f", expInRange(x));
  }

  /** {@link #exp} of -86.98 to 88.72: 2 e^r times 2^(n - 1), which both ends allow. */
  private Var expInRange(Var x) {
    Reduced e = reduce(x);
    Var twice = fma(e.q, constant(2), constant(2));
    return f("$0.mul($1)", twice, halfPower(e));
  }

  /** The whole part of the exponent needs no product, so 2 to the power of it is exact. */
  private Var exp2(Var x) {
    Var c = clamp(x, -151, 129);
    Var t = f("$0.add(" + MAGIC + "f)", c);
    Var fraction = f("$0.sub($1)", c, f("$0.sub(" + MAGIC + "f)", t));
    Var p = fma(fraction, polynomial(fraction, EXP2), constant(1));
    return scaled(p, i("$0.reinterpretAsInts().sub(" + MAGIC_BITS + ")", t));
  }

  /** Near 0 a polynomial, beyond 1 - e^-p(x), which is 1 from 4 on. */
  private Var erf(Var x) {
    Var a = f("$0.abs()", x);
    Var near = fma(polynomial(f("$0.mul($0)", x), ERF), x, x);
    Var t = where(a, "GT", 4, "4f", a);
    Var e = expInRange(f("$0.neg()", f("$0.mul($1)", t, polynomial(t, ERFC))));
    Var far = signed(f("$0.neg()", f("$0.sub(1f)", e)), x);
    return where(a, "GT", 0.92f, far.name(), near);
  }

  /** What the square loses to rounding is put back: in its exponential it would be 100 ulps. */
  private Var erfc(Var x) {
    Var all = f("$0.abs()", x);
    Var a = where(all, "GT", 10.1f, "10.1f", all);
    Var square = f("$0.mul($0)", a);
    Var lost = fma(a, a, f("$0.neg()", square));
    Var e = expOfNegative(f("$0.neg()", square));
    e = fma(f("$0.neg()", e), lost, e);
    Var t = f("$0.div($1)", constant(1), fma(a, constant(0.5f), constant(1)));
    Var scaled = f("$0.mul($1)", t, polynomial(f("$0.sub(0.5f)", t), ERFCX));
    Var y = f("$0.mul($1)", scaled, e);
    return where(x, "LT", 0, f("$0.neg()", f("$0.sub(2f)", y)).name(), y);
  }

  /** 2^n p. */
  private Var scaled(Var p, Var n) {
    // Two factors, since 2^n alone may be infinite, or too small to be exact.
    Var half = i("$0.lanewise(VectorOperators.ASHR, 1)", n);
    Var rest = i("$0.sub($1)", n, half);
    Var once = f("$0.mul($1)", p, power(half, 127));
    return f("$0.mul($1)", once, power(rest, 127));
  }

  private Var expm1(Var x) {
    Reduced e = reduce(clamp(x, -40, 89));
    Var h = halfPower(e);
    Var v = fma(h, e.q, f("$0.sub(0.5f)", h));
    return tiny(x, f("$0.add($0)", v));
  }

  /** Functions that are x for tiny x keep its sign and its denormals. */
  Var tiny(Var x, Var y) {
    Var a = f("$0.abs()", x);
    return where(a, "LT", 1e-7f, x.name(), y);
  }

  private Var log(Var x) {
    Var up = f("$0.mul(8388608f)", x);
    Var y = where(x, "LT", Float.MIN_NORMAL, up.name(), x);
    Var bits = i("$0.reinterpretAsInts()", y);
    Var above = i("$0.sub(" + TWO_THIRDS + ")", bits);
    Var e = i("$0.lanewise(VectorOperators.ASHR, 23)", above);
    Var scale = i("$0.lanewise(VectorOperators.LSHL, 23)", e);
    Var m = i("$0.sub($1)", bits, scale);
    Var n = text.assign('F', VectorText.convert("I2F", "FS", e), inv);
    Var down = f("$0.sub(23f)", n);
    n = where(x, "LT", Float.MIN_NORMAL, down.name(), n);
    Var fraction = f("$0.reinterpretAsFloats()", m);
    fraction = f("$0.sub(1f)", fraction);
    Var s = f("$0.mul($0)", fraction);
    Var cube = f("$0.mul($1)", s, fraction);
    Var w = fma(cube, polynomial(fraction, LOG), f("$0.mul(-0.5f)", s));
    w = fma(n, constant(LN2_LOW), w);
    w = f("$0.add($1)", fraction, w);
    w = fma(n, constant(LN2_HIGH), w);
    w = where(x, "EQ", 0, "Float.NEGATIVE_INFINITY", w);
    w = where(x, "LT", 0, "Float.NaN", w);
    w = where(x, "EQ", Float.POSITIVE_INFINITY, "Float.POSITIVE_INFINITY", w);
    Var nan = text.assign('f', fill("$0.compare(VectorOperators.NE, $0)", x), inv);
    return f("$0.blend($1, $2)", w, x, nan);
  }

  /** ln(u) with u = 1 + x rounded, and a correction for the rounding. */
  private Var log1p(Var x) {
    Var u = f("$0.add(1f)", x);
    Var lost = f("$0.sub(1f)", u);
    lost = f("$0.sub($1)", x, lost);
    Var d = f("$0.div($1)", lost, u);
    d = where(x, "GT", 1e7f, "0f", d); // also infinity, where it is not a number
    d = where(u, "EQ", 0, "0f", d);
    return tiny(x, f("$0.add($1)", log(u), d));
  }

  /**
   * v / (v + 1) with v half of e^(2 |x|) - 1, which from 10 on is 1 for f32. For tiny x the
   * exponential's remainder is 2 |x| itself, so that v is x to the last bit.
   */
  private Var tanh(Var x) {
    Var a = f("$0.abs()", x);
    Var twice = f("$0.add($0)", where(a, "GT", 10, "10f", a));
    Reduced e = reduce(twice);
    Var h = halfPower(e);
    Var v = fma(h, e.q, f("$0.sub(0.5f)", h));
    return signed(f("$0.div($1)", v, f("$0.add(1f)", v)), x);
  }

  /** A number that is not negative, with the sign of another. */
  private Var signed(Var y, Var x) {
    Var sign = i("$0.reinterpretAsInts()", x);
    sign = i("$0.and(-2147483648)", sign);
    Var bits = i("$0.reinterpretAsInts()", y);
    bits = i("$0.or($1)", bits, sign);
    return f("$0.reinterpretAsFloats()", bits);
  }

  /**
   * e^x / (1 + e^x) from the side where e^x does not overflow, so small results keep their digits.
   */
  private Var logistic(Var x) {
    Var a = f("$0.abs()", x);
    Var e = expOfNegative(f("$0.neg()", a));
    Var top = where(x, "LT", 0, e.name(), constant(1));
    return f("$0.div($1)", top, f("$0.add(1f)", e));
  }
}
