package io.fragua.cpu;

import io.fragua.cpu.VectorText.Var;
import io.fragua.tensor.DType;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * Writes one reduction along the innermost axis: what is kept in registers, how a vector is taken
 * in, and how the lanes become one number.
 *
 * <p>Sums of floats are folded by halves: {@code reduceLanes} leaves the order of a sum open, and
 * with it the bits.
 *
 * <p>Maxima and minima of floats are taken on integers that are ordered as the floats are, zeros by
 * their sign: {@code FloatVector.max} has to tell zeros and NaN apart each time, and the next
 * element waits for it. A second accumulator sees whether there was a NaN.
 */
final class LaneFold {
  private final Value v;
  private final String how;
  private final String acc;
  private final boolean real;

  /** Where the lanes are put, as an expression. */
  private final String at;

  private final String nanAt;

  /**
   * The first accumulator of a reduction.
   *
   * @param row the offset at which a row's lanes begin, as an expression
   */
  LaneFold(Value reduce, int j, String row) {
    this(reduce, j, 0, row);
  }

  /**
   * One of several accumulators.
   *
   * @param part its number
   */
  LaneFold(Value reduce, int j, int part, String row) {
    v = reduce;
    real = v.type.dtype().isFloating();
    how = how(v);
    acc = "acc" + j + (part == 0 ? "" : "_" + part);
    at = row + " + " + j * bytes();
    nanAt = row + " + " + (j * bytes() + bytes() / 2);
  }

  /** Bytes of scratch memory for one reduction. */
  static int bytes() {
    return 2 * 4 * VectorRuntime.LANES;
  }

  /** The Vector API's name of a fold. */
  static String how(Value reduce) {
    return switch (reduce.op.name()) {
      case "reduce_sum" -> "add";
      case "reduce_max" -> "max";
      default -> "min";
    };
  }

  private boolean isFloatSum() {
    return isFloatSum(v);
  }

  /** True for sums whose order matters to the bits. */
  static boolean isFloatSum(Value reduce) {
    return reduce.type.dtype().isFloating() && how(reduce).equals("add");
  }

  private boolean seesNan() {
    return real && !how.equals("add");
  }

  private String type() {
    return isFloatSum() ? "FloatVector" : "IntVector";
  }

  private String species() {
    return isFloatSum() ? "FS" : "IS";
  }

  /** What is kept of nothing, as an expression. */
  private String nothing() {
    if (!seesNan()) {
      return Identities.text(v.op.name(), v.type.dtype());
    }
    DType t = DType.F32;
    double least = how.equals("max") ? Identities.least(t) : Identities.greatest(t);
    int bits = Float.floatToRawIntBits((float) least);
    return Integer.toString(bits ^ (bits >> 31 & Integer.MAX_VALUE));
  }

  /** The accumulators: of nothing, or in {@code tail} as the loop left them. */
  String start(boolean tail) {
    String s = line(type(), acc, tail ? load(type(), species(), at) : broadcast(type(), nothing()));
    return seesNan()
        ? s
            + line(
                "IntVector",
                acc + "n",
                tail ? load("IntVector", "IS", nanAt) : broadcast("IntVector", "0"))
        : s;
  }

  private static String load(String type, String species, String offset) {
    return Memory.load(type, species, "x", offset);
  }

  private static String broadcast(String type, String number) {
    return type + ".broadcast(" + type.charAt(0) + "S, " + number + ")";
  }

  private static String line(String type, String name, String value) {
    return "    " + type + " " + name + " = (" + type + ") " + value + ";\n";
  }

  /** Takes in a vector, or its first {@code rest} lanes. */
  String add(VectorText text, Var x, boolean tail) {
    if (!seesNan()) {
      return step(acc, type(), how, tail ? first(type(), nothing(), x) : x.name());
    }
    Var bits = text.assign('I', x.name() + ".reinterpretAsInts()", false);
    Var sign = text.assign('I', bits.name() + ".lanewise(VectorOperators.ASHR, 31)", false);
    Var flip = text.assign('I', sign.name() + ".and(" + Integer.MAX_VALUE + ")", false);
    String xor = bits.name() + ".lanewise(VectorOperators.XOR, " + flip.name() + ")";
    Var key = text.assign('I', xor, false);
    Var size = text.assign('I', bits.name() + ".and(" + Integer.MAX_VALUE + ")", false);
    return step(acc, "IntVector", how, tail ? first("IntVector", nothing(), key) : key.name())
        + step(acc + "n", "IntVector", "max", tail ? first("IntVector", "0", size) : size.name());
  }

  private static String first(String type, String nothing, Var x) {
    // the species' own indexInRange makes a vector for each use
    boolean real = type.equals("FloatVector");
    String mask =
        real
            ? "LANEF.compare(VectorOperators.LT, (float) rest)"
            : "LANE.compare(VectorOperators.LT, rest)";
    return "(("
        + type
        + ") "
        + broadcast(type, nothing)
        + ").blend("
        + x.name()
        + ", "
        + mask
        + ")";
  }

  private static String step(String acc, String type, String how, String x) {
    return "      " + acc + " = (" + type + ") " + acc + "." + how + "(" + x + ");\n";
  }

  /** Adds the sums of the other accumulators, of so many in all, to this one. */
  String gather(int parts) {
    StringBuilder s = new StringBuilder();
    for (int p = 1; p < parts; p++) {
      s.append(step(acc, type(), how, acc + "_" + p));
    }
    return s.toString();
  }

  /** Puts the accumulators into memory. */
  String finish() {
    String s = "    " + Memory.store(acc, "x", at) + "\n";
    return seesNan() ? s + "    " + Memory.store(acc + "n", "x", nanAt) + "\n" : s;
  }

  /** A statement that makes the accumulators in memory those of nothing. */
  String clear() {
    String e = at + " + e * 4";
    String n = nanAt + " + e * 4";
    return "    for (int e = 0; e < L; e++) { "
        + Memory.put(isFloatSum() ? DType.F32 : DType.I32, "x", e, nothing())
        + (seesNan() ? " " + Memory.put(DType.I32, "x", n, "0") : "")
        + " }\n";
  }

  /** The result as an expression, from memory. */
  String result() {
    String folded = (isFloatSum() ? "sum" : how) + "(x, " + at + ")";
    return seesNan() ? "real(" + folded + ", max(x, " + nanAt + "))" : folded;
  }

  /** Constants of a class in which sums of floats are folded. */
  static String shuffles() {
    StringBuilder s = new StringBuilder();
    for (int n = VectorRuntime.LANES / 2; n > 0; n /= 2) {
      String shuffle = "VectorShuffle.iota(FS, " + n + ", 1, true)";
      s.append("  static final VectorShuffle FOLD" + n + " = " + shuffle + ";\n");
    }
    return s.toString();
  }

  /**
   * Methods that {@link #result} calls. They take memory: a vector that is handed from method to
   * method is an object until C2 makes one method of both.
   */
  static String helpers(List<Value> reduces) {
    Set<String> folds = new TreeSet<>();
    boolean nan = false;
    for (int j = 0; j < reduces.size(); j++) {
      LaneFold f = new LaneFold(reduces.get(j), j, "0");
      folds.add(f.isFloatSum() ? "sum" : f.how);
      nan |= f.seesNan();
    }
    StringBuilder s = new StringBuilder();
    if (nan) {
      folds.add("max");
      s.append("  static float real(int key, int size) {\n    return size > ");
      s.append(Float.floatToRawIntBits(Float.POSITIVE_INFINITY));
      s.append(" ? Float.NaN : Float.intBitsToFloat(key ^ (key >> 31 & 2147483647));\n  }\n");
    }
    for (String how : folds) {
      boolean sum = how.equals("sum");
      String type = sum ? "FloatVector" : "IntVector";
      s.append("  static " + (sum ? "float " : "int ") + how + "(");
      s.append(Memory.TYPE + " x, int at) {\n");
      s.append(line(type, "v", load(type, sum ? "FS" : "IS", "at")));
      for (int n = VectorRuntime.LANES / 2; sum && n > 0; n /= 2) {
        s.append("    v = (FloatVector) v.add((FloatVector) v.rearrange(FOLD" + n + "));\n");
      }
      String lanes = "reduceLanes(VectorOperators." + how.toUpperCase(Locale.ROOT) + ")";
      s.append("    return v." + (sum ? "lane(0)" : lanes) + ";\n  }\n");
    }
    return s.toString();
  }
}
