package io.fragua.cpu;

import io.fragua.tensor.DType;
import java.util.List;
import java.util.Set;

/**
 * Writes elementwise ops as Java statements on primitives. f16 and bf16 are held as float, 8 and 16
 * bit integers as int, bool as boolean.
 */
final class ScalarText {
  /** Ops whose results on f16 or bf16 need no rounding. */
  static final Set<String> EXACT =
      Set.of(
          "neg",
          "abs",
          "sign",
          "relu",
          "floor",
          "ceil",
          "round",
          "stop_gradient",
          "maximum",
          "minimum",
          "select",
          "copysign",
          "fmod");

  private final StringBuilder body;
  private int next;

  ScalarText(StringBuilder body) {
    this.body = body;
  }

  /** The Java type that holds an element. */
  static String type(DType t) {
    return switch (t) {
      case F32, F16, BF16 -> "float";
      case F64 -> "double";
      case I64 -> "long";
      case BOOL -> "boolean";
      default -> "int";
    };
  }

  static String floatLiteral(double value) {
    float f = (float) value;
    return f - f == 0 ? f + "f" : "Float.intBitsToFloat(" + Float.floatToRawIntBits(f) + ")";
  }

  static String literal(DType t, double value, long bits) {
    return switch (t) {
      case F32, F16, BF16 -> floatLiteral(value);
      case F64 ->
          value - value == 0
              ? value + "d"
              : "Double.longBitsToDouble(" + Double.doubleToRawLongBits(value) + "L)";
      case I64 -> bits == Long.MIN_VALUE ? "Long.MIN_VALUE" : bits + "L";
      case BOOL -> bits != 0 ? "true" : "false";
      default -> bits == Integer.MIN_VALUE ? "Integer.MIN_VALUE" : Long.toString(bits);
    };
  }

  String assign(String type, String expression) {
    String name = "v" + next++;
    body.append("      " + type + " " + name + " = " + expression + ";\n");
    return name;
  }

  /** Writes one op; gives the variable that holds its result. */
  String emit(Value v, List<String> args) {
    DType to = v.type.dtype();
    DType from = v.args.get(0).base().type.dtype();
    String x = args.get(0);
    switch (v.op.name()) {
      case "cast":
        return assign(type(to), cast(from, to, x));
      case "bitcast":
        return assign(type(to), bitcast(from, to, x));
      case "threefry2x32":
        return threefry(v.attrs.text("word"), args);
      case "div", "fmod":
        if (!to.isFloating()) {
          String sign = v.op.name().equals("div") ? " / " : " % ";
          String quotient = args.get(1) + " == 0 ? 0 : " + x + sign + args.get(1);
          return assign(type(to), narrow(to, v.op.name(), quotient));
        }
        break;
      default:
        break;
    }
    String s =
        v.op
            .scalar()
            .scalar()
            .replace("$T", type(from))
            .replace("$W", from == DType.I64 ? "63" : "31")
            .replace("$C", from == DType.I64 ? "Long" : "Integer")
            .replace("$U0", unsigned(from));
    for (int i = 0; i < args.size(); i++) {
      s = s.replace("$" + i, args.get(i));
    }
    return assign(type(to), narrow(to, v.op.name(), s));
  }

  /** Results of f16 and bf16 are rounded op by op, those of narrow integers wrapped. */
  private static String narrow(DType t, String op, String x) {
    return switch (t) {
      case F16 -> EXACT.contains(op) ? x : "io.fragua.tensor.Float16.roundF16(" + x + ")";
      case BF16 -> EXACT.contains(op) ? x : "io.fragua.tensor.Float16.roundBf16(" + x + ")";
      case I8 -> "(int) (byte) (" + x + ")";
      case U8 -> "(" + x + ") & 0xff";
      case I16 -> "(int) (short) (" + x + ")";
      default -> x;
    };
  }

  /** The first operand's bits without its sign. */
  private static String unsigned(DType t) {
    return switch (t) {
      case I8 -> "($0 & 0xff)";
      case I16 -> "($0 & 0xffff)";
      default -> "$0";
    };
  }

  private static String cast(DType from, DType to, String x) {
    if (to == DType.BOOL) {
      return from == DType.BOOL ? x : x + " != 0";
    }
    String v = from == DType.BOOL ? "(" + x + " ? 1 : 0)" : x;
    if (!to.isFloating()) {
      return integer(from, to, v);
    }
    String f16 = "io.fragua.tensor.Float16.";
    String once = from == DType.F32 ? v : f16 + "sticky((double) " + v + ")";
    return switch (to) {
      case F32 -> "(float) " + v;
      case F64 -> "(double) " + v;
      case F16 -> f16 + "fromF16(" + f16 + "toF16(" + once + "))";
      default -> f16 + "fromBf16(" + f16 + "toBf16(" + once + "))";
    };
  }

  /** Reals saturate, as Java's conversions to int and long do; integers wrap. */
  private static String integer(DType from, DType to, String v) {
    if (from.isFloating()) {
      String i = "(int) " + v;
      return switch (to) {
        case I8 -> "Math.max(-128, Math.min(127, " + i + "))";
        case U8 -> "Math.max(0, Math.min(255, " + i + "))";
        case I16 -> "Math.max(-32768, Math.min(32767, " + i + "))";
        case I32 -> i;
        default -> "(long) " + v;
      };
    }
    return switch (to) {
      case I8 -> "(int) (byte) " + v;
      case U8 -> "(int) (" + v + " & 0xff)";
      case I16 -> "(int) (short) " + v;
      case I32 -> "(int) " + v;
      default -> "(long) " + v;
    };
  }

  private static String bitcast(DType from, DType to, String x) {
    if (from == to) {
      return x;
    }
    return switch (from) {
      case F32 -> "Float.floatToRawIntBits(" + x + ")";
      case I32 -> "Float.intBitsToFloat(" + x + ")";
      case F64 -> "Double.doubleToRawLongBits(" + x + ")";
      default -> "Double.longBitsToDouble(" + x + ")";
    };
  }

  private String threefry(String word, List<String> args) {
    int[][] rotations = {{13, 15, 26, 6}, {17, 29, 16, 24}};
    String[] key = {args.get(0), args.get(1), null};
    key[2] = assign("int", key[0] + " ^ " + key[1] + " ^ " + 0x1BD11BDA);
    String x = assign("int", args.get(2) + " + " + key[0]);
    String y = assign("int", args.get(3) + " + " + key[1]);
    for (int g = 0; g < 5; g++) {
      for (int r : rotations[g % 2]) {
        body.append("      " + x + " += " + y + ";\n");
        body.append("      " + y + " = Integer.rotateLeft(" + y + ", " + r + ") ^ " + x + ";\n");
      }
      body.append("      " + x + " += " + key[(g + 1) % 3] + ";\n");
      body.append("      " + y + " += " + key[(g + 2) % 3] + " + " + (g + 1) + ";\n");
    }
    return word.equals("0") ? x : word.equals("1") ? y : assign("int", x + " ^ " + y);
  }
}
