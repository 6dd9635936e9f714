package io.fragua.examples.flightdelays;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.UncheckedIOException;

/**
 * What the example found, printed as its last line.
 *
 * @param auc area under the ROC curve on the test part
 * @param logLoss mean negative log likelihood on the test part
 * @param fitSeconds wall time of {@code fit}
 * @param trainRowsPerSecond rows x epochs / time in the epochs
 * @param scoreRowsPerSecond rows / wall time of the job from Parquet to Parquet in this JVM
 * @param reloadIdentical whether the reloaded model gave the same bits for every row
 */
public record Result(
    double auc,
    double logLoss,
    double fitSeconds,
    double trainRowsPerSecond,
    double scoreRowsPerSecond,
    boolean reloadIdentical) {
  /** Starts the line. */
  public static final String MARKER = "RESULT ";

  /** The line, numbers rounded to what can be measured. */
  public String line() {
    Result rounded =
        new Result(
            round(auc, 1e5),
            round(logLoss, 1e5),
            round(fitSeconds, 1e2),
            round(trainRowsPerSecond, 1),
            round(scoreRowsPerSecond, 1),
            reloadIdentical);
    try {
      return MARKER + new ObjectMapper().writeValueAsString(rounded);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException("flight-delays: the result could not be written as JSON", e);
    }
  }

  private static double round(double value, double to) {
    return Math.round(value * to) / to;
  }
}
