package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.apache.spark.ml.image.ImageSchema;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Files of pictures through Spark's own image source: dark ones in the folder {@code label=0},
 * bright ones in {@code label=1}. One of them is no picture, another has another size.
 */
class ImageFilesTest {
  private static final int GOOD = 24;
  private static String folder;

  @BeforeAll
  static void write() throws IOException {
    Path root = Spark.folder("pictures");
    folder = root.toString();
    for (int label = 0; label < 2; label++) {
      Files.createDirectories(root.resolve("label=" + label));
    }
    for (int i = 0; i < GOOD; i++) {
      picture(root.resolve("label=" + i % 2), i, 8, i % 3 == 0 ? "jpg" : "png");
    }
    picture(root.resolve("label=1"), GOOD + 1, 9, "png");
    Files.writeString(root.resolve("label=0/broken.png"), "no picture");
  }

  /** Of one colour, and brighter than 127 where its number is odd. */
  private static void picture(Path folder, int number, int size, String type) throws IOException {
    BufferedImage image = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
    int level = number % 2 * 140 + number;
    for (int i = 0; i < size * size; i++) {
      image.setRGB(i % size, i / size, level << 16 | 100 << 8 | level);
    }
    assertTrue(ImageIO.write(image, type, folder.resolve(number + "." + type).toFile()));
  }

  private static Dataset<Row> pictures() {
    return Spark.session().read().format("image").load(folder);
  }

  private static NeuralClassifier classifier() {
    return new NeuralClassifier()
        .setFeaturesCol("image")
        .setHiddenLayers()
        .setBatchSize(6)
        .setEpochs(10)
        .setLearningRate(0.01);
  }

  @ParameterizedTest
  @CsvSource({"skip, 24", "keep, 26"})
  void picturesAreLearntAndScored(String handleInvalid, int rows) throws Exception {
    NeuralClassificationModel model = classifier().setHandleInvalid(handleInvalid).fit(pictures());
    assertEquals(rows, model.summary().epochs().get(0).rows());
    assertEquals(List.of(8, 8, 3), model.data().data().numbers().get(0).shape());
    Dataset<Row> scored = model.transform(pictures());
    assertEquals(rows, scored.count());
    assertEquals(GOOD, right(scored));
    StructType schema = ImageSchema.imageSchema().add("label", "int");
    Dataset<Row> stream =
        model.transform(Spark.session().readStream().schema(schema).format("image").load(folder));
    String table = "pictures_" + handleInvalid;
    var query = stream.writeStream().format("memory").queryName(table).start();
    try {
      query.processAllAvailable();
      assertEquals(rows, Spark.session().table(table).count());
      assertEquals(GOOD, right(Spark.session().table(table)));
    } finally {
      query.stop();
    }
  }

  private static long right(Dataset<Row> scored) {
    return scored.filter("prediction = label and image.width = 8").count();
  }

  @Test
  void aFileThatIsNoPictureIsNamed() {
    NeuralClassifier c = classifier(); // handleInvalid is error
    Dataset<Row> broken = pictures().filter("image.width != 9");
    assertNamed(() -> c.fit(broken));
    NeuralClassificationModel model = c.fit(pictures().filter("image.width = 8"));
    assertNamed(() -> model.transform(broken).collect());
  }

  private static void assertNamed(Executable action) {
    String text = BehaviourTest.chain(assertThrows(Exception.class, action));
    assertTrue(
        text.matches(
            "(?s).*column image: an image must have 8 bits a channel \\(CV_8U\\): mode -1 in row"
                + " \\d+ of partition \\d+ \\(both counted from 0\\), file"
                + " file:[^\n]*/label=0/broken.png; correct the data, .*"),
        text);
  }
}
