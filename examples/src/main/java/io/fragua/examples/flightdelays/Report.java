package io.fragua.examples.flightdelays;

import java.io.PrintWriter;
import java.util.Locale;

/**
 * What the example prints at its end.
 *
 * @param result the figures
 * @param rows flights that were read
 * @param folder with the model and the scored flights
 * @param reloadedRowsPerSecond of the scoring job in the new JVM, its first job
 * @param sessionSeconds that the new JVM took to start its session
 */
record Report(
    Result result, long rows, String folder, double reloadedRowsPerSecond, double sessionSeconds) {
  void print(PrintWriter out) {
    out.println();
    row(out, "flights", "%,d, of which 1 in 5 to test", rows);
    row(out, "AUC", "%.4f  (0.5 is guessing, 1 is perfect)", result.auc());
    row(out, "log loss", "%.4f", result.logLoss());
    row(out, "fit", "%.1f s", result.fitSeconds());
    row(out, "training", "%,.0f rows/s", result.trainRowsPerSecond());
    row(out, "scoring", "%,.0f rows/s, Parquet to Parquet", result.scoreRowsPerSecond());
    row(
        out,
        "  in a new JVM",
        "%,.0f rows/s in its first job, %.1f s to start its session",
        reloadedRowsPerSecond,
        sessionSeconds);
    row(
        out,
        "reloaded model",
        result.reloadIdentical() ? "gives the same bits" : "GIVES OTHER RESULTS");
    row(out, "model", "%s/model", folder);
    row(out, "scored", "%s/scored", folder);
    out.println();
    out.println(result.line());
  }

  private static void row(PrintWriter out, String name, String format, Object... values) {
    out.printf(Locale.ROOT, "%-15s " + format + "%n", prepend(name, values));
  }

  private static Object[] prepend(String first, Object[] rest) {
    Object[] all = new Object[rest.length + 1];
    all[0] = first;
    System.arraycopy(rest, 0, all, 1, rest.length);
    return all;
  }
}
