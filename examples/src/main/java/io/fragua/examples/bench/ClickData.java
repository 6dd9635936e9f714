package io.fragua.examples.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Rows like those of advertisement logs, made of a seed: 13 numbers, 26 categories that have a
 * million values together, most of them rare, and whether somebody clicked. That follows from
 * effects of single values and of pairs of columns, planted in them, so there is something to
 * learn. The same seed and number of rows give the same rows, whatever the partitions.
 */
final class ClickData {
  static final int NUMBERS = 13;

  /** Values of each categorical column; a million in all. */
  static final List<Integer> SIZES =
      List.of(
          250_000, 200_000, 150_000, 100_000, 80_000, 60_000, 40_000, 30_000, 20_000, 15_000,
          12_000, 10_000, 8_000, 6_000, 5_000, 4_000, 3_000, 2_500, 1_500, 1_000, 800, 500, 300,
          200, 100, 100);

  /** Pairs of categorical columns whose values matter together. */
  private static final int[][] CROSSES = {{25, 24}, {23, 0}, {22, 1}, {21, 5}};

  static final String LABEL = "late"; // what Quality calls the label

  private ClickData() {}

  static String[] numbers() {
    return names("n", NUMBERS);
  }

  static String[] categories() {
    return names("c", SIZES.size());
  }

  private static String[] names(String prefix, int n) {
    String[] names = new String[n];
    for (int i = 0; i < n; i++) {
      names[i] = prefix + i;
    }
    return names;
  }

  /** The rows: numbers (float), categories (int, from 0), {@code late} (double), {@code held}. */
  static Dataset<Row> rows(SparkSession spark, long rows, long seed) {
    List<String> columns = new ArrayList<>(List.of("id"));
    for (int i = 0; i < NUMBERS; i++) {
      // Normal, by Box and Muller.
      columns.add(
          String.format(
              Locale.ROOT,
              "float(sqrt(-2 * ln(%s)) * cos(2 * pi() * %s)) AS n%d",
              uniform("id", 100 + i, seed),
              uniform("id", 200 + i, seed),
              i));
    }
    for (int i = 0; i < SIZES.size(); i++) {
      columns.add(
          String.format(
              Locale.ROOT, "int(pow(%s, 3) * %d) AS c%d", uniform("id", i, seed), SIZES.get(i), i));
    }
    columns.add(uniform("id", 300, seed) + " < 0.1 AS held");
    columns.add(uniform("id", 301, seed) + " AS chance");
    List<String> effects = new ArrayList<>(List.of("-1.0", "0.5 * n0", "0.5 * n1 * n2"));
    for (int i = 16; i < SIZES.size(); i++) {
      effects.add("(" + uniform("c" + i, 400 + i, seed) + " - 0.5)");
    }
    for (int i = 0; i < CROSSES.length; i++) {
      String pair = "c" + CROSSES[i][0] + " % 50, c" + CROSSES[i][1] + " % 50";
      effects.add("2 * (" + uniform(pair, 500 + i, seed) + " - 0.5)");
    }
    String[] all = columns.toArray(String[]::new);
    List<String> kept = new ArrayList<>(List.of(numbers()));
    kept.addAll(List.of(categories()));
    kept.add("held");
    kept.add("double(chance < 1 / (1 + exp(-(" + String.join(" + ", effects) + ")))) AS " + LABEL);
    return spark.range(rows).selectExpr(all).selectExpr(kept.toArray(String[]::new));
  }

  /** From 0 to below 1 and never 0, by a hash of the values: SQL. */
  private static String uniform(String values, int salt, long seed) {
    return String.format(
        Locale.ROOT,
        "(((xxhash64(%s, %d, %dL) & 4503599627370495L) + 0.5D) / 4503599627370496D)",
        values,
        salt,
        seed);
  }
}
