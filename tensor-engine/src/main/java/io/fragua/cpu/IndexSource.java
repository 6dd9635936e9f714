package io.fragua.cpu;

import io.fragua.tensor.DType;

/**
 * Writes the loops that copy or add rows by index. Rows of 32-bit elements go through vectors, the
 * widest first, so that the narrow rows of an embedding are one or two instructions; a row of
 * another width goes element by element.
 *
 * <p>Operands: the table, the indices, the rows, and an {@code int[]} of the rows' byte offsets or
 * null where they follow each other. Parameters: their starts in bytes, bytes of a row, bytes of
 * the table.
 */
final class IndexSource {
  private IndexSource() {}

  /**
   * The source.
   *
   * @param gather table to rows; otherwise the table is cleared and the rows are added to it
   * @param type of the elements
   */
  static String write(boolean gather, DType type) {
    DType t = type;
    boolean vector = VectorRuntime.LANES > 0 && t.bytes() == 4;
    StringBuilder s = new StringBuilder("import java.nio.*;\n");
    if (VectorRuntime.SEGMENTS) {
      s.append("import java.lang.foreign.*;\n");
    }
    if (vector) {
      s.append("import jdk.incubator.vector.*;\n");
    }
    s.append(KernelCompiler.HEAD);
    s.append(Memory.PRELUDE);
    String of = t == DType.F32 ? "Float" : "Int";
    if (vector) {
      s.append("  static final ByteOrder O = ByteOrder.nativeOrder();\n");
      for (int bits = 32 * VectorRuntime.LANES; bits >= 128; bits /= 2) {
        s.append(
            "  static final VectorSpecies S"
                + bits
                + " = VectorSpecies.of("
                + of.toLowerCase(java.util.Locale.ROOT)
                + ".class, VectorShape.forBitSize("
                + bits
                + "));\n");
      }
    }
    String m = Memory.TYPE;
    s.append("  public void run(Object[] m, int[] p, int from, int to) {\n");
    s.append("    " + m + " table = (" + m + ") m[0];\n");
    s.append("    " + m + " ids = (" + m + ") m[1];\n");
    s.append("    " + m + " rows = (" + m + ") m[2];\n");
    s.append("    int[] at = (int[]) m[3];\n");
    s.append("    int row = p[3];\n");
    if (!gather) {
      s.append("    int end = p[0] + p[4];\n    int e = p[0];\n");
      s.append(
          "    for (; e + 8 <= end; e += 8) " + Memory.put(DType.I64, "table", "e", "0L") + "\n");
      s.append("    for (; e < end; e += 4) " + Memory.put(DType.I32, "table", "e", "0") + "\n");
    }
    s.append("    for (int i = from; i < to; i++) {\n");
    s.append("      int a = p[0] + " + Memory.get(DType.I32, "ids", "p[1] + i * 4") + " * row;\n");
    s.append("      int b = p[2] + (at == null ? i * row : at[i]);\n");
    s.append(
        gather ? "      move(table, a, rows, b, row);\n" : "      move(rows, b, table, a, row);\n");
    s.append("    }\n  }\n");
    s.append(
        "  static void move(" + m + " x, int a, " + m + " y, int b, int row) {\n    int k = 0;\n");
    for (int bits = 32 * VectorRuntime.LANES; vector && bits >= 128; bits /= 2) {
      String load = Memory.load(of + "Vector", "S" + bits, "x", "a + k");
      String value = "v";
      String loop = bits == 32 * VectorRuntime.LANES ? "for (; " : "if (";
      s.append("    " + loop + "k + " + bits / 8 + " <= row" + (loop.startsWith("for") ? ";" : ""));
      s.append(") {\n      " + of + "Vector v = (" + of + "Vector) " + load + ";\n");
      if (!gather) {
        value = "w";
        s.append(
            "      "
                + of
                + "Vector w = ("
                + of
                + "Vector) (("
                + of
                + "Vector) "
                + Memory.load(of + "Vector", "S" + bits, "y", "b + k")
                + ").add(v);\n");
      }
      s.append(
          "      " + Memory.store(value, "y", "b + k") + "\n      k += " + bits / 8 + ";\n    }\n");
    }
    String get = Memory.get(t, "x", "a + k");
    String sum = gather ? get : Memory.get(t, "y", "b + k") + " + " + get;
    s.append(
        "    for (; k < row; k += " + t.bytes() + ") " + Memory.put(t, "y", "b + k", sum) + "\n");
    return s.append("  }\n}\n").toString();
  }
}
