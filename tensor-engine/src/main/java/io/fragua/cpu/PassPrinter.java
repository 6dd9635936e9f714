package io.fragua.cpu;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The text form of a program between two passes. */
final class PassPrinter {
  private PassPrinter() {}

  /** What the results need, operands first. */
  static String values(List<View> results) {
    StringBuilder s = new StringBuilder();
    for (Value v : Order.of(results.stream().map(View::base).toList()).values) {
      s.append(line(v)).append('\n');
    }
    return s.append("return ").append(views(results)).append('\n').toString();
  }

  /** Groups, in the order in which they run. */
  static String clusters(Clusters.Result fused) {
    StringBuilder s = new StringBuilder();
    int n = 0;
    for (Cluster c : fused.clusters()) {
      if (c.members.size() == 1 && c.members.get(0).args.isEmpty()) {
        continue; // an operand
      }
      s.append(c.isKernel() ? "kernel " : "step ").append(n++);
      if (c.isKernel()) {
        s.append(" over ")
            .append(c.points)
            .append(c.vector ? " points, vector" : " points, scalar");
      }
      s.append('\n');
      c.members.forEach(v -> s.append("  ").append(line(v)).append('\n'));
    }
    return s.append("return ").append(views(fused.results())).append('\n').toString();
  }

  /** Where each step finds and leaves its values. */
  static String plan(CpuProgram p) {
    StringBuilder s = new StringBuilder();
    int n = 0;
    for (Step t : p.steps()) {
      s.append(n).append(n < p.once() ? " once: " : " ").append(t.describe()).append('\n');
      places(s, "  reads ", t.reads(), p);
      places(s, "  writes ", t.writes(), p);
      Place scratch = p.plan().scratch().get(t);
      if (scratch != null) {
        s.append("  scratch ").append(t.scratchBytes()).append(" bytes at ");
        s.append(place(scratch, p)).append('\n');
      }
      n++;
    }
    return s.append("workspace ")
        .append(p.plan().workspaceBytes())
        .append(" bytes, constants ")
        .append(p.plan().constantBytes())
        .append(" bytes\n")
        .toString();
  }

  private static void places(StringBuilder s, String what, List<Value> values, CpuProgram p) {
    for (Value v : values) {
      Place at = p.plan().places().get(v);
      s.append(what).append('%').append(v.id).append(' ').append(v.type).append(" at ");
      s.append(at == null ? "a tile's own memory" : place(at, p)).append('\n');
    }
  }

  private static String place(Place p, CpuProgram of) {
    int inputs = of.graph().inputs().size();
    if (p.slot() == 0) {
      return "workspace + " + p.offset();
    }
    if (p.slot() <= inputs) {
      return "input " + of.graph().inputs().get(p.slot() - 1).name();
    }
    int o = p.slot() - 1 - inputs;
    int more = o - of.graph().outputs().size();
    if (more < 0) {
      return "output " + of.graph().outputs().get(o).name();
    }
    if (more == 0) {
      return "constants + " + p.offset();
    }
    String what = of.plan().areas().get(more).kept() ? "kept " : "workspace ";
    return what + (more + 1) + " + " + p.offset();
  }

  private static String line(Value v) {
    String attrs = v.attrs.toString();
    String number = v.isScalarConstant() ? " " + v.constant : "";
    return "%"
        + v.id
        + ": "
        + v.type
        + " = "
        + v.name()
        + (v.input >= 0 ? " " + v.input : "")
        + number
        + (v.args.isEmpty() ? "" : "(" + views(v.args) + ")")
        + (attrs.isEmpty() ? "" : " {" + attrs + "}");
  }

  private static String views(List<View> views) {
    return views.stream().map(PassPrinter::view).collect(Collectors.joining(", "));
  }

  /** A value, and how it is read unless in its own order. */
  private static String view(View v) {
    String name = "%" + v.base().id;
    if (v.isDense()) {
      return v.shape().equals(v.base().shape()) ? name : name + " as " + v.shape();
    }
    return name
        + " as "
        + v.shape()
        + " by "
        + Arrays.toString(v.strides())
        + (v.offset() == 0 ? "" : " from " + v.offset());
  }
}
