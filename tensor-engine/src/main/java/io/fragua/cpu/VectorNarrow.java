package io.fragua.cpu;

import io.fragua.cpu.VectorText.Var;
import io.fragua.tensor.DType;

/**
 * Writes how elements of one and two bytes get into the 32-bit lanes of vectors and back. f16 and
 * bf16 are held as the floats that they are, narrow integers as ints; after an operation they are
 * rounded or wrapped by integer instructions, so that a kernel of many operations gives the bits
 * that one operation at a time gives.
 */
final class VectorNarrow {
  private final VectorText text;

  VectorNarrow(VectorText text) {
    this.text = text;
  }

  /** True if the type is narrower than a lane. */
  static boolean is(DType t) {
    return t.bytes() < 4 && t != DType.BOOL;
  }

  /** The species of vectors with as many elements of this type as there are lanes. */
  static String species(DType t) {
    return t.bytes() == 1 ? "BS" : "HALVES";
  }

  /** Lanes from memory. */
  Var load(DType t, String memory, String offset) {
    String type = t.bytes() == 1 ? "ByteVector" : "ShortVector";
    String in = Memory.load(type, species(t), memory, offset);
    String how = t.bytes() == 1 ? "B2I" : "S2I";
    Var x =
        text.assign(
            'I',
            "((" + type + ") " + in + ").convertShape(VectorOperators." + how + ", IS, 0)",
            false);
    return switch (t) {
      case U8 -> i("$0.and(255)", x);
      case BF16 -> f("$0.reinterpretAsFloats()", i("$0.lanewise(VectorOperators.LSHL, 16)", x));
      case F16 -> fromF16(x);
      default -> x;
    };
  }

  /** The statement that rounds lanes to bf16 and writes them. */
  String storeRounded(Var x, String memory, String offset) {
    Var bits = i("$0.lanewise(VectorOperators.ASHR, 16)", rounded(x));
    return write(DType.BF16, bits, memory, offset);
  }

  /** The statement that writes lanes, which hold numbers of the type. */
  String store(DType t, Var x, String memory, String offset) {
    Var bits =
        switch (t) {
          case BF16 -> i("$0.lanewise(VectorOperators.ASHR, 16)", i("$0.reinterpretAsInts()", x));
          case F16 -> toF16(x);
          default -> x;
        };
    return write(t, bits, memory, offset);
  }

  private static String write(DType t, Var bits, String memory, String offset) {
    String type = t.bytes() == 1 ? "ByteVector" : "ShortVector";
    String how = t.bytes() == 1 ? "I2B" : "I2S";
    String narrow = VectorText.convert(how, species(t), bits);
    return Memory.store("((" + type + ") " + narrow + ")", memory, offset);
  }

  /** The numbers of the type that lanes stand for after an operation. */
  Var narrow(DType t, Var x) {
    return switch (t) {
      case I8 -> i("$0.lanewise(VectorOperators.ASHR, 24)", i(SHIFT.formatted(24), x));
      case I16 -> i("$0.lanewise(VectorOperators.ASHR, 16)", i(SHIFT.formatted(16), x));
      case U8 -> i("$0.and(255)", x);
      case BF16 -> roundBf16(x);
      case F16 -> roundF16(x);
      default -> x;
    };
  }

  /**
   * Lanes of int from floats, truncated towards zero; what is beyond the range is its end, and NaN
   * is 0. Done with integers: JDK 17 has no code for the conversion and makes objects of the lanes.
   */
  private Var truncated(Var x) {
    Var bits = i("$0.reinterpretAsInts()", x);
    Var leading = i("((IntVector) $0.lanewise(VectorOperators.LSHL, 8)).or(-2147483648)", bits);
    Var exponent = i("((IntVector) $0.lanewise(VectorOperators.LSHR, 23)).and(255)", bits);
    Var down = i("((IntVector) $0.neg()).add(158)", exponent); // from bit 31 to where it belongs
    Var size = i("$0.lanewise(VectorOperators.LSHR, $1)", leading, down);
    size = i("$0.blend(0, $1)", size, ints("$0.compare(VectorOperators.GT, 31)", down));
    Var sign = i("$0.lanewise(VectorOperators.ASHR, 31)", bits);
    Var y = i("((IntVector) $0.lanewise(VectorOperators.XOR, $1)).sub($1)", size, sign);
    Var end = i("((IntVector) $0.neg()).add(2147483647)", sign);
    y = i("$0.blend($1, $2)", y, end, ints("$0.compare(VectorOperators.LT, 1)", down));
    return i("$0.blend(0, $1)", y, lanes("$0.compare(VectorOperators.NE, $0)", x));
  }

  /** Lanes of int from floats, at most the type's range. */
  Var saturate(DType t, Var real) {
    Var x = truncated(real);
    return t == DType.I32
        ? x
        : i("((IntVector) $0.max(" + t.least() + ")).min(" + t.greatest() + ")", x);
  }

  private static final String SHIFT = "$0.lanewise(VectorOperators.LSHL, %d)";

  private Var roundBf16(Var x) {
    return f("((IntVector) $0.and(-65536)).reinterpretAsFloats()", rounded(x));
  }

  /**
   * Floats whose upper halves are to nearest, ties to even: half a unit less one is added, and one
   * more if the last bit is set. NaN becomes the one that stays NaN.
   */
  private Var rounded(Var x) {
    Var y = f("$0.blend(Float.NaN, $1)", x, mask("$0.compare(VectorOperators.NE, $0)", x));
    Var bits = i("$0.reinterpretAsInts()", y);
    Var odd = i("((IntVector) $0.lanewise(VectorOperators.LSHR, 16)).and(1)", bits);
    return i("((IntVector) $0.add(32767)).add($1)", bits, odd);
  }

  private Var roundF16(Var x) {
    Var a = f("$0.abs()", x);
    Var bits = i("$0.reinterpretAsInts()", a);
    Var odd = i("((IntVector) $0.lanewise(VectorOperators.LSHR, 13)).and(1)", bits);
    Var up = i("((IntVector) $0.add(4095)).add($1)", bits, odd);
    Var y = f("((IntVector) $0.and(-8192)).reinterpretAsFloats()", up);
    // Below the normal range the spacing is 2^-24, which is that of floats at 1/2.
    Var small = f("((FloatVector) $0.add(0.5f)).sub(0.5f)", a);
    y = f("$0.blend($1, $2)", y, small, mask("$0.compare(VectorOperators.LT, 6.1035156E-5f)", a));
    y =
        f(
            "$0.blend(Float.POSITIVE_INFINITY, $1)",
            y,
            mask("$0.compare(VectorOperators.GE, 65520f)", a));
    y = f("$0.blend(Float.NaN, $1)", y, mask("$0.compare(VectorOperators.NE, $0)", x));
    Var sign = i("((IntVector) $0.reinterpretAsInts()).and(-2147483648)", x);
    return f(
        "((IntVector) ((IntVector) $0.reinterpretAsInts()).or($1)).reinterpretAsFloats()", y, sign);
  }

  private Var fromF16(Var h) {
    Var sign = i("((IntVector) $0.lanewise(VectorOperators.LSHL, 16)).and(-2147483648)", h);
    Var bits = i("((IntVector) $0.and(32767)).lanewise(VectorOperators.LSHL, 13)", h);
    // The exponent counts from another start; a product moves it, of subnormals too.
    Var y = f("((FloatVector) $0.reinterpretAsFloats()).mul(5.192297E33f)", bits);
    Var top = f("((IntVector) $0.or(2139095040)).reinterpretAsFloats()", bits);
    Var m =
        text.assign(
            'f',
            VectorMath.fill("$0.compare(VectorOperators.GE, 260046848).cast(FS)", bits),
            bits.invariant());
    y = f("$0.blend($1, $2)", y, top, m);
    return f(
        "((IntVector) ((IntVector) $0.reinterpretAsInts()).or($1)).reinterpretAsFloats()", y, sign);
  }

  /** The bits of lanes that hold numbers of f16. */
  private Var toF16(Var x) {
    Var a = f("$0.abs()", x);
    Var bits = i("$0.reinterpretAsInts()", a);
    Var y = i("((IntVector) $0.sub(939524096)).lanewise(VectorOperators.LSHR, 13)", bits);
    Var low =
        i("((IntVector) ((FloatVector) $0.add(0.5f)).reinterpretAsInts()).sub(1056964608)", a);
    Var m = lanes("$0.compare(VectorOperators.LT, 6.1035156E-5f)", a);
    y = i("$0.blend($1, $2)", y, low, m);
    y =
        i(
            "$0.blend(31744, $1)",
            y,
            lanes("$0.compare(VectorOperators.EQ, Float.POSITIVE_INFINITY)", a));
    y = i("$0.blend(32256, $1)", y, lanes("$0.compare(VectorOperators.NE, $0)", x));
    Var sign =
        i(
            "((IntVector) ((IntVector) $0.reinterpretAsInts())"
                + ".lanewise(VectorOperators.LSHR, 16)).and(32768)",
            x);
    return i("$0.or($1)", y, sign);
  }

  private Var mask(String expression, Var x) {
    return text.assign('f', VectorMath.fill(expression, x), x.invariant());
  }

  private Var ints(String expression, Var x) {
    return text.assign('i', VectorMath.fill(expression, x), x.invariant());
  }

  private Var lanes(String expression, Var x) {
    return ints(expression + ".cast(IS)", x);
  }

  private Var f(String expression, Var... operands) {
    return assign('F', expression, operands);
  }

  private Var i(String expression, Var... operands) {
    return assign('I', expression, operands);
  }

  private Var assign(char kind, String expression, Var... operands) {
    boolean invariant = java.util.Arrays.stream(operands).allMatch(Var::invariant);
    return text.assign(kind, VectorMath.fill(expression, operands), invariant);
  }
}
