package io.fragua.cpu;

import io.fragua.tensor.DType;
import io.fragua.tensor.Scatter;
import java.util.Locale;

/**
 * Writes the loops that move or combine rows by index. Rows of 32-bit elements go through vectors,
 * the widest first, so that the narrow rows of an embedding are one or two instructions; a row of
 * another width goes element by element.
 *
 * <p>Operands: the table, the indices, the rows, and an {@code int[]} of the rows' byte offsets or
 * null where they follow each other. Parameters: their starts in bytes, bytes of a row; for a
 * scatter where the rows of the table that it may touch begin and end.
 */
final class IndexSource {
  private static final String M = Memory.TYPE;

  private final DType type;
  private final boolean vector;
  private final StringBuilder s = new StringBuilder("import java.nio.*;\n");

  private IndexSource(DType type) {
    this.type = type;
    vector = VectorRuntime.LANES > 0 && (type == DType.F32 || type == DType.I32);
    if (VectorRuntime.SEGMENTS) {
      s.append("import java.lang.foreign.*;\n");
    }
    if (vector) {
      s.append("import jdk.incubator.vector.*;\n");
    }
    s.append(KernelCompiler.HEAD);
    s.append(Memory.PRELUDE);
    if (vector) {
      s.append("  static final ByteOrder O = ByteOrder.nativeOrder();\n");
      for (int bits = 32 * VectorRuntime.LANES; bits >= 128; bits /= 2) {
        String of = name().toLowerCase(Locale.ROOT);
        s.append("  static final VectorSpecies S" + bits + " = VectorSpecies.of(" + of);
        s.append(".class, VectorShape.forBitSize(" + bits + "));\n");
      }
    }
    s.append("  public void run(Object[] m, int[] p, int from, int to) {\n");
    s.append("    " + M + " table = (" + M + ") m[0];\n");
    s.append("    " + M + " ids = (" + M + ") m[1];\n");
    s.append("    " + M + " rows = (" + M + ") m[2];\n");
    s.append("    int[] at = (int[]) m[3];\n");
    s.append("    int row = p[3];\n");
  }

  private String name() {
    return type == DType.F32 ? "Float" : "Int";
  }

  /** The type as which elements of a width are moved: all of one width share a class. */
  static DType moved(DType type) {
    return switch (type.bytes()) {
      case 8 -> DType.I64;
      case 4 -> DType.I32;
      case 2 -> DType.I16;
      default -> DType.I8;
    };
  }

  /** Table to rows, which are numbered by {@code from} and {@code to}. */
  static String gather(DType type) {
    IndexSource w = new IndexSource(moved(type));
    int e = type.bytes();
    w.s.append("    if (at == null && row == " + e + ") {\n");
    w.s.append("      elements(table, p[0], ids, p[1], rows, p[2], from, to);\n");
    w.s.append("      return;\n    }\n");
    w.loop("", "move(table, a, rows, b, row)");
    w.move(Scatter.SET);
    w.s.append("  static void elements(");
    w.s.append(M + " x, int a, " + M + " ids, int c, " + M + " y, int b, int from, int to) {\n");
    String from = "a + " + Memory.get(DType.I32, "ids", "c + i * 4") + " * " + e;
    String get = Memory.get(w.type, "x", from);
    w.s.append("    for (int i = from; i < to; i++) ");
    w.s.append(Memory.put(w.type, "y", "b + i * " + e, get) + "\n  }\n");
    return w.s.append("}\n").toString();
  }

  /**
   * Rows to the table.
   *
   * @param clear true for a table of zeros, which are written first
   */
  static String scatter(Scatter mode, DType type, boolean clear) {
    IndexSource w = new IndexSource(mode == Scatter.SET ? moved(type) : type);
    if (clear) {
      w.s.append("    int e = p[4];\n    for (; e + 8 <= p[5]; e += 8) ");
      w.s.append(Memory.put(DType.I64, "table", "e", "0L") + "\n    for (; e < p[5]; e++) ");
      w.s.append(Memory.put(DType.I8, "table", "e", "0") + "\n");
    }
    int e = type.bytes();
    w.s.append("    if (at == null && row == " + e + ") {\n");
    w.s.append("      elements(rows, p[2], ids, p[1], table, p[0], p[4], p[5], from, to);\n");
    w.s.append("      return;\n    }\n");
    w.loop("      if (a < p[4] || a >= p[5]) continue;\n", "move(rows, b, table, a, row)");
    w.move(mode);
    w.s.append(
        "  static void elements(" + M + " x, int a, " + M + " ids, int c, " + M + " y, int b,");
    w.s.append(" int low, int high, int from, int to) {\n");
    w.s.append("    for (int i = from; i < to; i++) {\n      int k = b + ");
    w.s.append(Memory.get(DType.I32, "ids", "c + i * 4") + " * " + e + ";\n");
    w.s.append("      if (k >= low && k < high) ");
    w.s.append(Memory.put(w.type, "y", "k", w.both(mode, "a + i * " + e, "k")) + "\n");
    return w.s.append("    }\n  }\n}\n").toString();
  }

  private void loop(String skip, String move) {
    s.append("    for (int i = from; i < to; i++) {\n");
    s.append("      int a = p[0] + " + Memory.get(DType.I32, "ids", "p[1] + i * 4") + " * row;\n");
    s.append(skip);
    s.append("      int b = p[2] + (at == null ? i * row : at[i]);\n");
    s.append("      " + move + ";\n    }\n  }\n");
  }

  /** One row of x at a into the row of y at b. */
  private void move(Scatter mode) {
    s.append("  static void move(" + M + " x, int a, " + M + " y, int b, int row) {\n");
    s.append("    int k = 0;\n");
    String v = name() + "Vector";
    for (int bits = 32 * VectorRuntime.LANES; vector && bits >= 128; bits /= 2) {
      boolean widest = bits == 32 * VectorRuntime.LANES;
      String more = "k + " + bits / 8 + " <= row";
      s.append("    " + (widest ? "for (; " + more + ";" : "if (" + more) + ") {\n");
      String x = "(" + v + ") " + Memory.load(v, "S" + bits, "x", "a + k");
      if (mode != Scatter.SET) {
        String y = "((" + v + ") " + Memory.load(v, "S" + bits, "y", "b + k") + ")";
        x = "(" + v + ") " + y + "." + mode + "(" + x + ")";
      }
      s.append("      " + v + " v = " + x + ";\n");
      s.append("      " + Memory.store("v", "y", "b + k") + "\n      k += " + bits / 8 + ";\n");
      s.append("    }\n");
    }
    s.append("    for (; k < row; k += " + type.bytes() + ") ");
    s.append(Memory.put(type, "y", "b + k", both(mode, "a + k", "b + k")) + "\n  }\n");
  }

  /** What an element of y becomes by one of x. */
  private String both(Scatter mode, String at, String to) {
    String x = Memory.get(type, "x", at);
    String y = Memory.get(type, "y", to);
    return switch (mode) {
      case SET -> x;
      case ADD -> "(" + y + " + " + x + ")";
      case MUL -> "(" + y + " * " + x + ")";
      case MIN -> "Math.min(" + y + ", " + x + ")";
      case MAX -> "Math.max(" + y + ", " + x + ")";
    };
  }
}
