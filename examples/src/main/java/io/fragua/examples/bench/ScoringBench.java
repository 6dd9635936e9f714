package io.fragua.examples.bench;

import io.fragua.examples.bench.BenchRow.Better;
import io.fragua.examples.flightdelays.FlightOptions;
import io.fragua.examples.flightdelays.Flights;
import io.fragua.pipelines.progress.ConsoleProgress;
import io.fragua.spark.train.TrainListener;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.execution.SparkPlan;
import scala.jdk.javaapi.CollectionConverters;

/**
 * What scoring flights from Parquet costs beside its parts: reading the columns alone, and the
 * model alone on flights that Spark holds in memory with all columns derived; from there Spark
 * yields them slower than from Parquet, so the operator's own time, without any reading, has a row
 * too. Results are computed whole and thrown away.
 */
final class ScoringBench {
  private ScoringBench() {}

  static List<BenchRow> measure(
      Dataset<Row> flights, FlightOptions options, int runs, ConsoleProgress progress) {
    PipelineModel model =
        options.pipeline(TrainListener.NONE).fit(Flights.split(flights, options.seed()).train());
    long rows = flights.count();
    progress.phase("reading alone");
    double scan = rows / median(runs, flights.select("date", "distance", "origin", "destination"));
    progress.phase("reading and model");
    Dataset<Row> scored = model.transform(flights).select("probability");
    double whole = rows / median(runs, scored);
    double operator = rows / operator(scored);
    progress.phase("model alone");
    Dataset<Row> derived = model.stages()[0].transform(flights).persist();
    double alone;
    try {
      derived.count();
      alone = rows / median(runs, model.stages()[1].transform(derived).select("probability"));
    } finally {
      derived.unpersist();
    }
    double lower = Math.min(scan, alone);
    return List.of(
        new BenchRow(
            "scoring, Parquet scan alone", scan, "rows/s", Better.HIGHER, null, null, null),
        new BenchRow("scoring, model alone", alone, "rows/s", Better.HIGHER, null, null, null),
        new BenchRow(
            "scoring, operator alone", operator, "rows/s", Better.HIGHER, null, null, null),
        new BenchRow(
            "scoring, both",
            whole,
            "rows/s",
            Better.HIGHER,
            "the lower of scan and model alone",
            lower,
            0.85 * lower));
  }

  /** Seconds in which tasks side by side copy columns and compute, of one run. */
  private static double operator(Dataset<Row> scored) {
    SparkPlan plan = scored.queryExecution().executedPlan();
    plan.execute().count();
    long nanos = metric(plan, "copyTime") + metric(plan, "computeTime");
    return nanos / 1e9 / scored.sparkSession().sparkContext().defaultParallelism();
  }

  /** What the operators of a plan have counted under this name. */
  private static long metric(SparkPlan plan, String name) {
    long sum = plan.metrics().contains(name) ? plan.metrics().apply(name).value() : 0;
    for (SparkPlan child : CollectionConverters.asJava(plan.children())) {
      sum += metric(child, name);
    }
    return sum;
  }

  /** Seconds to compute all rows, the median of so many runs after a first. */
  static double median(int runs, Dataset<Row> rows) {
    List<Double> times = new ArrayList<>();
    for (int i = 0; i <= runs; i++) {
      long began = System.nanoTime();
      rows.write().format("noop").mode("overwrite").save();
      if (i > 0) {
        times.add((System.nanoTime() - began) / 1e9);
      }
    }
    times.sort(Comparator.naturalOrder());
    return times.get(times.size() / 2);
  }
}
