package io.fragua.arrow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanExec;
import org.apache.spark.sql.execution.adaptive.QueryStageExec;
import org.apache.spark.sql.execution.exchange.ReusedExchangeExec;
import org.apache.spark.sql.execution.ui.SQLAppStatusStore;
import org.apache.spark.sql.execution.ui.SQLExecutionUIData;
import org.apache.spark.sql.execution.ui.SQLPlanMetric;
import org.apache.spark.sql.execution.ui.SparkPlanGraphNode;
import scala.jdk.javaapi.CollectionConverters;

/** One local Spark for all tests of the module, started when first used. */
final class Session {
  static final long OFF_HEAP = 32 << 20;

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
              // What Fragua takes counts there, and Spark fails a task that gives less back.
              .config("spark.memory.offHeap.enabled", "true")
              .config("spark.memory.offHeap.size", String.valueOf(OFF_HEAP))
              .config("spark.unsafe.exceptionOnMemoryLeak", "true")
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
    ColumnarMapExec map = plan(df, ColumnarMapExec.class).get(0);
    Map<String, Long> out = new LinkedHashMap<>();
    CollectionConverters.asJava(map.metrics()).forEach((k, v) -> out.put(k, v.value()));
    return out;
  }

  static SparkPlan executed(Dataset<Row> df) {
    return query(df).executedPlan();
  }

  /** All nodes of this class in the plan that was run, from the top. */
  static <T> List<T> plan(Dataset<Row> df, Class<T> type) {
    return find(executed(df), type);
  }

  /** All nodes of this class in the plan, from the top. */
  static <T> List<T> find(SparkPlan plan, Class<T> type) {
    List<T> found = new ArrayList<>();
    if (type.isInstance(plan)) {
      found.add(type.cast(plan));
    }
    List<SparkPlan> below =
        plan instanceof AdaptiveSparkPlanExec a
            ? List.of(a.executedPlan())
            : plan instanceof QueryStageExec s
                ? List.of(s.plan())
                : plan instanceof ReusedExchangeExec r
                    ? List.of(r.child())
                    : CollectionConverters.asJava(plan.children());
    below.forEach(c -> found.addAll(find(c, type)));
    return found;
  }

  /** What the SQL tab shows of the first node of this name in the last query: metric to value. */
  static Map<String, String> sqlTab(String node) throws TimeoutException {
    SQLAppStatusStore store =
        ((org.apache.spark.sql.classic.SparkSession) get()).sharedState().statusStore();
    get().sparkContext().listenerBus().waitUntilEmpty(60_000);
    SQLExecutionUIData last = store.executionsList().last();
    var values = CollectionConverters.asJava(store.executionMetrics(last.executionId()));
    Map<String, String> shown = new LinkedHashMap<>();
    for (SparkPlanGraphNode n :
        CollectionConverters.asJava(store.planGraph(last.executionId()).allNodes())) {
      if (n.name().equals(node) && shown.isEmpty()) {
        for (SQLPlanMetric m : CollectionConverters.asJava(n.metrics())) {
          shown.put(m.name(), values.get(m.accumulatorId()));
        }
      }
    }
    return shown;
  }

  static String message(Throwable t) {
    StringBuilder all = new StringBuilder();
    for (Throwable c = t; c != null; c = c.getCause()) {
      all.append(c.getMessage()).append('\n');
    }
    return all.toString();
  }
}
