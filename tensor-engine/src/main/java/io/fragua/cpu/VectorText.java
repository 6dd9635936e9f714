package io.fragua.cpu;

import io.fragua.tensor.DType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes elementwise ops as Java statements on Vector API values: floats of up to 32 bits as
 * FloatVector, integers of up to 32 bits as IntVector, bool as VectorMask (see {@link VectorNarrow}
 * for the narrow ones). A mask belongs to the lanes of one of the two and is recast where the other
 * is needed, which costs nothing: both have lanes of 32 bits.
 */
final class VectorText {
  /** Ops whose code depends on types or attributes; all others carry their text in the op table. */
  private static final Set<String> SPECIAL =
      Set.of(
          "cast",
          "bitcast",
          "threefry2x32",
          "floor",
          "ceil",
          "round",
          "shift_left",
          "shift_right_logical");

  /** A number that is an operand of a vector. */
  private static final Pattern NUMBER =
      Pattern.compile(
          "\\.((?:add|sub|mul|and|or|blend)\\(|compare\\(VectorOperators\\.[A-Z]+, (?=[^)]*f\\)))"
              + "(-?[0-9][0-9.]*(?:E-?[0-9]+)?f?|Float\\.[A-Za-z_]+)(?=[,)])");

  private final Map<String, String> numbers = new HashMap<>();
  private final StringBuilder once;
  private final StringBuilder before;
  private final StringBuilder body;
  private int next;

  /**
   * A variable of the generated code.
   *
   * @param kind F or I for vectors, f or i for masks over their lanes
   * @param invariant true if it is set before the loop
   */
  record Var(String name, char kind, boolean invariant) {}

  /**
   * A writer.
   *
   * @param once receives numbers
   * @param before receives what does not change in the loop
   * @param body receives the rest
   */
  VectorText(StringBuilder once, StringBuilder before, StringBuilder body) {
    this.once = once;
    this.before = before;
    this.body = body;
  }

  /** True if a value and its operands can be held in vectors and its op has vector code. */
  static boolean supports(Value v) {
    if (VectorRuntime.LANES == 0 || !lane(v.type.dtype())) {
      return false;
    }
    for (View a : v.args) {
      if (!lane(a.base().type.dtype())) {
        return false;
      }
    }
    if (v.op.name().equals("reduce_prod")) {
      return false; // partial products in f32 could overflow where the whole does not
    }
    DType from = v.args.get(0).base().type.dtype();
    boolean half = v.type.dtype() == DType.F16 || v.type.dtype() == DType.BF16;
    if (v.op.name().equals("cast") && from == DType.I32 && half) {
      return false; // by way of f32 it would be rounded twice
    }
    if (v.kind == Value.Kind.REDUCE
        || SPECIAL.contains(v.op.name())
        || VectorMath.has(v.op.name())) {
      return true;
    }
    boolean mask = v.args.get(0).base().type.dtype() == DType.BOOL;
    boolean integerDivision = v.op.name().equals("div") && !v.type.dtype().isFloating();
    return v.op.scalar().vector() != null && !integerDivision
        || mask && v.op.name().equals("logical_not");
  }

  private static boolean lane(DType t) {
    return t.bytes() <= 4;
  }

  /** A number as a vector or mask with all lanes equal. */
  Var literal(DType t, double value, long bits) {
    return switch (t) {
      case F32, F16, BF16 ->
          number('F', "FloatVector.broadcast(FS, " + ScalarText.floatLiteral(value) + ")");
      case BOOL -> number('f', "FS.maskAll(" + (bits != 0) + ")");
      default -> number('I', "IntVector.broadcast(IS, " + (int) bits + ")");
    };
  }

  /** A number in all lanes. */
  Var number(char kind, String expression) {
    return declare(once, kind, expression, true);
  }

  Var invariant(char kind, String expression) {
    return assign(kind, expression, true);
  }

  Var assign(char kind, String text, boolean invariant) {
    return invariant
        ? declare(before, kind, text, true)
        : declare(body, kind, broadcast(text), false);
  }

  private Var declare(StringBuilder to, char kind, String expression, boolean invariant) {
    String name = "v" + next++;
    String type = kind == 'F' ? "FloatVector" : kind == 'I' ? "IntVector" : "VectorMask";
    to.append("      " + type + " " + name + " = (" + type + ") (" + expression + ");\n");
    return new Var(name, kind, invariant);
  }

  /**
   * The same with vectors for numbers, each made once before the loop: a number in a call is one
   * more call to inline, and past some size the just-in-time compiler stops, which costs dearly.
   */
  private String broadcast(String text) {
    Matcher m = NUMBER.matcher(text);
    StringBuilder s = new StringBuilder();
    while (m.find()) {
      String number = m.group(2);
      boolean real = number.endsWith("f") || number.startsWith("Float");
      if (!real && m.group(1).startsWith("blend")) {
        continue; // into vectors of either kind
      }
      String vector =
          numbers.computeIfAbsent(
              number,
              n ->
                  number(
                          real ? 'F' : 'I',
                          real
                              ? "FloatVector.broadcast(FS, " + n + ")"
                              : "IntVector.broadcast(IS, " + n + ")")
                      .name);
      m.appendReplacement(s, "." + Matcher.quoteReplacement(m.group(1) + vector));
    }
    return m.appendTail(s).toString();
  }

  /** A mask as one over the lanes of F or I. */
  Var mask(Var m, char lanes) {
    char want = lanes == 'F' ? 'f' : 'i';
    return m.kind == want
        ? m
        : assign(want, m.name + ".cast(" + (lanes == 'F' ? "FS" : "IS") + ")", m.invariant);
  }

  /** Writes one op; gives the variable that holds its result. */
  Var emit(Value v, List<Var> args) {
    DType t = v.type.dtype();
    if (!VectorNarrow.is(t)
        || t.isFloating() && ScalarText.EXACT.contains(v.op.name())
        || v.op.name().equals("cast")) {
      return lanes(v, args);
    }
    if (v.op.name().equals("shift_right_logical") && t != DType.U8) {
      int mask = t == DType.I8 ? 255 : 65535;
      Var x = args.get(0);
      List<Var> masked =
          List.of(assign('I', x.name + ".and(" + mask + ")", x.invariant), args.get(1));
      return new VectorNarrow(this).narrow(t, lanes(v, masked));
    }
    return new VectorNarrow(this).narrow(t, lanes(v, args));
  }

  /** The op on 32-bit lanes. */
  private Var lanes(Value v, List<Var> args) {
    boolean inv = args.stream().allMatch(Var::invariant);
    Var x = args.get(0);
    String op = v.op.name();
    switch (op) {
      case "cast":
        return cast(v.args.get(0).base().type.dtype(), v.type.dtype(), x, inv);
      case "bitcast":
        return x.kind == 'F'
            ? assign('I', x.name + ".reinterpretAsInts()", inv)
            : assign('F', x.name + ".reinterpretAsFloats()", inv);
      case "threefry2x32":
        return threefry(v.attrs.text("word"), args, inv);
      case "floor", "ceil", "round":
        return round(op, x, inv);
      case "shift_left", "shift_right_logical":
        return shift(op.equals("shift_left") ? "LSHL" : "LSHR", x, args.get(1), inv);
      case "select":
        return select(args, inv);
      default:
        break;
    }
    if (VectorMath.has(op)) {
      return VectorMath.emit(this, op, x);
    }
    if (Character.isLowerCase(x.kind)) {
      return logic(op, args, inv);
    }
    char kind = v.type.dtype() == DType.BOOL ? Character.toLowerCase(x.kind) : x.kind;
    return assign(kind, fill(v.op.scalar().vector(), x.kind, args), inv);
  }

  private static String fill(String text, char kind, List<Var> args) {
    String s =
        text.replace("$V", kind == 'F' ? "FloatVector" : "IntVector")
            .replace("$S", kind == 'F' ? "FS" : "IS");
    for (int i = 0; i < args.size(); i++) {
      s = s.replace("$" + i, args.get(i).name);
    }
    return s;
  }

  private Var cast(DType from, DType to, Var x, boolean inv) {
    if (Character.isLowerCase(x.kind)) {
      if (to == DType.BOOL) {
        return x;
      }
      boolean f = to.isFloating();
      Var m = mask(x, f ? 'F' : 'I');
      return f
          ? assign('F', "FloatVector.zero(FS).blend(1f, " + m.name + ")", inv)
          : assign('I', "IntVector.zero(IS).blend(1, " + m.name + ")", inv);
    }
    return switch (to) {
      case BOOL ->
          assign(Character.toLowerCase(x.kind), x.name + ".compare(VectorOperators.NE, 0)", inv);
      case F32, F16, BF16 -> {
        Var f = x.kind == 'F' ? x : assign('F', convert("I2F", "FS", x), inv);
        yield to == DType.F32 || from == to ? f : new VectorNarrow(this).narrow(to, f);
      }
      default ->
          x.kind == 'I'
              ? new VectorNarrow(this).narrow(to, x)
              : new VectorNarrow(this).saturate(to, x);
    };
  }

  static String convert(String how, String species, Var x) {
    return x.name + ".convertShape(VectorOperators." + how + ", " + species + ", 0)";
  }

  private Var select(List<Var> args, boolean inv) {
    Var a = args.get(1);
    Var b = args.get(2);
    if (Character.isUpperCase(a.kind)) {
      Var m = mask(args.get(0), a.kind);
      return assign(a.kind, b.name + ".blend(" + a.name + ", " + m.name + ")", inv);
    }
    char lanes = Character.toUpperCase(args.get(0).kind);
    String m = args.get(0).name;
    String yes = mask(a, lanes).name;
    String no = mask(b, lanes).name;
    return assign(args.get(0).kind, yes + ".and(" + m + ").or(" + no + ".andNot(" + m + "))", inv);
  }

  private Var logic(String op, List<Var> args, boolean inv) {
    Var x = args.get(0);
    String y = args.size() > 1 ? mask(args.get(1), Character.toUpperCase(x.kind)).name : "";
    String text =
        switch (op) {
          case "logical_not" -> x.name + ".not()";
          case "bitwise_and" -> x.name + ".and(" + y + ")";
          case "bitwise_or" -> x.name + ".or(" + y + ")";
          case "equal" -> x.name + ".eq(" + y + ")";
          case "bitwise_xor", "not_equal" -> x.name + ".eq(" + y + ").not()";
          default ->
              throw new UnsupportedOperationException(
                  "cpu: bool has no vector code for this op: " + op + "; report this graph");
        };
    return assign(x.kind, text, inv);
  }

  /** Nearest even by adding and taking away 2^23, where floats have no fraction; keeps signs. */
  private Var round(String op, Var x, boolean inv) {
    Var a = assign('F', x.name + ".abs()", inv);
    Var r = assign('F', a.name + ".add(8388608f).sub(8388608f)", inv);
    Var sign = assign('I', x.name + ".reinterpretAsInts().and(-2147483648)", inv);
    Var s =
        assign(
            'F',
            "((IntVector) "
                + r.name
                + ".reinterpretAsInts().or("
                + sign.name
                + ")).reinterpretAsFloats()",
            inv);
    if (!op.equals("round")) {
      boolean floor = op.equals("floor");
      Var over =
          assign(
              'f',
              s.name + ".compare(VectorOperators." + (floor ? "GT" : "LT") + ", " + x.name + ")",
              inv);
      Var t =
          assign(
              'F',
              s.name + ".blend(" + s.name + (floor ? ".sub(1f), " : ".add(1f), ") + over.name + ")",
              inv);
      s =
          assign(
              'F',
              "((IntVector) "
                  + t.name
                  + ".reinterpretAsInts().or("
                  + sign.name
                  + ")).reinterpretAsFloats()",
              inv);
    }
    Var small = assign('f', a.name + ".compare(VectorOperators.LT, 8388608f)", inv);
    return assign('F', x.name + ".blend(" + s.name + ", " + small.name + ")", inv);
  }

  private Var shift(String lane, Var x, Var n, boolean inv) {
    Var s = assign('I', x.name + ".lanewise(VectorOperators." + lane + ", " + n.name + ")", inv);
    Var out =
        assign('i', "((IntVector) " + n.name + ".and(-32)).compare(VectorOperators.NE, 0)", inv);
    return assign('I', s.name + ".blend(0, " + out.name + ")", inv);
  }

  private Var threefry(String word, List<Var> args, boolean inv) {
    int[][] rotations = {{13, 15, 26, 6}, {17, 29, 16, 24}};
    String[] key = new String[3];
    key[0] = args.get(0).name;
    key[1] = args.get(1).name;
    boolean keys = args.get(0).invariant && args.get(1).invariant;
    key[2] =
        assign(
                'I',
                "((IntVector) "
                    + key[0]
                    + ".lanewise(VectorOperators.XOR, "
                    + key[1]
                    + ")).lanewise(VectorOperators.XOR, "
                    + 0x1BD11BDA
                    + ")",
                keys)
            .name;
    Var x = assign('I', args.get(2).name + ".add(" + key[0] + ")", inv);
    Var y = assign('I', args.get(3).name + ".add(" + key[1] + ")", inv);
    for (int g = 0; g < 5; g++) {
      for (int r : rotations[g % 2]) {
        x = assign('I', x.name + ".add(" + y.name + ")", inv);
        Var t = assign('I', y.name + ".lanewise(VectorOperators.ROL, " + r + ")", inv);
        y = assign('I', t.name + ".lanewise(VectorOperators.XOR, " + x.name + ")", inv);
      }
      x = assign('I', x.name + ".add(" + key[(g + 1) % 3] + ")", inv);
      Var k = assign('I', key[(g + 2) % 3] + ".add(" + (g + 1) + ")", keys);
      y = assign('I', y.name + ".add(" + k.name + ")", inv);
    }
    return switch (word) {
      case "0" -> x;
      case "1" -> y;
      default -> assign('I', x.name + ".lanewise(VectorOperators.XOR, " + y.name + ")", inv);
    };
  }
}
