package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Models that an earlier build has saved ({@link FormerModelMain}) predict as they did then, on any
 * Spark.
 */
class FormerModelTest {
  private static final String SCHEMA =
      "array array<float>, a double, b int, flag boolean, city string, code bigint,"
          + " words map<string, double>, predictionThen double, probabilityThen array<double>,"
          + " predictedThen double";

  private static Path folder;
  private static Dataset<Row> rows;

  /** From the class path, which may be a jar. */
  @BeforeAll
  static void copy() throws IOException {
    folder = Spark.folder("format-1");
    List<String> parts =
        List.of(
            "metadata/part-00000",
            "data.json",
            "graph.json",
            "graph-next.json",
            "weights.safetensors");
    Stream<String> models =
        Stream.of("classifier/", "regressor/").flatMap(m -> parts.stream().map(m::concat));
    for (String file : Stream.concat(models, Stream.of("rows.json")).toList()) {
      Path to = folder.resolve(file);
      Files.createDirectories(to.getParent());
      try (InputStream in = FormerModelTest.class.getResourceAsStream("/format-1/" + file)) {
        Files.copy(in, to);
      }
    }
    rows = Spark.session().read().schema(SCHEMA).json(folder.resolve("rows.json").toString());
  }

  @Test
  void aClassifierPredictsAsThen() {
    NeuralClassificationModel m =
        NeuralClassificationModel.load(folder.resolve("classifier").toString());
    List<Row> scored = m.transform(rows).collectAsList();
    assertEquals(20, scored.size());
    for (Row r : scored) {
      double[] then =
          r.<Double>getList(r.fieldIndex("probabilityThen")).stream().mapToDouble(d -> d).toArray();
      assertArrayEquals(then, r.<Vector>getAs("probability").toArray(), 1e-6);
      assertEquals(r.<Double>getAs("predictionThen"), r.<Double>getAs("prediction"));
    }
    assertArrayEquals(new int[] {4, 3}, m.getHiddenLayers());
    assertArrayEquals(new double[] {0.2, 0.3, 0.5}, m.getThresholds());
    assertEquals("gelu", m.getActivation());
    assertEquals(0.02, m.getLearningRate());
    assertEquals(3, m.summary().epochs().size());
  }

  @Test
  void aRegressorPredictsAsThen() {
    NeuralRegressionModel m = NeuralRegressionModel.load(folder.resolve("regressor").toString());
    List<Row> scored = m.transform(rows).collectAsList();
    assertEquals(20, scored.size());
    for (Row r : scored) {
      double then = r.getAs("predictedThen");
      assertEquals(then, r.getAs("predicted"), 1e-6 * then);
    }
    assertEquals(8, m.getInferenceBatchSize());
    assertEquals(240, m.summary().epochs().get(2).rows());
  }
}
