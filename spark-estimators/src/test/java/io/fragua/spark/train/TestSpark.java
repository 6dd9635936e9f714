package io.fragua.spark.train;

import org.apache.spark.SparkEnv;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** The session of this module's tests (two slots, never stopped) and rows made of arithmetic. */
final class TestSpark {
  private TestSpark() {}

  static synchronized SparkSession get() {
    SparkSession s =
        SparkSession.builder()
            .master("local[2]")
            .appName("training tests")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate();
    s.sparkContext().setLogLevel("ERROR");
    return s;
  }

  /** What this process has of Spark. */
  static SparkEnv env() {
    get();
    return SparkEnv.get();
  }

  /** As {@link #rows(SparkSession, long, int)} in the tests' session. */
  static Dataset<Row> rows(long n, int partitions) {
    return rows(get(), n, partitions);
  }

  /**
   * Rows id, a, b (scalars), v (array of two), c (category 0..9), label (0 or 1), weight 1, held
   * false. The label follows from a, b and c but for one row in ten.
   */
  static Dataset<Row> rows(SparkSession spark, long n, int partitions) {
    return spark
        .range(0, n, 1, partitions)
        .selectExpr(
            "id",
            "pmod(id * 7919, 1009) / 504.5D - 1 as a",
            "pmod(id * 104729, 997) / 498.5D - 1 as b",
            "cast(pmod(id * 31, 10) as int) as c")
        .selectExpr(
            "*",
            "array(cast(a * b as float), cast(a - b as float)) as v",
            "cast(case when pmod(id, 10) = 3 then a < 0"
                + " else a + 0.5D * b + 0.1D * (c - 5) > 0 end as double) as label",
            "cast(1 as double) as weight",
            "false as held");
  }
}
