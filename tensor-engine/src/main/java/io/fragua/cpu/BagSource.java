package io.fragua.cpu;

import io.fragua.tensor.DType;

/**
 * Writes the loops that add up the rows of a bag: columns outside, rows inside, so that a sum stays
 * in registers until it is whole. Operands and parameters as in {@link IndexSource}, and the size
 * of a bag.
 */
final class BagSource {
  /**
   * Vectors summed at once, half of the registers there are: the longer a piece of a row is, the
   * better the processor fetches it ahead.
   */
  private static final int UNROLL = VectorRuntime.LANES >= 16 ? 16 : 8;

  private static final String PARAMETERS =
      "%1$s t, int start, %1$s ids, int first, int n, %1$s y, int b, int row";

  private BagSource() {}

  static String write() {
    String m = Memory.TYPE;
    StringBuilder s = new StringBuilder("import java.nio.*;\n");
    if (VectorRuntime.SEGMENTS) {
      s.append("import java.lang.foreign.*;\n");
    }
    if (VectorRuntime.LANES > 0) {
      s.append("import jdk.incubator.vector.*;\n");
    }
    s.append(KernelCompiler.HEAD);
    s.append(Memory.PRELUDE);
    if (VectorRuntime.LANES > 0) {
      s.append("  static final ByteOrder O = ByteOrder.nativeOrder();\n");
      s.append("  static final VectorSpecies FS = FloatVector.SPECIES_PREFERRED;\n");
    }
    s.append("  public void run(Object[] m, int[] p, int from, int to) {\n");
    s.append("    " + m + " table = (" + m + ") m[0];\n");
    s.append("    " + m + " ids = (" + m + ") m[1];\n");
    s.append("    " + m + " rows = (" + m + ") m[2];\n");
    s.append("    for (int i = from; i < to; i++) {\n");
    s.append(
        "      bag(table, p[0], ids, p[1] + i * p[5] * 4, p[5], rows, p[2] + i * p[3], p[3]);");
    s.append("\n    }\n  }\n");
    s.append("  static void bag(" + PARAMETERS.formatted(m) + ") {\n    int k = 0;\n");
    if (VectorRuntime.LANES > 0) {
      for (int count : new int[] {UNROLL, 1}) {
        s.append("    k = sum" + count + "(t, start, ids, first, n, y, b, row, k);\n");
      }
    }
    s.append("    for (; k < row; k += 4) {\n      float s = 0;\n");
    s.append("      for (int c = 0; c < n; c++) s += " + Memory.get(DType.F32, "t", at()) + ";\n");
    s.append("      " + Memory.put(DType.F32, "y", "b + k", "s") + "\n    }\n  }\n");
    if (VectorRuntime.LANES > 0) {
      s.append(vectors(UNROLL)).append(vectors(1));
    }
    return s.append("}\n").toString();
  }

  private static String at() {
    return "start + " + Memory.get(DType.I32, "ids", "first + c * 4") + " * row + k";
  }

  /** A method of its own: where a method holds more, the JVM stops keeping vectors in registers. */
  private static String vectors(int count) {
    int bytes = 4 * VectorRuntime.LANES;
    StringBuilder s = new StringBuilder();
    String parameters = PARAMETERS.formatted(Memory.TYPE);
    s.append("  static int sum" + count + "(" + parameters + ", int k) {\n");
    s.append("    for (; k + " + count * bytes + " <= row; k += " + count * bytes + ") {\n");
    for (int v = 0; v < count; v++) {
      s.append("      FloatVector s" + v + " = FloatVector.zero(FS);\n");
    }
    s.append("      for (int c = 0; c < n; c++) {\n        int a = " + at() + ";\n");
    for (int v = 0; v < count; v++) {
      String load = Memory.load("FloatVector", "FS", "t", "a + " + v * bytes);
      s.append("        s" + v + " = (FloatVector) s" + v + ".add((FloatVector) " + load + ");\n");
    }
    s.append("      }\n");
    for (int v = 0; v < count; v++) {
      s.append("      " + Memory.store("s" + v, "y", "b + k + " + v * bytes) + "\n");
    }
    return s.append("    }\n    return k;\n  }\n").toString();
  }
}
