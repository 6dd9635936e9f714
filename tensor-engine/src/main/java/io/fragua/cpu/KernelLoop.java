package io.fragua.cpu;

import io.fragua.tensor.DType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Writes {@code loop}: the computation of a kernel over a run of the innermost axis. */
final class KernelLoop {
  private final KernelPlan k;
  private final StringBuilder once = new StringBuilder();
  private final StringBuilder before = new StringBuilder();
  private final StringBuilder body = new StringBuilder();
  private final StringBuilder after = new StringBuilder();

  /** Which of the vectors that one turn of the loop takes is being written. */
  private int part;

  KernelLoop(KernelPlan plan) {
    this.k = plan;
  }

  /**
   * The methods' text.
   *
   * @param params declarations of operands
   * @param own statements that make operands the loop's own
   * @param next statements at the end of a row, where the loop goes through rows
   */
  String write(String params, String own, String next) {
    StringBuilder s = new StringBuilder();
    if (k.outer() >= 0) {
      vector(false);
      String kept = k.reduces.isEmpty() ? "" : ", " + Memory.TYPE + " x";
      s.append("  static void loop(int rows, int n" + kept + params + ") {\n").append(own);
      // C2 keeps vectors that are made outside of both loops in memory, at up to four times the
      // cost; only the long loops of exponentials and their sums are faster so (measured, JDK 17).
      boolean outside = k.innerFolded;
      s.append(outside ? once : "").append(k.innerFolded ? "    int w = 0;\n" : "");
      s.append("    for (int r = 0; r < rows; r++) {\n");
      s.append(outside ? "" : once).append(before);
      s.append(head()).append(body);
      s.append("    }\n").append(after).append(next).append("    }\n  }\n");
      s.append(k.innerFolded ? folds() : "");
    } else if (k.vector) {
      s.append(vector(params, own, false));
      if (k.innerFolded) {
        s.append(vector(params, "", true));
      }
    } else {
      scalar();
      s.append("  static void loop(int n, " + Memory.TYPE + " x" + params + ") {\n");
      s.append(before);
      s.append("    for (int i = 0; i < n; i++) {\n");
      s.append(body).append("    }\n").append(after).append("  }\n");
    }
    if (s.indexOf("far(") >= 0) {
      s.append(VectorAngles.helper());
    }
    return k.vector && k.innerFolded
        ? s.append(LaneFold.helpers(k.reduces)).toString()
        : s.toString();
  }

  /**
   * {@code loop}, which takes whole vectors, or {@code tail}, which takes one of which {@code rest}
   * lanes count: a choice within one loop would double its code in the just-in-time compiler.
   */
  private String vector(String params, String own, boolean tail) {
    once.setLength(0);
    before.setLength(0);
    body.setLength(0);
    after.setLength(0);
    vector(tail);
    String name = tail ? "tail(int rest" : "loop(int n";
    StringBuilder s = new StringBuilder();
    s.append("  static void " + name + ", " + Memory.TYPE + " x" + params + ") {\n");
    s.append(own).append(once).append(before);
    s.append(tail ? "    int i = 0;\n    {\n" : head());
    return s.append(body).append("    }\n").append(after).append("  }\n").toString();
  }

  /**
   * What the loop counts: bytes of the widest operand. Of {@code i * 4} C2 would make a second
   * counter, of which it does not know that it stays in bounds.
   */
  private int unit() {
    int inner = k.space.rank() - 1;
    int widest = k.reduces.isEmpty() ? 1 : 4; // sums of columns lie in memory too
    for (int i = 0; i < k.loads.size(); i++) {
      Value v = k.loads.get(i).base();
      if (v.kind != Value.Kind.IOTA && inner >= 0 && k.stride(i, inner) != 0) {
        widest = Math.max(widest, v.type.dtype().bytes());
      }
    }
    for (Value v : k.stores) {
      widest = Math.max(widest, v.type.dtype().bytes());
    }
    return widest;
  }

  private String head() {
    return "    for (int i = 0; i < n * " + unit() + "; i += L * " + k.vectors() * unit() + ") {\n";
  }

  /** The place of a vector of elements of so many bytes. */
  private String at(String start, int width) {
    return start + " + " + index(width);
  }

  private String index(int width) {
    int shift = Integer.numberOfTrailingZeros(unit() / width);
    String i = shift == 0 ? "i" : "(i >> " + shift + ")";
    return part == 0 ? i : i + " + L * " + part * width;
  }

  /** Where the accumulators of a row lie. */
  private String row() {
    return k.loopsRows() ? "w" : "0";
  }

  /**
   * Folds the lanes of each row that {@code loop} went through. There it would be some fifty clocks
   * in which nothing else of a short row is left to do; here the next rows are folded meanwhile.
   */
  private String folds() {
    StringBuilder s = new StringBuilder("  static void folds(int rows, " + Memory.TYPE + " x");
    StringBuilder row = new StringBuilder();
    for (int j = 0; j < k.reduces.size(); j++) {
      DType t = k.reduces.get(j).type.dtype();
      String result = new LaneFold(k.reduces.get(j), j, row()).result();
      s.append(", " + Memory.TYPE + " r" + j + ", int o" + j + ", int next_o" + j);
      String put = Memory.put(t, "r" + j, "o" + j, "(" + ScalarText.type(t) + ") " + result);
      row.append("      " + put + "\n      o" + j + " += next_o" + j + ";\n");
    }
    s.append(") {\n    for (int r = 0, w = 0; r < rows; r++, w += " + k.foldBytes() + ") {\n");
    return s.append(row).append("    }\n  }\n").toString();
  }

  /** Two partial results as one, as a Java expression. */
  static String combine(Value reduce, String a, String b) {
    return switch (reduce.op.name()) {
      case "reduce_sum" -> a + " + " + b;
      case "reduce_prod" -> a + " * " + b;
      case "reduce_max" -> "Math.max(" + a + ", " + b + ")";
      default -> "Math.min(" + a + ", " + b + ")";
    };
  }

  /** The Java type in which a row's result is added up. */
  static String wide(Value reduce) {
    String op = reduce.op.name();
    return (op.equals("reduce_sum") || op.equals("reduce_prod")) && reduce.type.dtype().isFloating()
        ? "double"
        : ScalarText.type(reduce.type.dtype());
  }

  /** The element type with the representation of {@link #wide}. */
  static DType wideType(Value reduce) {
    DType t = reduce.type.dtype();
    return wide(reduce).equals("double") ? DType.F64 : t.bytes() < 4 ? lane(reduce) : t;
  }

  /** The type of a reduction's lanes in vector code. */
  static DType lane(Value reduce) {
    return reduce.type.dtype().isFloating() ? DType.F32 : DType.I32;
  }

  private static long bits(Value scalar) {
    DType t = scalar.type.dtype();
    return t.isFloating() ? 0 : scalar.constant.buffer().getLong(t, 0);
  }

  private static double number(Value scalar) {
    return scalar.constant.buffer().getDouble(scalar.type.dtype(), 0);
  }

  private void vector(boolean tail) {
    VectorText text = new VectorText(once, before, body);
    Map<Object, VectorText.Var> vars = new HashMap<>();
    for (part = 0; part < k.vectors(); part++) {
      vars.values().removeIf(x -> !x.invariant());
      body.append(k.vectors() > 1 ? "      {\n" : "");
      vector(text, vars, tail);
      body.append(k.vectors() > 1 ? "      }\n" : "");
    }
    part = 0;
  }

  private void vector(VectorText text, Map<Object, VectorText.Var> vars, boolean tail) {
    int inner = k.space.rank() - 1;
    for (int i = 0; i < k.loads.size(); i++) {
      View v = k.loads.get(i);
      if (!vars.containsKey(v)) {
        vars.put(v, load(text, i, v.base(), inner < 0 ? 0 : k.stride(i, inner)));
      }
    }
    for (Value v : k.members) {
      List<VectorText.Var> args = new ArrayList<>();
      for (View a : v.args) {
        Value b = a.base();
        if (b.isScalarConstant()) {
          String key = ScalarText.literal(b.type.dtype(), number(b), bits(b)) + b.type.dtype();
          args.add(
              vars.computeIfAbsent(key, x -> text.literal(b.type.dtype(), number(b), bits(b))));
        } else {
          VectorText.Var x = vars.get(b);
          args.add(x != null ? x : vars.get(Kernels.canonical(a)));
        }
      }
      if (v.kind == Value.Kind.REDUCE) {
        fold(text, k.reduces.indexOf(v), v, args.get(0), tail);
      } else if (!vars.containsKey(v)) {
        vars.put(v, isStoredBf16(v) ? args.get(0) : emit(text, v, args));
      }
    }
    for (int j = 0; j < k.stores.size(); j++) {
      VectorText.Var x = vars.get(k.stores.get(j));
      DType to = k.stores.get(j).type.dtype();
      if (VectorNarrow.is(to)) {
        String where = at("q" + j, to.bytes());
        VectorNarrow narrow = new VectorNarrow(text);
        String put =
            isStoredBf16(k.stores.get(j))
                ? narrow.storeRounded(x, "c" + j, where)
                : narrow.store(to, x, "c" + j, where);
        body.append("      " + put + "\n");
      } else if (Character.isLowerCase(x.kind())) {
        VectorText.Var m = text.mask(x, 'I');
        VectorText.Var one =
            text.assign('I', "IntVector.zero(IS).blend(1, " + m.name() + ")", false);
        body.append(
            "      ByteVector t"
                + j
                + " = (ByteVector) "
                + VectorText.convert("I2B", "BS", one)
                + ";\n");
        body.append("      " + Memory.store("t" + j, "c" + j, at("q" + j, 1)) + "\n");
      } else {
        body.append("      " + Memory.store(x.name(), "c" + j, at("q" + j, 4)) + "\n");
      }
    }
  }

  private static VectorText.Var emit(VectorText text, Value v, List<VectorText.Var> args) {
    if (!isShare(v) || !args.get(1).invariant()) {
      return text.emit(v, args);
    }
    String one = text.literal(DType.F32, 1, 0).name();
    VectorText.Var r = text.invariant('F', one + ".div(" + args.get(1).name() + ")");
    return text.assign('F', args.get(0).name() + ".mul(" + r.name() + ")", false);
  }

  /**
   * True for exponentials divided by their sum, which is no smaller than one of them and so has a
   * reciprocal: a product each and one division for all of a row.
   */
  private static boolean isShare(Value v) {
    if (!v.name().equals("div") || v.type.dtype() != DType.F32) {
      return false;
    }
    Value e = v.args.get(0).base();
    Value sum = v.args.get(1).base();
    return e.name().equals("exp") && sum.name().equals("reduce_sum") && sum.args.get(0).base() == e;
  }

  /** True for f32 rounded to bf16 for memory alone. */
  private boolean isStoredBf16(Value v) {
    return v.type.dtype() == DType.BF16
        && v.op.name().equals("cast")
        && v.args.get(0).base().type.dtype() == DType.F32
        && k.stores.contains(v)
        && k.members.stream().noneMatch(m -> m.args.stream().anyMatch(a -> a.base() == v));
  }

  private VectorText.Var load(VectorText text, int i, Value base, long step) {
    DType t = base.type.dtype();
    if (base.kind == Value.Kind.IOTA) {
      VectorText.Var x;
      if (step == 0) {
        x = text.invariant('I', "IntVector.broadcast(IS, a" + i + ")");
      } else {
        VectorText.Var lane = text.invariant('I', "LANE.mul(d" + i + ")");
        x =
            text.assign(
                'I', lane.name() + ".add(a" + i + " + " + index(1) + " * d" + i + ")", false);
      }
      VectorText.Var y =
          t.isFloating() ? text.assign('F', VectorText.convert("I2F", "FS", x), step == 0) : x;
      return new VectorNarrow(text).narrow(t, y);
    }
    if (step == 0) {
      if (k.outer() >= 0) {
        String value = Memory.get(t, "b" + i, "a" + i);
        before.append("      " + ScalarText.type(t) + " s" + i + " = " + value + ";\n");
      }
      return switch (t) {
        case F32, F16, BF16 -> text.invariant('F', "FloatVector.broadcast(FS, s" + i + ")");
        case BOOL -> text.invariant('f', "FS.maskAll(s" + i + ")");
        default -> text.invariant('I', "IntVector.broadcast(IS, s" + i + ")");
      };
    }
    String b = "b" + i;
    if (VectorNarrow.is(t)) {
      return new VectorNarrow(text).load(t, b, at("a" + i, t.bytes()));
    }
    if (t == DType.BOOL) {
      body.append(
          "      ByteVector y"
              + i
              + " = (ByteVector) "
              + Memory.load("ByteVector", "BS", b, at("a" + i, 1))
              + ";\n");
      VectorText.Var x =
          text.assign('I', "y" + i + ".convertShape(VectorOperators.B2I, IS, 0)", false);
      return text.assign('i', x.name() + ".compare(VectorOperators.NE, 0)", false);
    }
    String at = at("a" + i, 4);
    return t == DType.F32
        ? text.assign('F', Memory.load("FloatVector", "FS", b, at), false)
        : text.assign('I', Memory.load("IntVector", "IS", b, at), false);
  }

  private void fold(VectorText text, int j, Value v, VectorText.Var x, boolean tail) {
    if (k.innerFolded) {
      LaneFold f = new LaneFold(v, j, part, row());
      before.append(f.start(tail));
      body.append(f.add(text, x, tail));
      if (part == k.vectors() - 1) {
        LaneFold first = new LaneFold(v, j, row());
        after.append(first.gather(k.vectors()));
        after.append(first.finish());
      }
      return;
    }
    boolean f = v.type.dtype().isFloating();
    String type = f ? "FloatVector" : "IntVector";
    String how = LaneFold.how(v);
    String at = at("w" + j, 4);
    String old = Memory.load(type, f ? "FS" : "IS", "x", at);
    body.append("      " + type + " acc" + j + " = (" + type + ") " + old + ";\n");
    body.append(
        "      acc" + j + " = (" + type + ") acc" + j + "." + how + "(" + x.name() + ");\n");
    body.append("      " + Memory.store("acc" + j, "x", at) + "\n");
  }

  private void scalar() {
    ScalarText text = new ScalarText(body);
    Map<Object, String> vars = new HashMap<>();
    for (int i = 0; i < k.loads.size(); i++) {
      View v = k.loads.get(i);
      DType t = v.base().type.dtype();
      String java = ScalarText.type(t);
      vars.put(
          v,
          v.base().kind == Value.Kind.IOTA
              ? text.assign(java, "(" + java + ") (a" + i + " + i * d" + i + ")")
              : text.assign(java, Memory.get(t, "b" + i, "a" + i + " + i * d" + i)));
    }
    for (Value v : k.members) {
      List<String> args = new ArrayList<>();
      for (View a : v.args) {
        Value b = a.base();
        DType t = b.type.dtype();
        if (b.isScalarConstant()) {
          String literal = ScalarText.literal(t, number(b), bits(b));
          args.add(
              vars.computeIfAbsent(literal + t, x -> text.assign(ScalarText.type(t), literal)));
        } else {
          String x = vars.get(b);
          args.add(x != null ? x : vars.get(Kernels.canonical(a)));
        }
      }
      if (v.kind == Value.Kind.REDUCE) {
        foldScalar(k.reduces.indexOf(v), v, args.get(0));
      } else {
        vars.put(v, text.emit(v, args));
      }
    }
    for (int j = 0; j < k.stores.size(); j++) {
      DType t = k.stores.get(j).type.dtype();
      body.append(
          "      "
              + Memory.put(t, "c" + j, "q" + j + " + i * " + t.bytes(), vars.get(k.stores.get(j)))
              + "\n");
    }
  }

  private void foldScalar(int j, Value v, String x) {
    String wide = wide(v);
    DType t = wideType(v);
    if (k.innerFolded) {
      before.append(
          "    "
              + wide
              + " acc"
              + j
              + " = "
              + Identities.text(v.op.name(), v.type.dtype())
              + ";\n");
      body.append("      acc" + j + " = " + combine(v, "acc" + j, x) + ";\n");
      after.append("    " + Memory.put(t, "x", "" + 8 * j, "acc" + j) + "\n");
    } else {
      String at = "w" + j + " + i * 8";
      body.append("      " + Memory.put(t, "x", at, combine(v, Memory.get(t, "x", at), x)) + "\n");
    }
  }
}
