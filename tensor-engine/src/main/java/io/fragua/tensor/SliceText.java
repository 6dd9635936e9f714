package io.fragua.tensor;

import java.util.ArrayList;
import java.util.List;

/** Reads an index in NumPy's notation and applies it. */
final class SliceText {
  private final Tensor whole;
  private final String text;

  private SliceText(Tensor whole, String text) {
    this.whole = whole;
    this.text = text;
  }

  static Tensor apply(Tensor t, String text) {
    return new SliceText(t, text).apply();
  }

  private Tensor apply() {
    List<String> entries = new ArrayList<>();
    for (String e : text.split(",", -1)) {
      entries.add(e.strip());
    }
    long named = entries.stream().filter(e -> !e.equals("...") && !e.equals("newaxis")).count();
    int between = entries.indexOf("...");
    require(between == entries.lastIndexOf("..."), "has \"...\" once");
    int rank = whole.shape().rank();
    require(named <= rank, "has at most " + rank + " entries");
    Tensor t = whole;
    List<Integer> dims = new ArrayList<>();
    int axis = 0;
    for (String e : entries) {
      if (e.equals("...")) {
        for (int end = axis + rank - (int) named; axis < end; axis++) {
          dims.add(t.shape().dim(axis));
        }
      } else if (e.equals("newaxis")) {
        dims.add(1);
      } else {
        t = e.contains(":") ? range(t, axis, e) : at(t, axis, e);
        if (e.contains(":")) {
          dims.add(t.shape().dim(axis));
        }
        axis++;
      }
    }
    for (; axis < rank; axis++) {
      dims.add(t.shape().dim(axis));
    }
    return t.reshape(dims.stream().mapToInt(i -> i).toArray());
  }

  private Tensor at(Tensor t, int axis, String entry) {
    int n = t.shape().dim(axis);
    int i = number(entry, 0);
    require(
        !entry.isEmpty() && i >= -n && i < n, "lies in [-" + n + ", " + n + ") on axis " + axis);
    int from = i < 0 ? i + n : i;
    return t.slice(axis, from, from + 1);
  }

  private Tensor range(Tensor t, int axis, String entry) {
    String[] p = entry.split(":", -1);
    require(p.length <= 3, "is start:stop:step");
    int n = t.shape().dim(axis);
    int step = number(p.length == 3 ? p[2].strip() : "", 1);
    require(step != 0 && step != Integer.MIN_VALUE, "has steps other than 0");
    int least = step > 0 ? 0 : -1;
    int start = bound(p[0].strip(), step > 0 ? 0 : n - 1, n, least);
    int stop = bound(p[1].strip(), step > 0 ? n : -1, n, least);
    if (step > 0) {
      return t.slice(axis, start, Math.max(start, stop), step);
    }
    if (start <= stop) {
      return t.slice(axis, 0, 0);
    }
    // backwards: the same elements of the reversed axis
    return t.reverse(axis).slice(axis, n - 1 - start, n - 1 - stop, -step);
  }

  /** A bound, moved to the ends as NumPy does. */
  private int bound(String s, int none, int n, int least) {
    if (s.isEmpty()) {
      return none;
    }
    long i = number(s, 0);
    return (int) Math.max(least, Math.min(least == 0 ? n : n - 1, i < 0 ? i + n : i));
  }

  private int number(String s, int none) {
    if (s.isEmpty()) {
      return none;
    }
    try {
      return Integer.parseInt(s);
    } catch (NumberFormatException e) {
      throw new ShapeException(message("holds whole numbers, not \"" + s + "\""));
    }
  }

  private void require(boolean ok, String rule) {
    if (!ok) {
      throw new ShapeException(message(rule));
    }
  }

  private String message(String rule) {
    return "slice: an index "
        + rule
        + ": \""
        + text
        + "\" of "
        + whole.type()
        + "; write for each axis a number or start:stop:step, as in \"1:, ::2, -1\"";
  }
}
