package io.fragua.cpu;

import io.fragua.cpu.VectorText.Var;

/**
 * Writes sine, cosine and tangent on f32 vectors. The angle is reduced to at most pi / 4 as the sum
 * of two floats, so that a result keeps its digits next to a multiple of pi; angles beyond {@link
 * #FAR}, which are rare, are computed one by one in f64. Largest errors against f64, in units in
 * the last place: sin 0.9, cos 0.9, tan 2.0.
 */
final class VectorAngles {
  /** Larger angles take too many quarter turns for the parts of pi / 2 below. */
  private static final float FAR = 10_000;

  /** pi / 2 in three parts; the first, of 11 bits, times a number of quarter turns is exact. */
  private static final float HALF_PI_HIGH = 1.5703125f;

  private static final float HALF_PI_MIDDLE = 0.0004838268f;
  private static final float HALF_PI_LOW = 2.563344e-12f;
  private static final float TWO_OVER_PI = 0.63661975f;

  /** (sin(r) - r) / r^3 by powers of r^2, for |r| up to pi / 4. */
  private static final float[] SIN = {-0.16666667f, 0.008333379f, -0.00019853069f, 2.8326292e-06f};

  /** (cos(r) - 1 + r^2 / 2) / r^4 by powers of r^2. */
  private static final float[] COS = {0.041666646f, -0.001388731f, 2.4432327e-05f};

  private final VectorMath m;

  VectorAngles(VectorMath m) {
    this.m = m;
  }

  Var emit(String op, Var x) {
    Var t = m.fma(x, m.constant(TWO_OVER_PI), m.constant(VectorMath.MAGIC));
    Var n = m.f("$0.sub(" + VectorMath.MAGIC + "f)", t);
    Var turns = m.i("$0.reinterpretAsInts()", t);
    Var high = m.fma(n, m.constant(-HALF_PI_HIGH), x);
    // high - n * middle as a sum of two floats: what the product and the difference lose is kept
    Var p = m.f("$0.mul(" + HALF_PI_MIDDLE + "f)", n);
    Var lost = m.fma(n, m.constant(HALF_PI_MIDDLE), m.f("$0.neg()", p));
    Var r = m.f("$0.sub($1)", high, p);
    Var rest = m.f("$0.sub($1)", m.f("$0.sub($1)", high, r), p);
    rest = m.f("$0.sub($1)", rest, lost);
    rest = m.fma(n, m.constant(-HALF_PI_LOW), rest);
    Var sum = m.f("$0.add($1)", r, rest);
    rest = m.f("$0.add($1)", m.f("$0.sub($1)", r, sum), rest);
    Var s = sin(sum, rest);
    Var c = cos(sum, rest);
    Var odd =
        m.text.assign(
            'f',
            VectorMath.fill(
                "((IntVector) $0.and(1)).compare(VectorOperators.NE, 0).cast(FS)", turns),
            m.inv);
    Var y;
    if (op.equals("tan")) {
      Var top = m.f("$0.blend($1, $2)", s, m.f("$0.neg()", c), odd);
      y = m.f("$0.div($1)", top, m.f("$0.blend($1, $2)", c, s, odd));
    } else {
      boolean sine = op.equals("sin");
      Var v = sine ? m.f("$0.blend($1, $2)", s, c, odd) : m.f("$0.blend($1, $2)", c, s, odd);
      Var quarter = sine ? turns : m.i("$0.add(1)", turns);
      Var sign = m.i("((IntVector) $0.and(2)).lanewise(VectorOperators.LSHL, 30)", quarter);
      Var bits = m.i("$0.reinterpretAsInts()", v);
      y = m.f("$0.reinterpretAsFloats()", m.i("$0.lanewise(VectorOperators.XOR, $1)", bits, sign));
    }
    if (!op.equals("cos")) {
      y = m.tiny(x, y);
    }
    return m.f("far($0, $1, \"" + op + "\")", x, y);
  }

  private Var sin(Var r, Var rest) {
    Var square = m.f("$0.mul($0)", r);
    Var cube = m.f("$0.mul($1)", square, r);
    return m.f("$0.add($1)", r, m.fma(cube, m.polynomial(square, SIN), rest));
  }

  private Var cos(Var r, Var rest) {
    Var square = m.f("$0.mul($0)", r);
    Var half = m.f("$0.mul(0.5f)", square);
    Var top = m.f("$0.neg()", m.f("$0.sub(1f)", half));
    Var lost = m.f("$0.sub($1)", m.f("$0.neg()", m.f("$0.sub(1f)", top)), half);
    Var tail = m.fma(m.f("$0.mul($0)", square), m.polynomial(square, COS), lost);
    tail = m.fma(m.f("$0.neg()", r), rest, tail);
    return m.f("$0.add($1)", top, tail);
  }

  /** Code of {@code far}: exact results for the lanes whose angle is large, infinite or NaN. */
  static String helper() {
    return "  static FloatVector far(FloatVector x, FloatVector y, String op) {\n"
        + "    if (!((FloatVector) x.abs()).compare(VectorOperators.GT, "
        + FAR
        + "f).anyTrue()) return y;\n"
        + "    float[] a = new float[L];\n"
        + "    float[] b = new float[L];\n"
        + "    x.intoArray(a, 0);\n"
        + "    y.intoArray(b, 0);\n"
        + "    for (int l = 0; l < L; l++) {\n"
        + "      if (Math.abs(a[l]) > "
        + FAR
        + "f) b[l] = io.fragua.cpu.FarAngles.of(op, a[l]);\n"
        + "    }\n"
        + "    return (FloatVector) FloatVector.fromArray(FS, b, 0);\n"
        + "  }\n";
  }
}
