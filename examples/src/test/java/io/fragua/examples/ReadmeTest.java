package io.fragua.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fragua.examples.flightdelays.SmallFlights;
import io.fragua.spark.estimator.NeuralClassifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program of the project's README, run; and checks that the README shows what is there. */
class ReadmeTest {
  private static final Path ROOT = Path.of("..");

  @Test
  void theProgramRuns(@TempDir Path temp) throws IOException {
    String data = SmallFlights.write(SmallFlights.spark(), temp, 500);
    String folder = temp.resolve("model").toString();
    // readme
    SparkSession spark = SparkSession.builder().getOrCreate();
    Dataset<Row> flights =
        spark
            .read()
            .parquet(data)
            .selectExpr("*", "hour(date) AS hour", "delay > 15 AS late"); // a label of truth values

    NeuralClassifier classifier =
        new NeuralClassifier()
            .setNumericCols("distance")
            .setCategoricalCols("origin", "destination", "hour")
            .setLabelCol("late")
            .setHiddenLayers(64)
            .setEpochs(3);
    PipelineModel model = new Pipeline().setStages(new PipelineStage[] {classifier}).fit(flights);
    model.save(folder);

    Dataset<Row> scored = PipelineModel.load(folder).transform(flights);
    scored.select("origin", "hour", "probability", "prediction").show();
    // end
    assertEquals(flights.count(), scored.count());
    assertEquals(0, scored.where("prediction NOT IN (0, 1)").count());
    spark.stop();
  }

  @Test
  void theReadmeShowsThisProgram() throws IOException {
    String source =
        Files.readString(Path.of("src/test/java/io/fragua/examples/ReadmeTest.java"))
            .split(" *// readme\n")[1]
            .split(" *// end\n")[0]
            .stripTrailing()
            .stripIndent();
    String readme = Files.readString(ROOT.resolve("README.md"));
    assertTrue(
        readme.contains("```java\n" + source + "\n```"), "README.md should show:\n" + source);
  }

  @Test
  void theReadmesLinksLead() throws IOException {
    String readme = Files.readString(ROOT.resolve("README.md"));
    Matcher link = Pattern.compile("]\\(([^)#:]+)\\)").matcher(readme);
    int links = 0;
    while (link.find()) {
      assertTrue(Files.exists(ROOT.resolve(link.group(1))), link.group(1));
      links++;
    }
    assertTrue(links >= 8, "only " + links + " links found");
  }
}
