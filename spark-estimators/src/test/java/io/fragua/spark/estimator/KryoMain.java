package io.fragua.spark.estimator;

import io.fragua.spark.train.BarrierTrainer;
import io.fragua.spark.train.Distribution;
import io.fragua.spark.train.NetworkProbe;
import io.fragua.spark.train.Patience;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * What {@link KryoTest} runs in a process of its own: a cluster of two executors, where Kryo writes
 * what Java's serialisation does elsewhere, and refuses classes that nobody has registered. Prints
 * what came of each training.
 */
final class KryoMain {
  private KryoMain() {}

  public static void main(String[] args) throws Exception {
    try (SparkSession spark =
        SparkSession.builder()
            .master("local-cluster[2,1,1024]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.executor.extraClassPath", args[0])
            .config("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
            .config("spark.kryo.registrationRequired", "true")
            .getOrCreate()) {
      spark.sparkContext().setLogLevel("ERROR");
      // As many workers as there are slots: two, when both executors have come.
      Patience.until(() -> BarrierTrainer.slots(spark.sparkContext(), Distribution.PLAIN) == 2);
      for (String way : List.of("barrier", "localSgd")) {
        System.out.println(way + " " + results(spark, way, args[1] + "/" + way));
      }
      System.out.println("probe " + NetworkProbe.run(spark.sparkContext(), 2, 1000, 1).workers());
    }
  }

  /**
   * Hash of what a model learnt in this way predicts, and of what it does when loaded again;
   * epochs, and workers, as many as there are slots, that ran at once.
   */
  static String results(SparkSession spark, String way, String folder) throws Exception {
    Dataset<Row> data =
        spark
            .range(0, 300, 1, 2)
            .selectExpr("id % 2 as label", "id % 7 - id % 2 as a", "string(id % 3) as city");
    int[] workers = new int[1];
    SparkListener barriers =
        new SparkListener() {
          @Override
          public void onStageSubmitted(SparkListenerStageSubmitted e) {
            if (e.stageInfo().rddInfos().exists(r -> r.name().startsWith("fragua-train"))) {
              workers[0] = e.stageInfo().numTasks();
            }
          }
        };
    spark.sparkContext().addSparkListener(barriers);
    NeuralClassificationModel model =
        new NeuralClassifier()
            .setNumericCols("a")
            .setCategoricalCols("city")
            .setHiddenLayers(4)
            .setBatchSize(50)
            .setEpochs(3)
            .setDistribution(way)
            .setLocalSteps(2)
            .setValidationFraction(0.2)
            .setCheckpointDir(folder + "/checkpoints")
            .fit(data);
    spark.sparkContext().listenerBus().waitUntilEmpty(60_000);
    spark.sparkContext().removeSparkListener(barriers);
    model.save(folder + "/model");
    return hash(model, data)
        + " "
        + hash(NeuralClassificationModel.load(folder + "/model"), data)
        + " "
        + model.summary().epochs().size()
        + " "
        + workers[0];
  }

  private static int hash(NeuralClassificationModel model, Dataset<Row> data) {
    return Arrays.hashCode(model.transform(data).select("probability").collectAsList().toArray());
  }
}
