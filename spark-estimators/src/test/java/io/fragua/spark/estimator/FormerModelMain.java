package io.fragua.spark.estimator;

import static org.apache.spark.ml.functions.vector_to_array;
import static org.apache.spark.sql.functions.col;

import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Made what {@link FormerModelTest} reads, the folder {@code format-1} of the tests' resources: two
 * models, and rows with what they predicted then. Another format gets another folder; this one
 * stays as it is.
 */
final class FormerModelMain {
  private FormerModelMain() {}

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    NeuralClassificationModel classifier =
        new NeuralClassifier()
            .setLabelCol("blob")
            .setFeaturesCol("array")
            .setNumericCols("a", "flag")
            .setCategoricalCols("city", "code")
            .setSparseCols("words")
            .setEmbeddingDim(2)
            .setHiddenLayers(4, 3)
            .setActivation("gelu")
            .setDropout(0.1)
            .setValidationFraction(0.2)
            .setBatchSize(20)
            .setEpochs(3)
            .setLearningRate(0.02)
            .setThresholds(0.2, 0.3, 0.5)
            .setHandleInvalid("keep")
            .setInferenceBatchSize(8)
            .fit(EstimatorCases.data());
    NeuralRegressionModel regressor =
        new NeuralRegressor()
            .setLabelCol("amount")
            .setPredictionCol("predicted")
            .setNumericCols("a", "b")
            .setCategoricalCols("city")
            .setHiddenLayers(4)
            .setBatchSize(20)
            .setEpochs(3)
            .setLearningRate(0.02)
            .setHandleInvalid("keep")
            .setInferenceBatchSize(8)
            .fit(EstimatorCases.data());
    Files.createDirectories(folder);
    classifier.write().saveToLocal(folder.resolve("classifier").toString());
    regressor.write().saveToLocal(folder.resolve("regressor").toString());
    Dataset<Row> rows =
        EstimatorCases.data()
            .limit(20)
            .selectExpr(
                "array",
                "if(b % 11 = 0, null, a) as a",
                "b",
                "flag",
                "if(b % 5 = 0, null, if(b % 5 = 1, 'Rome', city)) as city", // or unseen
                "code",
                "if(b % 7 = 0, map('Lima', 2.0, 'Rome', 1.0), words) as words");
    Dataset<Row> scored =
        regressor
            .transform(classifier.transform(rows))
            .withColumn("probabilityThen", vector_to_array(col("probability"), "float64"))
            .withColumnRenamed("prediction", "predictionThen")
            .withColumnRenamed("predicted", "predictedThen")
            .drop("rawPrediction", "probability");
    Files.write(folder.resolve("rows.json"), scored.toJSON().collectAsList());
  }
}
