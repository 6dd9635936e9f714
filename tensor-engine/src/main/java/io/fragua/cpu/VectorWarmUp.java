package io.fragua.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Runs the Vector API's operations a few times before any kernel does.
 *
 * <p>While a kernel is interpreted, so are the methods that all operations share. C2 compiles those
 * for the few operations it has seen, and each that comes later is a wrong guess, which it counts
 * in the shared method. A kernel inlines these methods once an operation, which adds the counts up;
 * past a hundred C2 guesses no more, and the kernel's vectors become objects: ten times as slow,
 * for some kernels and in some processes. So each operation is seen before the first is compiled.
 *
 * @source HotSpot of JDK 17: {@code Compile::too_many_traps}, {@code PerMethodTrapLimit}
 */
final class VectorWarmUp {
  /** Enough for profiles, and too few to have anything compiled. */
  private static final int TIMES = 40;

  private static final List<String> BOTH =
      List.of("x.add(y)", "x.sub(y)", "x.mul(y)", "x.min(y)", "x.max(y)", "x.neg()", "x.abs()");

  private static final List<String> COMPARISONS = List.of("EQ", "NE", "LT", "LE", "GT", "GE");

  private static final List<String> FLOATS =
      List.of(
          "x.div(y)",
          "x.fma(y, y)",
          "y.sqrt()",
          "x.reinterpretAsInts()",
          "x.rearrange(HALF)",
          "Float.valueOf(x.lane(0))");

  private static final List<String> INTS =
      List.of(
          "x.and(y)",
          "x.or(y)",
          "x.not()",
          "x.lanewise(VectorOperators.XOR, y)",
          "x.lanewise(VectorOperators.LSHL, 3)",
          "x.lanewise(VectorOperators.ASHR, 3)",
          "x.lanewise(VectorOperators.LSHR, 3)",
          "x.lanewise(VectorOperators.ROL, 3)",
          "x.lanewise(VectorOperators.LSHL, y)",
          "x.lanewise(VectorOperators.LSHR, y)",
          "x.reinterpretAsFloats()",
          "Integer.valueOf(x.reduceLanes(VectorOperators.ADD))",
          "Integer.valueOf(x.reduceLanes(VectorOperators.MIN))",
          "Integer.valueOf(x.reduceLanes(VectorOperators.MAX))",
          "x.convertShape(VectorOperators.I2F, FS, 0)");

  /** Enough for a profile of {@link Operand#own}, without which C2 inlines none of it. */
  private static final int OWN_TIMES = 4000;

  /** So that what is made is not left out. */
  static Object owned;

  private VectorWarmUp() {}

  /** The class to compile; it is run as a kernel is. */
  static String text() {
    return (VectorRuntime.SEGMENTS ? "import java.lang.foreign.*;\n" : "")
        + "import java.nio.*;\nimport jdk.incubator.vector.*;\n"
        + KernelCompiler.HEAD
        + Memory.PRELUDE
        + "  static final VectorSpecies FS = FloatVector.SPECIES_PREFERRED;\n"
        + "  static final VectorSpecies IS = IntVector.SPECIES_PREFERRED;\n"
        + "  static final ByteOrder O = ByteOrder.nativeOrder();\n"
        + "  static final VectorShuffle HALF = VectorShuffle.iota(FS, FS.length() / 2, 1, true);\n"
        + "  static Object seen;\n"
        + "  public void run(Object[] m, int[] p, int from, int to) {\n"
        + ("    for (int t = from; t < to; t++) { f((" + Memory.TYPE + ") m[0], t);")
        + (" i((" + Memory.TYPE + ") m[0], t); }\n  }\n")
        + method("f", "FloatVector", "FS", "IS", FLOATS)
        + method("i", "IntVector", "IS", "FS", INTS)
        + "}\n";
  }

  private static String method(
      String name, String type, String species, String other, List<String> own) {
    StringBuilder s = new StringBuilder();
    s.append("  static void " + name + "(" + Memory.TYPE + " b, int t) {\n");
    String load = Memory.load(type, species, "b", "0");
    s.append("    " + type + " x = (" + type + ") " + load + ";\n");
    s.append(
        "    " + type + " y = (" + type + ") " + type + ".broadcast(" + species + ", t + 2);\n");
    BOTH.forEach(e -> s.append("    seen = " + e + ";\n"));
    own.forEach(e -> s.append("    seen = " + e + ";\n"));
    s.append("    VectorMask k;\n");
    for (String c : COMPARISONS) {
      s.append("    k = x.compare(VectorOperators." + c + ", y);\n    seen = x.blend(y, k);\n");
      s.append("    seen = k.and(k).or(k.not()).cast(" + other + ");\n");
    }
    return s.append("    " + Memory.store("y", "b", "0") + "\n  }\n").toString();
  }

  static void run(Kernel kernel) {
    ByteBuffer b = ByteBuffer.allocateDirect(256).order(ByteOrder.nativeOrder());
    kernel.run(new Object[] {Segments.of(b)}, new int[0], 0, TIMES);
    for (int t = 0; t < OWN_TIMES && !VectorRuntime.SEGMENTS; t++) {
      owned = Operand.own(b);
    }
  }
}
