package io.fragua.pipelines.cluster;

import io.fragua.spark.estimator.NeuralClassificationModel;
import io.fragua.spark.estimator.NeuralClassifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/**
 * What a user would submit: a main class in a jar of its own, which names Fragua and brings none of
 * it. Nothing of it runs on executors. Prints one fact a line for {@link ClusterIT}.
 */
public final class UserApplication {
  private UserApplication() {}

  /** Learns on two workers, scores, and looks at the executors through Spark SQL's reflect. */
  public static void main(String[] args) throws IOException {
    try (SparkSession spark = SparkSession.builder().getOrCreate()) {
      fact("jars", spark.sparkContext().getConf().get("spark.jars"));
      fact(
          "fragua",
          NeuralClassifier.class.getProtectionDomain().getCodeSource().getLocation().getPath());
      Dataset<Row> rows =
          spark
              .range(0, 2000, 1, 4)
              .selectExpr(
                  "cast(id % 2 as double) as label",
                  "(id % 2) * 2 - 1 + (id % 7) / 10.0D as x", "concat('city ', id % 3) as city");
      NeuralClassificationModel model =
          new NeuralClassifier()
              .setNumericCols("x")
              .setCategoricalCols("city")
              .setHiddenLayers(8)
              .setBatchSize(50)
              .setEpochs(5)
              .setLearningRate(0.02)
              .setNumWorkers(2)
              .fit(rows);
      fact("trained", model.summary().epochs().get(0).rows());
      Dataset<Row> scored =
          model
              .transform(rows)
              .selectExpr(
                  property("user.dir"),
                  property("user.home"),
                  property("java.class.path") + " like '%fragua-%'",
                  property("org.bytedeco.javacpp.cachedir"),
                  "int(prediction = label)")
              .toDF("folder", "home", "bundled", "natives", "hit");
      Dataset<Row> executors =
          scored
              .groupBy("folder", "home", "bundled", "natives")
              .agg(functions.count("hit"), functions.sum("hit"));
      for (Row r : executors.collectAsList()) {
        fact("executor", r.mkString("|") + "|" + unpacked(Path.of(r.getString(3))));
      }
    }
  }

  /** A system property of the JVM that computes the row. */
  private static String property(String name) {
    return "reflect('java.lang.System', 'getProperty', '" + name + "')";
  }

  /** Whether oneDNN's library lies there; the executors are on this machine. */
  private static boolean unpacked(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.anyMatch(f -> f.getFileName().toString().startsWith("libdnnl.so"));
    }
  }

  private static void fact(String key, Object value) {
    System.out.println("FACT " + key + " " + value);
  }
}
