package io.fragua.spark.estimator;

import io.fragua.nn.Activations;
import io.fragua.nn.BatchNorm;
import io.fragua.nn.Dense;
import io.fragua.nn.Dropout;
import io.fragua.nn.Sequential;
import io.fragua.spark.train.EpochMetrics;
import io.fragua.tensor.Tensor;
import java.util.Arrays;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * What {@link DeterministicTest} runs in a process of its own with eight slots: one line per model,
 * a number of workers, a number of partitions and all its bits.
 */
final class DeterministicMain {
  private DeterministicMain() {}

  public static void main(String[] args) throws java.io.IOException {
    try (SparkSession spark =
        SparkSession.builder()
            .master("local[8]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "3")
            .getOrCreate()) {
      spark.sparkContext().setLogLevel("ERROR");
      Dataset<Row> rows = Frames.mixed(600);
      for (String[] c :
          new String[][] {{"1", "2"}, {"2", "1"}, {"3", "5"}, {"8", "3"}, {"2", "7"}}) {
        // Cached, else Spark makes one exchange of this and the one that puts rows in order.
        Dataset<Row> cut = rows.repartition(Integer.parseInt(c[1])).cache();
        print("MODEL", c, classifier(Integer.parseInt(c[0])).fit(cut));
      }
      print("OTHER", new String[] {"2", "1"}, classifier(2).setSeed(43).fit(rows));
    }
  }

  private static NeuralClassifier classifier(int workers) {
    return new NeuralClassifier()
        .setFeaturesCol("dense")
        .setCategoricalCols("city", "code")
        .setEmbeddingDim(2)
        .setLabelCol("blob")
        .setWeightCol("weight")
        .setNetwork(
            new Sequential(
                new Dense(12),
                new BatchNorm(),
                Activations.get("relu"),
                new Dropout(0.1),
                new Dense(3)))
        .setLearningRate(0.02)
        .setBatchSize(64)
        .setEpochs(3)
        .setValidationFraction(0.2)
        .setPatience(1)
        .setDeterministic(true)
        .setNumWorkers(workers);
  }

  private static void print(String word, String[] how, NeuralClassificationModel model) {
    StringBuilder bits = new StringBuilder();
    for (Tensor t : model.data().weights().values()) {
      bits.append(Integer.toHexString(Arrays.hashCode(t.toFloats()))).append('.');
    }
    for (EpochMetrics m : model.data().history()) {
      bits.append(Double.toHexString(m.trainLoss())).append(Double.toHexString(m.validationLoss()));
    }
    bits.append(Arrays.hashCode(model.data().data().means()));
    System.out.println(word + " " + how[0] + " " + how[1] + " " + bits);
  }
}
