package io.fragua.examples.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * One figure of a benchmark.
 *
 * @param row what was measured
 * @param ours Fragua's figure
 * @param unit of both figures
 * @param better which figures are better
 * @param peer the other system and its version; null if none was measured
 * @param theirs its figure; null if none was measured
 * @param reach the figure that Fragua aims at; null without one
 */
record BenchRow(
    String row, double ours, String unit, Better better, String peer, Double theirs, Double reach) {
  static final String MARKER = "BENCH ";

  /** The direction of a figure. */
  enum Better {
    HIGHER,
    LOWER
  }

  BenchRow {
    if ((peer == null) != (theirs == null)) {
      throw new IllegalArgumentException(
          "bench: a peer has a name and a figure: row \"" + row + "\" has one of them; give both");
    }
  }

  /**
   * What {@code --rows} chooses of a bench: all whose name has one of the texts in it.
   *
   * @param texts none for all
   * @throws IllegalArgumentException if they choose nothing
   */
  static <T> List<T> chosen(
      String bench, Collection<T> all, Function<T, String> name, List<String> texts) {
    List<T> some =
        all.stream()
            .filter(x -> texts.isEmpty() || texts.stream().anyMatch(name.apply(x)::contains))
            .toList();
    if (some.isEmpty()) {
      throw new IllegalArgumentException(
          String.format(
              "%s: --rows must name some of %s: %s; correct it",
              bench, all.stream().map(name).toList(), texts));
    }
    return some;
  }

  /** Above 1 where Fragua is better; null without a peer. */
  Double ratio() {
    return theirs == null ? null : better == Better.HIGHER ? ours / theirs : theirs / ours;
  }

  /** Whether the aim is met; null without one. */
  Boolean reached() {
    return reach == null ? null : better == Better.HIGHER ? ours >= reach : ours <= reach;
  }

  /** The line for programs. */
  String line() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("row", row);
    fields.put("ours", significant(ours));
    fields.put("unit", unit);
    fields.put("peer", peer);
    fields.put("theirs", theirs == null ? null : significant(theirs));
    fields.put("ratio", ratio() == null ? null : significant(ratio()));
    fields.put("reach", reach == null ? null : significant(reach));
    try {
      return MARKER + new ObjectMapper().writeValueAsString(fields);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException("bench: row \"" + row + "\" could not be written as JSON", e);
    }
  }

  /** Four digits; a measurement has no more. */
  private static double significant(double v) {
    return v == 0 || Double.isNaN(v) || Double.isInfinite(v)
        ? v
        : new java.math.BigDecimal(v)
            .round(new java.math.MathContext(4, java.math.RoundingMode.HALF_EVEN))
            .doubleValue();
  }

  /** The table for people, then a line a row. */
  static void print(PrintWriter out, List<BenchRow> rows) {
    int name = rows.stream().mapToInt(r -> r.row.length()).reduce(34, Math::max);
    String format = "%-" + name + "s %12s %-8s %12s %7s  %s%n";
    out.printf("%n" + format, "row", "Fragua", "unit", "peer", "ratio", "reach");
    for (BenchRow r : rows) {
      out.printf(
          format,
          r.row,
          figure(r.ours),
          r.unit,
          r.theirs == null ? "-" : figure(r.theirs),
          r.theirs == null ? "-" : String.format(Locale.ROOT, "%.2f", r.ratio()),
          r.reach == null
              ? "-"
              : (r.better == Better.HIGHER ? ">= " : "<= ")
                  + figure(r.reach)
                  + (r.reached() ? " yes" : " NO"));
    }
    rows.stream()
        .map(BenchRow::peer)
        .filter(p -> p != null)
        .distinct()
        .forEach(p -> out.println("peer: " + p));
    out.println();
    rows.forEach(r -> out.println(r.line()));
    out.flush();
  }

  private static String figure(double v) {
    return Math.abs(v) >= 1000
        ? String.format(Locale.ROOT, "%,.0f", v)
        : String.format(Locale.ROOT, "%.4g", v);
  }
}
