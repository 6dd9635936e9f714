package io.fragua.examples.flightdelays;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.ml.linalg.VectorUDT;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is refused as input, how flights are split, and how predictions are measured. */
class FlightsTest {
  private static SparkSession spark;

  @BeforeAll
  static void start() {
    spark = SmallFlights.spark();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static void refused(String message, Path path) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> Flights.read(spark, path.toString()))
            .getMessage());
  }

  @Test
  void pathsThatHoldNoFlightsAreRefused(@TempDir Path folder) throws Exception {
    String rule = "flights: --data must name Parquet files that Spark can read: ";
    String remedy = "; correct the path, or leave --data out to use the sample";
    Path nothing = folder.resolve("nothing");
    refused(rule + "there is nothing at " + nothing + remedy, nothing);
    Path empty = Files.createDirectory(folder.resolve("empty"));
    refused(rule + "there is no Parquet file in " + empty + remedy, empty);
    Path text = Files.writeString(folder.resolve("flights.csv"), "date,delay\n1,2\n");
    refused(rule + text + " could not be read as Parquet" + remedy, text);
  }

  @Test
  void filesWithOtherColumnsAreRefused(@TempDir Path folder) {
    Path other = folder.resolve("other");
    spark
        .sql("SELECT 'monday' AS date, 1 AS delay, 2L AS distance, 'SFO' AS origin")
        .write()
        .parquet(other.toString());
    refused(
        "flights: "
            + other
            + " must have the columns date, delay, distance, origin, destination: date is string,"
            + " not a timestamp, destination is missing (it has"
            + " struct<date:string,delay:int,distance:bigint,origin:string>); choose a file of"
            + " flights or rename its columns",
        other);
    Path none = folder.resolve("none");
    spark.read().parquet(Flights.sample()).where("delay > 100000").write().parquet(none.toString());
    refused(
        "flights: --data must have rows: " + none + " has none; choose a file with flights", none);
  }

  @Test
  void oneFlightInFiveTestsWhateverThePartitions(@TempDir Path folder) {
    Dataset<Row> flights = spark.read().parquet(SmallFlights.write(spark, folder, 50));
    long rows = flights.count();
    Flights.Split split = Flights.split(flights, 42);
    long test = split.test().count();
    assertEquals(rows, split.train().count() + test);
    assertEquals(0.2, (double) test / rows, 0.02);
    Flights.Split cut = Flights.split(flights.repartition(7), 42);
    assertEquals(0, cut.test().exceptAll(split.test()).count());
    assertEquals(test, cut.test().count());
    assertNotEquals(0, Flights.split(flights, 43).test().exceptAll(split.test()).count());
    // late is what it says.
    assertEquals(0, split.test().where("late <> IF(delay > 15, 1, 0)").count());
  }

  private static Dataset<Row> scored(double... labelsAndScores) {
    List<Row> rows = new java.util.ArrayList<>();
    for (int i = 0; i < labelsAndScores.length; i += 2) {
      double p = labelsAndScores[i + 1];
      rows.add(RowFactory.create(labelsAndScores[i], Vectors.dense(1 - p, p)));
    }
    return spark.createDataFrame(
        rows,
        new StructType()
            .add(Flights.LATE, DataTypes.DoubleType)
            .add("probability", new VectorUDT()));
  }

  @Test
  void qualityIsWhatAPencilGives() {
    // Of four pairs of a late and a punctual flight, three are in order.
    Quality q = Quality.of(scored(0, 0.1, 0, 0.4, 1, 0.35, 1, 0.8));
    assertEquals(0.75, q.auc(), 1e-12);
    assertEquals(
        -(Math.log(0.9) + Math.log(0.6) + Math.log(0.35) + Math.log(0.8)) / 4, q.logLoss(), 1e-12);
    // Ties are half right: (0.5 + 1) / 2 pairs.
    assertEquals(0.75, Quality.of(scored(0, 0.5, 1, 0.5, 1, 0.75)).auc(), 1e-12);
    assertEquals(1, Quality.of(scored(0, 0, 1, 1)).auc(), 0);
    // Being sure and wrong costs much, but not without end.
    assertEquals(-Math.log(1e-15), Quality.of(scored(0, 1, 1, 0)).logLoss(), 1e-9);
    assertEquals(0, Quality.of(scored(0, 1, 1, 0)).auc(), 0);
  }

  @Test
  void qualityNeedsBothKinds() {
    assertEquals(
        "flights: testing needs late and punctual flights: 2 of 2 are late; choose a file with more"
            + " flights",
        assertThrows(IllegalArgumentException.class, () -> Quality.of(scored(1, 0.5, 1, 0.25)))
            .getMessage());
  }
}
