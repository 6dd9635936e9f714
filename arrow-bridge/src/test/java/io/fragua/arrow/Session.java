package io.fragua.arrow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanExec;
import org.apache.spark.sql.execution.adaptive.QueryStageExec;
import scala.jdk.javaapi.CollectionConverters;

/** One local Spark for all tests of the module, started when first used. */
final class Session {
  private static SparkSession spark;
  private static Path folder;

  private Session() {}

  static synchronized SparkSession get() {
    if (spark == null) {
      try {
        folder = Files.createTempDirectory("fragua-test-");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      spark =
          SparkSession.builder()
              .master("local[2]")
              .appName("arrow-bridge tests")
              .config("spark.ui.enabled", "false")
              .config("spark.sql.shuffle.partitions", "2")
              .config("spark.sql.warehouse.dir", folder.resolve("warehouse").toString())
              .getOrCreate();
    }
    return spark;
  }

  /** A path that is not there yet. */
  static synchronized String path() {
    get();
    return folder.resolve("t" + System.nanoTime()).toString();
  }

  /** The data, written by Spark to Parquet in one file and read back. */
  static Dataset<Row> parquet(Dataset<Row> data) {
    String path = path();
    data.coalesce(1).write().parquet(path);
    return data.sparkSession().read().parquet(path);
  }

  private static QueryExecution query(Dataset<Row> df) {
    return ((org.apache.spark.sql.classic.Dataset<Row>) df).queryExecution();
  }

  static String optimized(Dataset<Row> df) {
    return query(df).optimizedPlan().toString();
  }

  static String physical(Dataset<Row> df) {
    return query(df).executedPlan().toString();
  }

  /** The metrics of the last operator of ours in the plan that was run. */
  static Map<String, Long> metrics(Dataset<Row> df) {
    ColumnarMapExec map = find(query(df).executedPlan());
    Map<String, Long> out = new LinkedHashMap<>();
    CollectionConverters.asJava(map.metrics()).forEach((k, v) -> out.put(k, v.value()));
    return out;
  }

  private static ColumnarMapExec find(SparkPlan plan) {
    if (plan instanceof ColumnarMapExec m) {
      return m;
    }
    if (plan instanceof AdaptiveSparkPlanExec a) {
      return find(a.executedPlan());
    }
    if (plan instanceof QueryStageExec s) {
      return find(s.plan());
    }
    for (SparkPlan c : CollectionConverters.asJava(plan.children())) {
      ColumnarMapExec m = find(c);
      if (m != null) {
        return m;
      }
    }
    return null;
  }

  static String message(Throwable t) {
    StringBuilder all = new StringBuilder();
    for (Throwable c = t; c != null; c = c.getCause()) {
      all.append(c.getMessage()).append('\n');
    }
    return all.toString();
  }
}
