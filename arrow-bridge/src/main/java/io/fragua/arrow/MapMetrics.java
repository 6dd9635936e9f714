package io.fragua.arrow;

import java.io.Serializable;
import java.util.LinkedHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.execution.metric.SQLMetric;
import org.apache.spark.sql.execution.metric.SQLMetrics;
import scala.collection.immutable.Map;

/** The SQL metrics of {@link ColumnarMapExec}; travels to the tasks as Spark's accumulators do. */
record MapMetrics(
    SQLMetric rows,
    SQLMetric batches,
    SQLMetric load,
    SQLMetric copy,
    SQLMetric compute,
    SQLMetric halvings,
    SQLMetric memory)
    implements Serializable {
  static Map<String, SQLMetric> create(SparkContext sc) {
    java.util.Map<String, SQLMetric> m = new LinkedHashMap<>();
    m.put("numOutputRows", SQLMetrics.createMetric(sc, "number of output rows"));
    m.put("numOutputBatches", SQLMetrics.createMetric(sc, "number of output batches"));
    m.put("loadTime", timing(sc, "time waiting for input"));
    m.put("copyTime", timing(sc, "time copying columns"));
    m.put("computeTime", timing(sc, "time computing"));
    m.put("numHalvings", SQLMetrics.createMetric(sc, "number of batch halvings for memory"));
    m.put(
        "nativeMemory",
        SQLMetrics.createSizeMetric(sc, "native memory", SQLMetrics.createSizeMetric$default$3()));
    return ScalaLists.map(m);
  }

  private static SQLMetric timing(SparkContext sc, String name) {
    return SQLMetrics.createNanoTimingMetric(
        sc, name, SQLMetrics.createNanoTimingMetric$default$3());
  }

  static MapMetrics of(Map<String, SQLMetric> m) {
    return new MapMetrics(
        m.apply("numOutputRows"),
        m.apply("numOutputBatches"),
        m.apply("loadTime"),
        m.apply("copyTime"),
        m.apply("computeTime"),
        m.apply("numHalvings"),
        m.apply("nativeMemory"));
  }

  /** The part that a function reports to. */
  ColumnarMetrics reporter() {
    return new ColumnarMetrics() {
      @Override
      public void copy(long nanos) {
        copy.add(nanos);
      }

      @Override
      public void compute(long nanos) {
        compute.add(nanos);
      }

      @Override
      public void halved() {
        halvings.add(1);
      }

      @Override
      public void memory(long bytes) {
        memory.add(bytes);
      }
    };
  }
}
