package io.fragua.examples.flightdelays;

import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.functions;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** The batch job that a fitted pipeline is for: Parquet in, Parquet out. */
public final class Scoring {
  /** How likely a flight is late, a float from 0 to 1. */
  static final String SCORE = "late_probability";

  private Scoring() {}

  /**
   * Scores every flight of {@code data} and writes which flight it is and its score.
   *
   * @return wall time of the job in seconds, from opening the input to the last file written
   */
  public static double toParquet(
      PipelineModel model, SparkSession spark, String data, String target) {
    long began = System.nanoTime();
    Column late = functions.vector_to_array(new Column("probability"), "float32").getItem(1);
    model
        .transform(spark.read().parquet(data))
        .select(new Column("date"), new Column("origin"), new Column("destination"), late.as(SCORE))
        .write()
        // Nearly every score differs, so a dictionary of them only costs time.
        .option("parquet.enable.dictionary#" + SCORE, "false")
        .parquet(target);
    return (System.nanoTime() - began) / 1e9;
  }

  /**
   * A summary of scored flights that two sets share only if they hold the same rows with the same
   * bits, whatever their order.
   *
   * @param rows how many
   * @param high sum of the upper halves of the rows' 64-bit hashes
   * @param low sum of the lower halves
   */
  record Fingerprint(long rows, long high, long low) {
    static Fingerprint of(Dataset<Row> scored) {
      Row r =
          scored
              .selectExpr("xxhash64(date, origin, destination, " + SCORE + ") AS h")
              .selectExpr("count(*)", "sum(shiftright(h, 32))", "sum(h & 4294967295)")
              .first();
      return new Fingerprint(
          r.getLong(0), r.isNullAt(1) ? 0 : r.getLong(1), r.isNullAt(2) ? 0 : r.getLong(2));
    }
  }
}
