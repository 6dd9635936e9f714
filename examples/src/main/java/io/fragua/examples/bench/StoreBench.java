package io.fragua.examples.bench;

import io.fragua.examples.bench.BenchRow.Better;
import io.fragua.examples.flightdelays.FlightOptions;
import io.fragua.examples.flightdelays.Flights;
import io.fragua.spark.train.EpochMetrics;
import java.io.PrintWriter;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Training rows per second of the main job's network where a tenth of the rows may stay in memory,
 * the rest being read from disk in every epoch, beside all in memory.
 */
final class StoreBench {
  /** Of what the rows take, what the budget is a part of. */
  private static final int PARTS = 10;

  /** What should be left of the speed. */
  private static final double LEFT = 0.8;

  private static final String BUDGET = "spark.fragua.train.storeBudget";

  private StoreBench() {}

  static List<BenchRow> flights(Dataset<Row> flights, FlightOptions options, PrintWriter out) {
    String what = "a tenth of the rows in memory, flights, " + options.precision();
    if (!flights.sparkSession().sparkContext().isLocal()) {
      out.println(what + ": missing, the budget of running executors cannot be changed");
      return List.of();
    }
    int workers = flights.sparkSession().sparkContext().defaultParallelism();
    Dataset<Row> train = Flights.split(flights, options.seed()).train();
    List<EpochMetrics> memory = WorkersBench.flights(train, options, workers, false);
    EpochMetrics last = memory.get(memory.size() - 1);
    long budget = last.rows() * Flights.TRAINING_CELLS * Float.BYTES / workers / PARTS;
    SparkConf conf = flights.sparkSession().sparkContext().conf();
    conf.set(BUDGET, budget + "b");
    List<EpochMetrics> disk;
    try {
      disk = WorkersBench.flights(train, options, workers, false);
    } finally {
      conf.remove(BUDGET);
    }
    WorkersBench.compare(
        "rows from disk",
        disk.get(memory.size() - 1).trainLoss(),
        "all in memory",
        last.trainLoss());
    double inMemory = WorkersBench.rowsPerSecond(memory);
    return List.of(
        new BenchRow(
            what,
            WorkersBench.rowsPerSecond(disk),
            "rows/s",
            Better.HIGHER,
            "all in memory",
            inMemory,
            LEFT * inMemory));
  }
}
