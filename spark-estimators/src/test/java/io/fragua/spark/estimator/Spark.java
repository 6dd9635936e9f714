package io.fragua.spark.estimator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.SparkPlan;

/** One local session for all tests of this package, and folders that vanish with the JVM. */
final class Spark {
  private Spark() {}

  /** Two tasks at once; started on first use. */
  static synchronized SparkSession session() {
    return SparkSession.builder()
        .master("local[2]")
        .appName("fragua-estimators")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", folder("warehouse").toString())
        .getOrCreate();
  }

  /** The physical plan; of a query that was run, with its metrics. */
  static SparkPlan executed(Dataset<Row> data) {
    return ((org.apache.spark.sql.classic.Dataset<Row>) data).queryExecution().executedPlan();
  }

  /** The physical plan, as {@code explain()} shows it. */
  static String plan(Dataset<Row> data) {
    return executed(data).toString();
  }

  /** A path in a new temporary folder; nothing is there yet. */
  static Path folder(String name) {
    try {
      Path root = Files.createTempDirectory("fragua-test");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(root)));
      return root.resolve(name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path root) {
    try (Stream<Path> all = Files.walk(root)) {
      all.sorted(Comparator.reverseOrder()).forEach(p -> p.toFile().delete());
    } catch (IOException e) {
      System.err.println("Left behind: " + root + " (" + e + ")");
    }
  }
}
