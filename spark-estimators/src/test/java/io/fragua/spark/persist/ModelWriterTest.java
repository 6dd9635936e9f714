package io.fragua.spark.persist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.spark.estimator.NeuralClassificationModel;
import io.fragua.spark.estimator.NeuralClassifier;
import java.nio.file.Path;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is refused before anything is written or removed; saved models are in EstimatorTest. */
class ModelWriterTest {
  @TempDir Path temp;

  @Test
  void aModelThatIsTooLargeTakesNoOtherAway() throws Exception {
    SparkSession spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate();
    NeuralClassificationModel model =
        new NeuralClassifier()
            .setNumericCols("x")
            .setLabelCol("y")
            .setHiddenLayers(2)
            .setEpochs(1)
            .fit(spark.range(10).selectExpr("double(id) as x", "id % 2 as y"));
    String path = temp.resolve("model").toString();
    model.save(path);
    ModelData[] data = new ModelData[1];
    new ModelReader<>(
            NeuralClassificationModel.class,
            (uid, d) -> {
              data[0] = d;
              return new NeuralClassificationModel(uid);
            })
        .load(path);
    long bytes = data[0].bytes();
    MLWriter small = new ModelWriter(model, data[0], bytes - 1).overwrite();
    assertEquals(
        model.uid()
            + ": a saved model holds at most "
            + (bytes - 1)
            + " bytes of weights: "
            + bytes
            + " bytes; use a smaller network",
        assertThrows(IllegalArgumentException.class, () -> small.save(path)).getMessage());
    assertEquals(model.uid(), NeuralClassificationModel.load(path).uid(), "the one before");
    new ModelWriter(model, data[0], bytes).overwrite().save(path);
  }
}
