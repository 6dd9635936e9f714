package io.fragua.cpu;

import io.fragua.tensor.DType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a fused kernel as Java source, and lays out the numbers it is run with. Sizes, strides and
 * offsets are parameters, so that equal computations on other shapes are the same class.
 *
 * <p>The class has {@code run}, which walks the rows; {@code line}, which splits a row into whole
 * vectors and a rest that is staged through scratch memory; and {@code loop}, which holds the
 * computation once. Scalar kernels have no {@code line}.
 */
final class KernelSource {
  private final KernelPlan k;
  private final List<Integer> p = new ArrayList<>();

  /** Positions in {@code p} of byte offsets of operands, in operand order. */
  private final List<Integer> offsets = new ArrayList<>();

  /** Operands in memory: bases of loads, stores, reductions. */
  private final List<Value> operands = new ArrayList<>();

  private final StringBuilder head = new StringBuilder();
  private final StringBuilder rowOffsets = new StringBuilder();
  private final List<Arg> args = new ArrayList<>();
  private int scratch;

  /**
   * An argument of {@code loop}.
   *
   * @param load position among the loads, or -1 for a store
   * @param width bytes an element, 0 if it does not advance
   * @param step what it advances by from element to element, or null
   * @param next what its offset advances by from row to row, in a loop over rows
   */
  private record Arg(
      int load, String memory, String offset, DType dtype, int width, String step, String next) {}

  /** Source text, the parameters, and which of them get the operands' places added. */
  record Result(String text, int[] p, int[] offsets, List<Value> operands, int scratchBytes) {}

  private KernelSource(KernelPlan plan) {
    this.k = plan;
  }

  static Result write(KernelPlan plan) {
    return new KernelSource(plan).write();
  }

  private Result write() {
    p(k.inner());
    p(k.count(k.folds));
    loads();
    stores();
    int tails = 0;
    if (k.vector && k.outer() < 0) {
      tails = (int) args.stream().filter(a -> a.width > 0).count();
    }
    scratch = (resultBytes() + tails * 4 * VectorRuntime.LANES + 63) / 64 * 64;
    String rows = new KernelRows(this, k).write();
    String loop = new KernelLoop(k).write(params(), own(), next());
    StringBuilder s = new StringBuilder();
    s.append("import java.nio.*;\n");
    if (VectorRuntime.SEGMENTS) {
      s.append("import java.lang.foreign.*;\n");
    }
    if (k.vector) {
      s.append("import jdk.incubator.vector.*;\n");
    }
    s.append(KernelCompiler.HEAD);
    s.append(Memory.PRELUDE);
    if (k.vector) {
      s.append("  static final VectorSpecies FS = FloatVector.SPECIES_PREFERRED;\n");
      s.append("  static final VectorSpecies IS = IntVector.SPECIES_PREFERRED;\n");
      s.append("  static final ByteOrder O = ByteOrder.nativeOrder();\n");
      s.append("  static final int L = FS.length();\n");
      if (loop.contains("BS")) {
        s.append(
            "  static final VectorSpecies BS ="
                + " VectorSpecies.of(byte.class, VectorShape.forBitSize(L * 8));\n");
      }
      if (loop.contains("HALVES")) {
        s.append(
            "  static final VectorSpecies HALVES ="
                + " VectorSpecies.of(short.class, VectorShape.forBitSize(L * 16));\n");
      }
      if (loop.contains("FOLD")) {
        s.append(LaneFold.shuffles());
      }
      if (loop.contains("LANE")) {
        s.append("  static final IntVector LANE = (IntVector) IntVector.zero(IS).addIndex(1);\n");
      }
      if (loop.contains("LANEF")) {
        s.append(
            "  static final FloatVector LANEF = (FloatVector) FloatVector.zero(FS).addIndex(1);\n");
      }
    }
    s.append(rows);
    if (k.vector && k.outer() < 0) {
      s.append(line());
    }
    s.append(loop).append("}\n");
    return new Result(
        s.toString(),
        p.stream().mapToInt(i -> i).toArray(),
        offsets.stream().mapToInt(i -> i).toArray(),
        operands,
        scratch);
  }

  /** Bytes at the start of scratch memory for what reductions along the innermost axis keep. */
  private int resultBytes() {
    if (k.loopsRows()) {
      return k.rowsACall() * k.foldBytes();
    }
    return k.vector && k.innerFolded ? k.foldBytes() : k.reduces.size() * 8;
  }

  /** Adds a parameter; gives the expression that reads it. */
  String p(long value) {
    p.add(Math.toIntExact(value));
    return "p[" + (p.size() - 1) + "]";
  }

  /** Takes scratch memory; gives its offset. */
  int scratch(long bytes) {
    int at = scratch;
    scratch = Math.toIntExact(scratch + (bytes + 63) / 64 * 64);
    return at;
  }

  String head() {
    return head.toString();
  }

  String rowOffsets() {
    return rowOffsets.toString();
  }

  int operandCount() {
    return operands.size();
  }

  /** An operand in memory; its start is an int variable computed per row. */
  private void operand(Value base, String memory, String offset, long start, Strides strides) {
    head.append(
        "    "
            + Memory.TYPE
            + " "
            + memory
            + " = ("
            + Memory.TYPE
            + ") m["
            + operands.size()
            + "];\n");
    offsets.add(p.size());
    operands.add(base);
    offset(offset, start, base.type.dtype().bytes(), strides);
  }

  private void offset(String name, long start, int width, Strides strides) {
    rowOffsets.append("      int " + name + " = " + p(start * width));
    for (int a : k.rows) {
      rowOffsets.append(" + i" + a + " * " + p(strides.along(a) * width));
    }
    for (int a : k.folds) {
      rowOffsets.append(" + i" + a + " * " + p(strides.along(a) * width));
    }
    if (k.splitsInner() && k.space.rank() > 0) {
      long s = strides.along(k.space.rank() - 1) * width;
      if (s != 0) {
        rowOffsets.append(" + from * " + p(s));
      }
    }
    rowOffsets.append(";\n");
  }

  /** What an offset advances by from row to row, if the loop goes through rows. */
  private String next(int width, Strides strides) {
    return k.outer() < 0 ? null : p(strides.along(k.outer()) * width);
  }

  /** Stride along an axis, in elements. */
  interface Strides {
    long along(int axis);
  }

  /** Declares the memory of a reduction's result; its start does not depend on folded axes. */
  String reduce(int j) {
    Value v = k.reduces.get(j);
    head.append(
        "    " + Memory.TYPE + " r" + j + " = (" + Memory.TYPE + ") m[" + operands.size() + "];\n");
    offsets.add(p.size());
    operands.add(v);
    StringBuilder s = new StringBuilder(p(0));
    for (int a : k.rows) {
      s.append(" + i" + a + " * " + p(k.reduceStride(a) * v.type.dtype().bytes()));
    }
    return s.toString();
  }

  private void loads() {
    int inner = k.space.rank() - 1;
    for (int i = 0; i < k.loads.size(); i++) {
      View v = k.loads.get(i);
      DType t = v.base().type.dtype();
      int load = i;
      long step = inner < 0 ? 0 : k.stride(i, inner);
      if (v.base().kind == Value.Kind.IOTA) {
        offset("a" + i, v.offset(), 1, a -> k.stride(load, a));
        String next = next(1, a -> k.stride(load, a));
        args.add(new Arg(i, null, "a" + i, t, 0, p(step), next));
        continue;
      }
      operand(v.base(), "b" + i, "a" + i, v.offset(), a -> k.stride(load, a));
      String next = next(t.bytes(), a -> k.stride(load, a));
      if (k.outer() >= 0) {
        args.add(new Arg(i, "b" + i, "a" + i, t, t.bytes(), null, next));
      } else if (k.vector && step == 0) {
        rowOffsets.append(
            "      "
                + ScalarText.type(t)
                + " s"
                + i
                + " = "
                + Memory.get(t, "b" + i, "a" + i)
                + ";\n");
        args.add(new Arg(i, null, "s" + i, t, 0, null, null));
      } else {
        String by = k.vector ? null : p(step * t.bytes());
        args.add(new Arg(i, "b" + i, "a" + i, t, t.bytes(), by, null));
      }
    }
  }

  private void stores() {
    for (int j = 0; j < k.stores.size(); j++) {
      Value v = k.stores.get(j);
      operand(v, "c" + j, "q" + j, 0, k::storeStride);
      int width = v.type.dtype().bytes();
      String next = next(width, k::storeStride);
      args.add(new Arg(-1, "c" + j, "q" + j, v.type.dtype(), width, null, next));
    }
  }

  /** Declarations of {@code loop}'s parameters after the fixed ones. */
  private String params() {
    StringBuilder s = new StringBuilder();
    for (Arg a : args) {
      if (a.memory != null) {
        s.append(", " + Memory.TYPE + " " + a.memory + ", int " + a.offset);
      } else {
        s.append(", " + (a.step != null ? "int" : ScalarText.type(a.dtype)) + " " + a.offset);
      }
      if (a.step != null) {
        s.append(", int d" + a.load);
      }
    }
    for (int j = 0; j < k.reduces.size() && !k.innerFolded; j++) {
      s.append(", int w" + j);
    }
    if (k.outer() >= 0) {
      args.forEach(a -> s.append(", int next_" + a.offset));
    }
    return s.toString();
  }

  /** Statements that make operands the loop's own, if there is work enough between two of them. */
  private String own() {
    StringBuilder s = new StringBuilder();
    if (k.ownsOperands()) {
      args.stream()
          .filter(a -> a.memory != null)
          .forEach(a -> s.append("    " + a.memory + " = " + Operand.own(a.memory) + ";\n"));
      if (!k.reduces.isEmpty() && (k.outer() >= 0 || !k.innerFolded)) { // lanes, sums of columns
        s.append("    x = " + Operand.own("x") + ";\n");
      }
    }
    return s.toString();
  }

  /** Statements at the end of a row in a loop over rows. */
  private String next() {
    StringBuilder s = new StringBuilder();
    if (k.outer() >= 0) {
      args.forEach(a -> s.append("      " + a.offset + " += next_" + a.offset + ";\n"));
      if (k.innerFolded) {
        s.append("      w += " + k.foldBytes() + ";\n");
      }
    }
    return s.toString();
  }

  /**
   * The arguments of a call on several rows.
   *
   * @param sums the arguments that say where sums of columns are kept
   */
  String callRows(String sums) {
    StringBuilder s = new StringBuilder(call("0")).append(sums);
    args.forEach(a -> s.append(", " + a.next));
    return s.toString();
  }

  /** The arguments of a call that folds the lanes of several rows. */
  String callFolds() {
    StringBuilder s = new StringBuilder();
    for (int j = 0; j < k.reduces.size(); j++) {
      Value v = k.reduces.get(j);
      s.append(", r" + j + ", o" + j + ", " + next(v.type.dtype().bytes(), k::reduceStride));
    }
    return s.toString();
  }

  /** The arguments of a call on a part of a row that starts at an element. */
  String call(String element) {
    StringBuilder s = new StringBuilder();
    for (Arg a : args) {
      if (a.memory != null) {
        String w = a.step != null ? a.step : Integer.toString(a.width);
        s.append(
            ", "
                + a.memory
                + ", "
                + a.offset
                + (element.equals("0") ? "" : " + " + element + " * " + w));
      } else if (a.step != null) {
        s.append(", " + a.offset + (element.equals("0") ? "" : " + " + element + " * " + a.step));
      } else {
        s.append(", " + a.offset);
      }
      if (a.step != null) {
        s.append(", " + a.step);
      }
    }
    return s.toString();
  }

  /** Splits a row: whole vectors in place, the rest through scratch memory. */
  private String line() {
    StringBuilder s = new StringBuilder();
    String w = "";
    for (int j = 0; j < k.reduces.size() && !k.innerFolded; j++) {
      w += ", w" + j;
    }
    s.append("  static void line(int n, " + Memory.TYPE + " x" + params() + ") {\n");
    s.append("    int full = n - n % L;\n");
    s.append("    if (full > 0) loop(full, x" + inLine(null) + w + ");\n");
    s.append("    if (full < n) {\n      int rest = n - full;\n");
    if (k.innerFolded) {
      s.append("    if (full == 0) clear(x);\n");
    }
    Map<Integer, String> slots = new HashMap<>();
    StringBuilder back = new StringBuilder();
    int slot = 0;
    for (int i = 0; i < args.size(); i++) {
      Arg a = args.get(i);
      if (a.width == 0) {
        continue;
      }
      String at = resultBytes() + " + " + slot++ + " * 4 * L";
      slots.put(i, at);
      String mine = a.memory + ", " + a.offset + " + full * " + a.width;
      if (a.load >= 0) {
        s.append("      copy(" + mine + ", x, " + at + ", rest * " + a.width + ");\n");
      } else {
        back.append("      copy(x, " + at + ", " + mine + ", rest * " + a.width + ");\n");
      }
    }
    String wTail = "";
    for (int j = 0; j < k.reduces.size() && !k.innerFolded; j++) {
      wTail += ", w" + j + " + full * 4";
    }
    String part = k.innerFolded ? "tail(rest" : "loop(L";
    s.append("      " + part + ", x" + inLine(slots) + wTail + ");\n");
    s.append(back);
    s.append("    }\n  }\n");
    if (k.innerFolded) {
      s.append("  static void clear(" + Memory.TYPE + " x) {\n");
      for (int j = 0; j < k.reduces.size(); j++) {
        s.append(new LaneFold(k.reduces.get(j), j, "0").clear());
      }
      s.append("  }\n");
    }
    s.append(
        "  static void copy("
            + Memory.TYPE
            + " a, int i, "
            + Memory.TYPE
            + " b, int j, int bytes) {\n"
            + "    int e = 0;\n"
            + "    for (; e + 4 <= bytes; e += 4) "
            + Memory.put(DType.I32, "b", "j + e", Memory.get(DType.I32, "a", "i + e"))
            + "\n    for (; e < bytes; e++) "
            + Memory.put(DType.I8, "b", "j + e", Memory.get(DType.I8, "a", "i + e"))
            + "\n  }\n");
    return s.toString();
  }

  /** Arguments for {@code loop} within {@code line}: the row's start, or the staged rest. */
  private String inLine(Map<Integer, String> slots) {
    StringBuilder s = new StringBuilder();
    for (int i = 0; i < args.size(); i++) {
      Arg a = args.get(i);
      if (a.width > 0) {
        s.append(slots == null ? ", " + a.memory + ", " + a.offset : ", x, " + slots.get(i));
      } else if (a.step != null) {
        s.append(", " + a.offset + (slots == null ? "" : " + full * d" + a.load) + ", d" + a.load);
      } else {
        s.append(", " + a.offset);
      }
    }
    return s.toString();
  }
}
