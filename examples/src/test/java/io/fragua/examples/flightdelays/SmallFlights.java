package io.fragua.examples.flightdelays;

import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;

/** A local Spark and a few thousand of the sample's flights. */
public final class SmallFlights {
  private SmallFlights() {}

  /** Spark as the launcher configures it: from system properties, which new JVMs get too. */
  public static SparkSession spark() {
    System.setProperty("fragua.home", Path.of("..").toAbsolutePath().normalize().toString());
    System.setProperty("spark.master", "local[2]");
    System.setProperty("spark.ui.enabled", "false");
    System.setProperty("spark.sql.shuffle.partitions", "2");
    return FlightDelays.session("examples test");
  }

  /** Writes about one flight in {@code every} of the sample, from all of its days. */
  public static String write(SparkSession spark, Path folder, int every) {
    String path = folder.resolve("flights-small").toUri().toString();
    spark
        .read()
        .parquet(Flights.sample())
        .where("pmod(xxhash64(date, origin, destination, distance), " + every + ") = 0")
        .coalesce(1)
        .write()
        .parquet(path);
    return path;
  }
}
