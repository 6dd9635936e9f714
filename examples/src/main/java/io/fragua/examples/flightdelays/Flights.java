package io.fragua.examples.flightdelays;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;

/** Flights as a problem to learn: the columns, what is derived from them, and the split. */
public final class Flights {
  /** 1 if a flight was more than 15 minutes late, else 0. */
  public static final String LATE = "late";

  /** Derived columns and others that are amounts. */
  public static final String[] NUMERIC = {
    "minute_sin", "minute_cos", "day_share", "distance", "year_share"
  };

  /** Derived columns and others that are names. */
  static final String[] CATEGORICAL = {"origin", "destination", "weekday", "hour", "day_of_year"};

  /** Cells that a training row has: inputs and label. */
  public static final int TRAINING_CELLS = NUMERIC.length + CATEGORICAL.length + 1;

  /**
   * What Spark SQL derives from a flight, as the statement of a pipeline's first stage: the saved
   * pipeline then scores raw flights. Sine and cosine put 23:59 beside 0:00.
   */
  public static final String DERIVE =
      """
      SELECT *,
        sin(minute_of_day * pi() / 720) AS minute_sin,
        cos(minute_of_day * pi() / 720) AS minute_cos,
        minute_of_day / 1440 AS day_share,
        day_of_year / 366 AS year_share
      FROM (
        SELECT *,
          hour(date) * 60 + minute(date) AS minute_of_day,
          hour(date) AS hour,
          weekday(date) AS weekday,
          dayofyear(date) AS day_of_year
        FROM __THIS__)
      """;

  /** What a flight must have, in words and as a test. */
  private record Kind(String words, Predicate<DataType> test) {}

  private static final Kind TIME =
      new Kind(
          "a timestamp",
          t -> t.equals(DataTypes.TimestampNTZType) || t.equals(DataTypes.TimestampType));
  private static final Kind NUMBER = new Kind("a number", NumericType.class::isInstance);
  private static final Kind TEXT = new Kind("a string", StringType.class::isInstance);
  private static final Map<String, Kind> COLUMNS = new LinkedHashMap<>();

  static {
    COLUMNS.put("date", TIME);
    COLUMNS.put("delay", NUMBER);
    COLUMNS.put("distance", NUMBER);
    COLUMNS.put("origin", TEXT);
    COLUMNS.put("destination", TEXT);
  }

  private Flights() {}

  /**
   * Reads flights from Parquet and checks their columns.
   *
   * @throws IllegalArgumentException if there is nothing, no Parquet, or no flights in it
   */
  public static Dataset<Row> read(SparkSession spark, String path) {
    Dataset<Row> flights;
    try {
      flights = spark.read().parquet(path);
    } catch (Exception e) { // among them Spark's checked ones, which it does not declare
      throw unreadable(path, e);
    }
    check(path, flights);
    return flights;
  }

  private static IllegalArgumentException unreadable(String path, Exception cause) {
    String condition = cause instanceof AnalysisException a ? a.getCondition() : "";
    String given =
        switch (condition == null ? "" : condition) {
          case "PATH_NOT_FOUND" -> "there is nothing at " + path;
          case "UNABLE_TO_INFER_SCHEMA" -> "there is no Parquet file in " + path;
          default -> path + " could not be read as Parquet";
        };
    return new IllegalArgumentException(
        "flights: --data must name Parquet files that Spark can read: "
            + given
            + "; correct the path, or leave --data out to use the sample",
        cause);
  }

  private static void check(String path, Dataset<Row> flights) {
    List<String> wrong = new ArrayList<>();
    COLUMNS.forEach(
        (name, kind) -> {
          StructField field =
              Arrays.stream(flights.schema().fields())
                  .filter(f -> f.name().equalsIgnoreCase(name))
                  .findFirst()
                  .orElse(null);
          if (field == null) {
            wrong.add(name + " is missing");
          } else if (!kind.test().test(field.dataType())) {
            wrong.add(name + " is " + field.dataType().catalogString() + ", not " + kind.words());
          }
        });
    if (!wrong.isEmpty()) {
      throw new IllegalArgumentException(
          String.format(
              "flights: %s must have the columns %s: %s (it has %s); choose a file of flights or"
                  + " rename its columns",
              path,
              String.join(", ", COLUMNS.keySet()),
              String.join(", ", wrong),
              flights.schema().catalogString()));
    }
    if (flights.isEmpty()) {
      throw new IllegalArgumentException(
          "flights: --data must have rows: " + path + " has none; choose a file with flights");
    }
  }

  /** The flights with {@link #LATE}, and whether each is for training ({@code true}) or testing. */
  public record Split(Dataset<Row> train, Dataset<Row> test) {}

  /**
   * Four fifths to learn from, one to test on. What belongs where is decided by a hash of the row
   * and the seed, so it depends neither on how the file is cut into tasks nor on their order, and
   * costs next to nothing: {@code Dataset.randomSplit} sorts every partition to get there.
   */
  public static Split split(Dataset<Row> flights, long seed) {
    Dataset<Row> labelled =
        flights.withColumn(LATE, functions.col("delay").gt(15).cast(DataTypes.DoubleType));
    Column part =
        functions.expr(
            String.format(
                Locale.ROOT,
                "pmod(xxhash64(cast(date AS timestamp_ntz), cast(delay AS"
                    + " bigint), cast(distance AS bigint), %dL), 10)",
                seed));
    return new Split(labelled.where(part.lt(8)), labelled.where(part.geq(8)));
  }

  /** The sample that comes with the source. */
  public static String sample() {
    String home = System.getProperty("fragua.home");
    if (home == null) {
      throw new IllegalArgumentException(
          "flights: the sample is found from where bin/fragua is: this program was not started by"
              + " it; name a file with --data");
    }
    return Path.of(home, "examples", "data", "flights-sample.parquet").toUri().toString();
  }
}
