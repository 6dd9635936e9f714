package io.fragua.spark.estimator;

import io.fragua.spark.train.NetworkProbe;
import io.fragua.spark.train.Patience;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.StageInfo;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import scala.jdk.javaapi.CollectionConverters;

/**
 * What {@link KryoTest} runs in a process of its own: a cluster of two executors with two cores,
 * where Kryo writes what Java's serialisation does elsewhere, and refuses classes that nobody has
 * registered. Prints what came of each training.
 */
final class KryoMain {
  private KryoMain() {}

  public static void main(String[] args) throws Exception {
    try (SparkSession spark =
        SparkSession.builder()
            .master("local-cluster[2,2,1024]")
            .config("spark.ui.enabled", "false")
            .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "120s")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.executor.extraClassPath", args[0])
            .config("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
            .config("spark.kryo.registrationRequired", "true")
            .getOrCreate()) {
      spark.sparkContext().setLogLevel("ERROR");
      // Either has room for two workers, which are to be of both.
      Patience.until(() -> spark.sparkContext().getExecutorIds().size() == 2);
      for (String way : List.of("barrier", "localSgd")) {
        System.out.println(way + " " + results(spark, way, 0, args[1] + "/" + way));
      }
      Workers workers = new Workers();
      spark.sparkContext().addSparkListener(workers);
      System.out.println("cores " + results(spark, "barrier", 2, args[1] + "/cores"));
      spark.sparkContext().listenerBus().waitUntilEmpty(60_000);
      System.out.println("asked for " + workers.cores);
      System.out.println("probe " + NetworkProbe.run(spark.sparkContext(), 2, 1000, 1).workers());
    }
  }

  /** The cores that each task asks for in which a worker trains. */
  private static final class Workers extends SparkListener {
    private final List<Integer> cores = new ArrayList<>();

    @Override
    public void onStageSubmitted(SparkListenerStageSubmitted e) {
      StageInfo stage = e.stageInfo();
      if (CollectionConverters.asJava(stage.rddInfos()).stream()
          .anyMatch(r -> r.name().startsWith("fragua-train"))) {
        var profiles = SparkContext.getOrCreate().resourceProfileManager();
        int each =
            (int) profiles.resourceProfileFromId(stage.resourceProfileId()).getTaskCpus().get();
        cores.addAll(Collections.nCopies(stage.numTasks(), each));
      }
    }
  }

  /**
   * Hash of what a model learnt in this way predicts, and of what it does when loaded again.
   *
   * @param cores of a worker, and as many workers as then run at once; 0 for two workers
   */
  static String results(SparkSession spark, String way, int cores, String folder) throws Exception {
    Dataset<Row> data =
        spark
            .range(0, 300, 1, 2)
            .selectExpr("id % 2 as label", "id % 7 - id % 2 as a", "string(id % 3) as city");
    NeuralClassificationModel model =
        new NeuralClassifier()
            .setNumericCols("a")
            .setCategoricalCols("city")
            .setHiddenLayers(4)
            .setBatchSize(50)
            .setEpochs(3)
            .setNumWorkers(cores == 0 ? 2 : 0)
            .setWorkerCpus(cores)
            .setDistribution(way)
            .setLocalSteps(2)
            .setValidationFraction(0.2)
            .setCheckpointDir(folder + "/checkpoints")
            .fit(data);
    model.save(folder + "/model");
    return hash(model, data)
        + " "
        + hash(NeuralClassificationModel.load(folder + "/model"), data)
        + " "
        + model.summary().epochs().size();
  }

  private static int hash(NeuralClassificationModel model, Dataset<Row> data) {
    return Arrays.hashCode(model.transform(data).select("probability").collectAsList().toArray());
  }
}
