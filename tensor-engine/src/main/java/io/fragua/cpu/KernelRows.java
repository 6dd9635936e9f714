package io.fragua.cpu;

import io.fragua.tensor.DType;
import java.util.List;

/** Writes {@code run}: the walk over the rows of a kernel and the bookkeeping of its reductions. */
final class KernelRows {
  private final KernelSource s;
  private final KernelPlan k;
  private final StringBuilder out = new StringBuilder();

  KernelRows(KernelSource source, KernelPlan plan) {
    this.s = source;
    this.k = plan;
  }

  String write() {
    return k.loopsRows() ? rows() : parts();
  }

  /** Calls the loop for runs of rows along the last of their axes. */
  private String rows() {
    int last = k.rows.get(k.rows.size() - 1);
    StringBuilder places = new StringBuilder();
    for (int j = 0; j < k.reduces.size(); j++) {
      places.append("      int o" + j + " = " + s.reduce(j) + ";\n");
    }
    out.append("  public void run(Object[] m, int[] p, int from, int to) {\n");
    out.append(s.head());
    out.append(k.innerFolded ? scratch() : "");
    out.append("    int rows;\n    for (int row = from; row < to; row += rows) {\n");
    axes("row", k.rows);
    out.append("      rows = Math.min(to - row, " + s.p(k.rowsACall()) + ");\n");
    if (k.rows.size() > 1) {
      out.append(
          "      rows = Math.min(rows, " + s.p(k.space.sizes[last]) + " - i" + last + ");\n");
    }
    out.append(s.rowOffsets()).append(places);
    out.append("      loop(rows, p[0]" + (k.innerFolded ? ", x" : "") + s.callRows("") + ");\n");
    out.append(k.innerFolded ? "      folds(rows, x" + s.callFolds() + ");\n" : "");
    return out.append("    }\n  }\n").toString();
  }

  private String scratch() {
    return "    " + Memory.TYPE + " x = (" + Memory.TYPE + ") m[" + s.operandCount() + "];\n";
  }

  private String parts() {
    int count = k.reduces.size();
    String[] place = new String[count];
    String[] w = new String[count];
    String[] d = new String[count];
    String pad = "";
    int lanes = Math.max(1, VectorRuntime.LANES);
    for (int j = 0; j < count; j++) {
      place[j] = s.reduce(j);
      if (!k.innerFolded) {
        long padded = (k.inner() + lanes - 1) / lanes * (long) lanes;
        w[j] = s.p(s.scratch(k.vector ? padded * 4 : k.inner() * 8L));
        if (isBlocked(j)) {
          d[j] = s.p(s.scratch(k.inner() * 8L));
        }
        pad += ", " + w[j];
      }
    }
    boolean blocked = java.util.stream.IntStream.range(0, count).anyMatch(this::isBlocked);
    out.append("  public void run(Object[] m, int[] p, int from, int to) {\n");
    out.append(s.head());
    out.append(scratch());
    out.append(k.splitsInner() ? "    int n = to - from;\n" : "    int n = p[0];\n");
    if (!k.splitsInner()) {
      out.append("    for (int row = from; row < to; row++) {\n");
      axes("row", k.rows);
    } else {
      out.append("    {\n");
    }
    for (int j = 0; j < count; j++) {
      begin(j, w[j], d[j]);
    }
    boolean folds = !k.folds.isEmpty();
    boolean many = k.loopsFolds();
    if (folds) {
      out.append(many ? "    int many;\n" : "");
      out.append("    for (int fold = 0; fold < p[1]; fold += " + (many ? "many" : "1") + ") {\n");
      axes("fold", k.folds);
    }
    if (many) {
      String size = s.p(k.space.sizes[k.outer()]);
      out.append("      many = Math.min(" + KernelPlan.BLOCK + " - fold % " + KernelPlan.BLOCK);
      out.append(", " + size + " - i" + k.outer() + ");\n");
    }
    out.append(s.rowOffsets());
    if (!k.vector) {
      out.append("      loop(n, x" + s.call("0") + pad + ");\n");
      collect();
    } else if (k.innerFolded) {
      out.append(
          "      for (int e = 0; e < n; e += "
              + KernelPlan.CHUNK
              + ") {\n      line(Math.min("
              + KernelPlan.CHUNK
              + ", n - e), x"
              + s.call("e")
              + ");\n");
      collect();
      out.append("      }\n");
    } else if (many) {
      out.append("      loop(many, n, x" + s.callRows(pad) + ");\n");
    } else {
      out.append("      line(n, x" + s.call("0") + pad + ");\n");
    }
    if (folds) {
      if (blocked) {
        out.append(
            "      if (p[1] > "
                + KernelPlan.BLOCK
                + " && ((fold + "
                + (many ? "many" : "1")
                + ") % "
                + KernelPlan.BLOCK
                + " == 0 || fold + "
                + (many ? "many" : "1")
                + " == p[1])) {\n");
        for (int j = 0; j < count; j++) {
          if (isBlocked(j)) {
            out.append("        flush(n, x, " + w[j] + ", " + d[j] + ");\n");
          }
        }
        out.append("      }\n");
      }
      out.append("    }\n");
    }
    for (int j = 0; j < count; j++) {
      end(j, place[j], w[j], d[j]);
    }
    out.append("    }\n  }\n");
    if (blocked) {
      out.append(
          "  static void flush(int n, "
              + Memory.TYPE
              + " x, int w, int d) {\n"
              + "    for (int i = 0; i < n; i++) {\n      "
              + Memory.put(
                  DType.F64,
                  "x",
                  "d + i * 8",
                  Memory.get(DType.F64, "x", "d + i * 8")
                      + " + "
                      + Memory.get(DType.F32, "x", "w + i * 4"))
              + "\n      "
              + Memory.put(DType.F32, "x", "w + i * 4", "0f")
              + "\n    }\n  }\n");
    }
    return out.toString();
  }

  private boolean isBlocked(int j) {
    return k.vector
        && !k.innerFolded
        && !k.folds.isEmpty()
        && KernelPlan.isBlocked(k.reduces.get(j));
  }

  private void axes(String index, List<Integer> axes) {
    if (axes.size() == 1) {
      out.append("      int i" + axes.get(0) + " = " + index + ";\n");
      return;
    }
    if (axes.isEmpty()) {
      return;
    }
    out.append("      int rem_" + index + " = " + index + ";\n");
    for (int a = axes.size() - 1; a >= 0; a--) {
      String size = s.p(k.space.sizes[axes.get(a)]);
      out.append(
          "      int i"
              + axes.get(a)
              + " = rem_"
              + index
              + " % "
              + size
              + "; rem_"
              + index
              + " /= "
              + size
              + ";\n");
    }
  }

  private void begin(int j, String w, String d) {
    Value v = k.reduces.get(j);
    String none = Identities.text(v.op.name(), v.type.dtype());
    if (k.innerFolded) {
      out.append("    " + KernelLoop.wide(v) + " sum" + j + " = " + none + ";\n");
    } else if (k.vector) {
      out.append(
          "    for (int e = 0; e < n; e++) "
              + Memory.put(KernelLoop.lane(v), "x", w + " + e * 4", none)
              + "\n");
      if (d != null) {
        out.append(
            "    if (p[1] > "
                + KernelPlan.BLOCK
                + ") for (int e = 0; e < n; e++) "
                + Memory.put(DType.F64, "x", d + " + e * 8", "0.0")
                + "\n");
      }
    } else {
      out.append(
          "    for (int e = 0; e < n; e++) "
              + Memory.put(KernelLoop.wideType(v), "x", w + " + e * 8", none)
              + "\n");
    }
  }

  /** Adds the result of a row's part to the row's. */
  private void collect() {
    for (int j = 0; j < k.reduces.size() && k.innerFolded; j++) {
      Value v = k.reduces.get(j);
      String part =
          k.vector
              ? new LaneFold(v, j, "0").result()
              : Memory.get(KernelLoop.wideType(v), "x", "" + 8 * j);
      out.append("      sum" + j + " = " + KernelLoop.combine(v, "sum" + j, part) + ";\n");
    }
  }

  private void end(int j, String place, String w, String d) {
    Value v = k.reduces.get(j);
    DType t = v.type.dtype();
    String java = ScalarText.type(t);
    if (k.innerFolded) {
      out.append("    " + Memory.put(t, "r" + j, place, "(" + java + ") sum" + j) + "\n");
      return;
    }
    String first = k.splitsInner() ? " + from * " + t.bytes() : "";
    out.append("    int o" + j + " = " + place + first + ";\n");
    String at = "o" + j + " + e * " + t.bytes();
    if (!k.vector) {
      out.append(
          "    for (int e = 0; e < n; e++) "
              + Memory.put(
                  t,
                  "r" + j,
                  at,
                  "(" + java + ") " + Memory.get(KernelLoop.wideType(v), "x", w + " + e * 8"))
              + "\n");
      return;
    }
    String copy =
        "for (int e = 0; e < n; e++) "
            + Memory.put(t, "r" + j, at, Memory.get(KernelLoop.lane(v), "x", w + " + e * 4"));
    if (d == null) {
      out.append("    " + copy + "\n");
    } else {
      out.append(
          "    if (p[1] > "
              + KernelPlan.BLOCK
              + ") for (int e = 0; e < n; e++) "
              + Memory.put(t, "r" + j, at, "(float) " + Memory.get(DType.F64, "x", d + " + e * 8"))
              + "\n    else "
              + copy
              + "\n");
    }
  }
}
