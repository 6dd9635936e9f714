package io.fragua.cpu;

import io.fragua.tensor.DType;

/**
 * Writes the loops of pools. Images are outside, then windows, then channels, a vector of them at a
 * time, then the elements of the window: a maximum or sum stays in registers until it is whole. A
 * small window that lies inside the image is written out, element by element, without loops.
 *
 * <p>Elements of bf16, which {@link Halves} hands to maxima, are held as the floats that they are.
 *
 * <p>Operands: the input x; an image like it (what is taken from, or the gradient that is made); an
 * image with one pixel a window (the result, or the gradient that is given). Parameters: their
 * starts in bytes, bytes of a pixel, then for three axes each: sizes of the input, numbers of
 * windows, sizes, strides, padding before.
 */
final class PoolSource {
  private static final int MAX_WRITTEN_OUT = 16;

  private static final String PARAMETERS =
      "%1$s x, int a, %1$s s, int e, %1$s y, int b, int row, int sd, int sh, int d0, int d1, int"
          + " h0, int h1, int w0, int w1";
  private static final String ARGUMENTS = "x, a, s, e, y, b, row, sd, sh, d0, d1, h0, h1, w0, w1";
  private static final String TAPS =
      "for (int d = d0; d < d1; d++) for (int h = h0; h < h1; h++) for (int w = w0; w < w1; w++) {"
          + " int o = d * sd + h * sh + w * row + k; ";

  private final String op;
  private final DType type;
  private final boolean vector;

  /** Bytes of a vector. */
  private final int step;

  /** Sizes of a window, three of them. */
  private final int[] size;

  /** True if every element of the input is in exactly one window. */
  private final boolean tiles;

  private final StringBuilder out = new StringBuilder();

  private PoolSource(String op, DType type, int[] size, boolean tiles) {
    this.op = op;
    this.type = type;
    this.size = size;
    this.tiles = tiles;
    vector = VectorRuntime.LANES > 0 && (type == DType.F32 || type == DType.BF16);
    step = VectorRuntime.LANES * type.bytes();
  }

  static String write(String op, DType type, int[] size, boolean tiles) {
    return new PoolSource(op, type, size, tiles).source();
  }

  private int taps() {
    return size[0] * size[1] * size[2];
  }

  private boolean writesOut() {
    return vector && taps() <= MAX_WRITTEN_OUT;
  }

  private String source() {
    out.append("import java.nio.*;\n");
    if (VectorRuntime.SEGMENTS) {
      out.append("import java.lang.foreign.*;\n");
    }
    if (vector) {
      out.append("import jdk.incubator.vector.*;\n");
    }
    out.append(KernelCompiler.HEAD).append(Memory.PRELUDE);
    if (vector) {
      out.append("  static final ByteOrder O = ByteOrder.nativeOrder();\n");
      out.append("  static final VectorSpecies FS = FloatVector.SPECIES_PREFERRED;\n");
      if (type == DType.BF16) {
        out.append("  static final VectorSpecies IS = IntVector.SPECIES_PREFERRED;\n");
        out.append("  static final VectorSpecies HALVES = VectorSpecies.of(short.class,");
        out.append(" VectorShape.forBitSize(" + 16 * VectorRuntime.LANES + "));\n");
      }
    }
    images();
    String m = PARAMETERS.formatted(Memory.TYPE);
    if (vector) {
      out.append("  static int vectors(" + m + ") {\n    int k = 0;\n");
      out.append("    for (; k + " + step + " <= row; k += ");
      out.append(step + ") {\n");
      vectorWindow();
      out.append("    }\n    return k;\n  }\n");
    }
    if (writesOut()) {
      out.append("  static int whole(" + m + ") {\n    int k = 0;\n");
      out.append("    for (; k + " + step + " <= row; k += ");
      out.append(step + ") {\n");
      out.append("      int f = d0 * sd + h0 * sh + w0 * row + k;\n");
      wholeWindow();
      out.append("    }\n    return k;\n  }\n");
    }
    out.append("  static void rest(" + m + ", int k) {\n");
    out.append("    for (; k < row; k += " + type.bytes() + ") {\n");
    scalarWindow();
    return out.append("    }\n  }\n}\n").toString();
  }

  private void images() {
    String m = Memory.TYPE;
    out.append("  public void run(Object[] m, int[] p, int from, int to) {\n");
    out.append("    " + m + " x = (" + m + ") m[0];\n");
    out.append("    " + m + " s = (" + m + ") m[1];\n");
    out.append("    " + m + " y = (" + m + ") m[2];\n");
    out.append("    int row = p[3];\n    int sh = p[6] * row;\n    int sd = p[5] * sh;\n");
    out.append("    int image = p[4] * sd;\n    int b = p[2] + from * p[7] * p[8] * p[9] * row;\n");
    out.append("    for (int n = from; n < to; n++) {\n");
    out.append("      int a = p[0] + n * image;\n      int e = p[1] + n * image;\n");
    if (op.equals("max_pool_grad") && !(tiles && writesOut())) {
      out.append("      int c = e;\n      for (; c + 8 <= e + image; c += 8) ");
      out.append(Memory.put(DType.I64, "s", "c", "0L") + "\n");
      out.append("      for (; c < e + image; c += 4) ");
      out.append(Memory.put(DType.I32, "s", "c", "0") + "\n");
    }
    axis("d", 0);
    axis("h", 1);
    axis("w", 2);
    if (writesOut()) {
      String inside =
          "d1 - d0 == " + size[0] + " && h1 - h0 == " + size[1] + " && w1 - w0 == " + size[2];
      out.append("        int k = " + inside + " ? whole(" + ARGUMENTS + ") : ");
      out.append("vectors(" + ARGUMENTS + ");\n        rest(" + ARGUMENTS + ", k);\n");
    } else {
      out.append("        rest(" + ARGUMENTS + ", ");
      out.append((vector ? "vectors(" + ARGUMENTS + ")" : "0") + ");\n");
    }
    out.append("        b += row;\n      }}}\n    }\n  }\n");
  }

  /** The loop over the windows of an axis, and which elements of the input each takes. */
  private void axis(String n, int i) {
    out.append(
        String.format(
            "      for (int o%1$s = 0; o%1$s < p[%2$d]; o%1$s++) {\n"
                + "        int f%1$s = o%1$s * p[%3$d] - p[%4$d];\n"
                + "        int %1$s0 = Math.max(f%1$s, 0);\n"
                + "        int %1$s1 = Math.min(f%1$s + p[%5$d], p[%6$d]);\n",
            n, 7 + i, 13 + i, 16 + i, 10 + i, 4 + i));
  }

  private String load(String memory, String at) {
    if (type == DType.F32) {
      return "(FloatVector) " + Memory.load("FloatVector", "FS", memory, at);
    }
    String halves = "((ShortVector) " + Memory.load("ShortVector", "HALVES", memory, at) + ")";
    String wide = "((IntVector) " + halves + ".convertShape(VectorOperators.S2I, IS, 0))";
    return "((IntVector) " + wide + ".lanewise(VectorOperators.LSHL, 16)).reinterpretAsFloats()";
  }

  /** Writes what was loaded. */
  private String store(String v, String memory, String at) {
    if (type == DType.F32) {
      return Memory.store(v, memory, at);
    }
    String bits = "((IntVector) " + v + ".reinterpretAsInts()).lanewise(VectorOperators.ASHR, 16)";
    String halves = "((ShortVector) (" + bits + ").convertShape(VectorOperators.I2S, HALVES, 0))";
    return Memory.store(halves, memory, at);
  }

  private void vectorWindow() {
    if (op.equals("sum_pool") || op.equals("max_pool")) {
      boolean sum = op.equals("sum_pool");
      String start = sum ? "0f" : "Float.NEGATIVE_INFINITY";
      out.append("      FloatVector v = FloatVector.broadcast(FS, " + start + ");\n      " + TAPS);
      out.append(
          "v = (FloatVector) v." + (sum ? "add" : "max") + "(" + load("x", "a + o") + "); }\n");
      out.append("      " + store("v", "y", "b + k") + "\n");
      return;
    }
    boolean take = op.equals("max_pool_take");
    out.append("      FloatVector best = FloatVector.broadcast(FS, Float.NEGATIVE_INFINITY);\n");
    out.append(
        take
            ? "      FloatVector at = " + load("s", first()) + ";\n"
            : "      FloatVector at = FloatVector.zero(FS);\n      float t = 0f;\n");
    out.append("      " + TAPS + "FloatVector v = " + load("x", "a + o") + ";\n");
    out.append("        VectorMask larger = v.compare(VectorOperators.LE, best).not()");
    out.append(".and(best.compare(VectorOperators.EQ, best));\n");
    out.append("        best = (FloatVector) best.blend(v, larger);\n");
    out.append(
        take
            ? "        at = (FloatVector) at.blend(" + load("s", "e + o") + ", larger); }\n"
            : "        at = (FloatVector) at.blend(t, larger);\n        t += 1f; }\n");
    if (take) {
      out.append("      " + Memory.store("at", "y", "b + k") + "\n");
      return;
    }
    out.append("      FloatVector g = " + load("y", "b + k") + ";\n      t = 0f;\n      " + TAPS);
    out.append("FloatVector z = " + load("s", "e + o") + ";\n        z = (FloatVector)");
    out.append(" z.blend(z.add(g), at.compare(VectorOperators.EQ, t));\n");
    out.append("        " + Memory.store("z", "s", "e + o") + "\n        t += 1f; }\n");
  }

  /** As {@link #vectorWindow}, all elements of the window one after the other. */
  private void wholeWindow() {
    for (int i = 0; i < taps(); i++) {
      int w = i % size[2];
      int h = i / size[2] % size[1];
      int d = i / size[2] / size[1];
      out.append("      int o" + i + " = f + " + d + " * sd + " + h + " * sh + " + w + " * row;\n");
      out.append("      FloatVector v" + i + " = " + load("x", "a + o" + i) + ";\n");
    }
    if (op.equals("sum_pool") || op.equals("max_pool")) {
      String fold = op.equals("sum_pool") ? "add" : "max";
      for (int i = 1; i < taps(); i++) {
        out.append("      v0 = (FloatVector) v0." + fold + "(v" + i + ");\n");
      }
      out.append("      " + store("v0", "y", "b + k") + "\n");
      return;
    }
    boolean take = op.equals("max_pool_take");
    out.append("      FloatVector best = v0;\n      FloatVector at = ");
    out.append((take ? load("s", "e + o0") : "FloatVector.zero(FS)") + ";\n");
    for (int i = 1; i < taps(); i++) {
      out.append("      VectorMask m" + i + " = v" + i);
      out.append(".compare(VectorOperators.LE, best).not()");
      out.append(".and(best.compare(VectorOperators.EQ, best));\n");
      out.append("      best = (FloatVector) best.blend(v" + i + ", m" + i + ");\n");
      String value = take ? load("s", "e + o" + i) : i + "f";
      out.append("      at = (FloatVector) at.blend(" + value + ", m" + i + ");\n");
    }
    if (take) {
      out.append("      " + Memory.store("at", "y", "b + k") + "\n");
      return;
    }
    out.append("      FloatVector g = " + load("y", "b + k") + ";\n");
    for (int i = 0; i < taps(); i++) {
      String old = tiles ? "FloatVector.zero(FS)" : load("s", "e + o" + i);
      out.append("      FloatVector z" + i + " = " + old + ";\n");
      out.append("      z" + i + " = (FloatVector) z" + i + ".blend(");
      out.append(tiles ? "g" : "z" + i + ".add(g)");
      out.append(", at.compare(VectorOperators.EQ, " + i + "f));\n");
      out.append("      " + Memory.store("z" + i, "s", "e + o" + i) + "\n");
    }
  }

  private static String first() {
    return "e + d0 * sd + h0 * sh + w0 * row + k";
  }

  private void scalarWindow() {
    String t = ScalarText.type(type);
    String start =
        switch (type) {
          case F32, BF16 -> "Float.NEGATIVE_INFINITY";
          case F64 -> "Double.NEGATIVE_INFINITY";
          case I32 -> "Integer.MIN_VALUE";
          default -> "Long.MIN_VALUE";
        };
    if (op.equals("sum_pool") || op.equals("max_pool")) {
      boolean sum = op.equals("sum_pool");
      String get = Memory.get(type, "x", "a + o");
      out.append("      " + t + " v = " + (sum ? "0" : start) + ";\n      " + TAPS);
      out.append(sum ? "v += " + get + "; }\n" : "v = Math.max(v, " + get + "); }\n");
      out.append("      " + Memory.put(type, "y", "b + k", "v") + "\n");
      return;
    }
    out.append("      " + t + " best = " + start + ";\n      int at = " + first() + ";\n");
    out.append("      " + TAPS + t + " v = " + Memory.get(type, "x", "a + o") + ";\n");
    out.append("        if (v > best || v != v && best == best) { best = v; at = e + o; } }\n");
    if (op.equals("max_pool_take")) {
      String taken = Memory.get(type, "s", "at");
      out.append("      " + Memory.put(type, "y", "b + k", taken) + "\n");
    } else {
      String sum = Memory.get(type, "s", "at") + " + " + Memory.get(type, "y", "b + k");
      out.append("      " + Memory.put(type, "s", "at", sum) + "\n");
    }
  }
}
