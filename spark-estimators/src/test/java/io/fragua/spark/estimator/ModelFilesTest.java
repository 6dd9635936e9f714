package io.fragua.spark.estimator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A damaged model is refused with a message that begins with the file's name. */
class ModelFilesTest {
  private static final String SAVED_BY =
      "; copy the folder again, or load it with the Fragua that saved it";
  private static Path saved;

  @BeforeAll
  static void save() throws IOException {
    saved = Spark.folder("model");
    new NeuralClassifier()
        .setLabelCol("blob")
        .setNumericCols("a")
        .setCategoricalCols("city", "code")
        .setEmbeddingDim(2)
        .setHiddenLayers(3)
        .setEpochs(1)
        .fit(EstimatorCases.data())
        .save(saved.toString());
  }

  /** Damage done to a copy of the model. */
  private interface Damage {
    void to(Path model) throws Exception;
  }

  /**
   * One way to damage a model.
   *
   * @param whole whether the first part is all that follows the file's name
   * @param parts of the message
   */
  private record Row(String name, Damage damage, String file, boolean whole, String... parts) {}

  private static Row row(String name, String file, Damage damage, String... parts) {
    return new Row(name, damage, file, false, parts);
  }

  private static Row exactly(String name, String file, Damage damage, String message) {
    return new Row(name, damage, file, true, message);
  }

  private static byte[] read(String file) {
    try {
      return Files.readAllBytes(saved.resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] tampered(String file) {
    byte[] b = read(file);
    b[b.length / 2] ^= 1;
    return b;
  }

  private static Stream<Row> rows() {
    List<String> files =
        List.of("data.json", "graph.json", "graph-next.json", "weights.safetensors");
    Stream<Row> each =
        files.stream()
            .flatMap(
                f ->
                    Stream.of(
                        exactly(
                            "missing " + f,
                            f,
                            m -> Files.delete(m.resolve(f)),
                            "a model needs this file: it is missing; copy the model folder again"),
                        exactly(
                            "truncated " + f,
                            f,
                            m ->
                                Files.write(
                                    m.resolve(f), Arrays.copyOf(read(f), read(f).length - 1)),
                            String.format(
                                "must have the size it was saved with, %d bytes: %d bytes; the file"
                                    + " is truncated or replaced, copy the model folder again",
                                read(f).length, read(f).length - 1)),
                        exactly(
                            "tampered " + f,
                            f,
                            m -> Files.write(m.resolve(f), tampered(f)),
                            String.format(
                                "must have the content it was saved with, SHA-256 %s: %s; the file"
                                    + " was changed, copy the model folder again",
                                sha256(read(f)), sha256(tampered(f))))));
    Stream<Row> more =
        Stream.of(
            exactly(
                "no metadata",
                "metadata",
                m -> delete(m.resolve("metadata")),
                "a saved stage has this folder: it is missing; check the path, or copy the whole"
                    + " folder"),
            row(
                "broken metadata",
                "metadata",
                m -> metadata(m, s -> s.substring(0, s.length() / 2)),
                "must hold the metadata of a NeuralClassificationModel: "),
            row(
                "another class",
                "metadata",
                m ->
                    metadata(
                        m, s -> s.replace("NeuralClassificationModel", "NeuralRegressionModel")),
                "must hold the metadata of a NeuralClassificationModel: ",
                "NeuralRegressionModel",
                "load it with the right class"),
            exactly(
                "a newer format",
                "metadata",
                m -> metadata(m, s -> s.replace("\"formatVersion\":1", "\"formatVersion\":2")),
                "this version of Fragua reads formats 1 to 1: format 2; load the model with a newer"
                    + " Fragua"),
            row(
                "no format",
                "metadata",
                m -> metadata(m, s -> s.replace("\"formatVersion\":1", "\"other\":1")),
                "must hold the model's format version"),
            row(
                "no sums",
                "metadata",
                m -> metadata(m, s -> s.replace("\"graph.json\":", "\"graf.json\":")),
                "must hold size and SHA-256 of graph.json"),
            row(
                "an unknown parameter",
                "metadata",
                m -> metadata(m, s -> s.replace("\"hiddenLayers\"", "\"futureParam\"")),
                "must hold parameters of a NeuralClassificationModel: ",
                "futureParam",
                SAVED_BY),
            row(
                "a parameter out of range",
                "metadata",
                m -> metadata(m, s -> s.replaceAll("\"epochs\":\\d+", "\"epochs\":0")),
                "must hold parameters of a NeuralClassificationModel: ",
                "epochs: must be",
                SAVED_BY),
            row(
                "a parameter of another type",
                "metadata",
                m -> metadata(m, s -> s.replaceAll("\"epochs\":\\d+", "\"epochs\":\"many\"")),
                "must hold parameters of a NeuralClassificationModel: ",
                SAVED_BY),
            row(
                "no parameters",
                "metadata",
                m -> metadata(m, s -> s.replace("\"paramMap\"", "\"other\"")),
                "must hold parameters of a NeuralClassificationModel: ",
                SAVED_BY),
            row(
                "a version of Spark that is none",
                "metadata",
                m ->
                    metadata(
                        m, s -> s.replaceAll("\"sparkVersion\":\"[^\"]*", "\"sparkVersion\":\"x")),
                "must hold parameters of a NeuralClassificationModel: ",
                SAVED_BY),
            row(
                "a corrupt length of the safetensors header, with matching sum",
                "weights.safetensors",
                m ->
                    rewrite(
                        m,
                        "weights.safetensors",
                        b -> {
                          b[3] = 0x7f;
                          return b;
                        }),
                "a header has at most 100000000 bytes: length ",
                "; the file is damaged or of another kind"),
            exactly(
                "a corrupt safetensors header, with matching sum",
                "weights.safetensors",
                m ->
                    rewrite(
                        m,
                        "weights.safetensors",
                        b -> {
                          b[8] = '[';
                          return b;
                        }),
                "the header must be JSON without repeated names: Unexpected character; the file is"
                    + " damaged or of another kind"),
            row(
                "weights of another shape, with matching sum",
                "weights.safetensors",
                m -> text(m, "weights.safetensors", s -> s.replace("[3,3]", "[1,9]")),
                "must hold every weight of the network: param:output.kernel is f32[1, 9], needed"
                    + " f32[3, 3]"),
            row(
                "a graph of an unknown op, with matching sum",
                "graph.json",
                m -> text(m, "graph.json", s -> s.replace("\"relu\"", "\"shell\"")),
                "shell"),
            row(
                "a graph of other inputs, with matching sum",
                "graph.json",
                m -> text(m, "graph.json", s -> s.replace("\"ids\"", "\"idz\"")),
                "must map the described columns to the described classes"),
            row(
                "an oversized shape, with matching sum",
                "graph.json",
                m -> text(m, "graph.json", s -> s.replaceFirst("1024", "2147483647")),
                "graph"),
            row(
                "a description without means, with matching sum",
                "data.json",
                m -> text(m, "data.json", s -> s.replace("\"means\"", "\"meanz\"")),
                "\"means\" must be a list"),
            row(
                "a repeated category, with matching sum",
                "data.json",
                m -> text(m, "data.json", s -> s.replace("\"Lima\"", "\"Oslo\"")),
                "\"Oslo\" twice"),
            row(
                "no JSON, with matching sum",
                "data.json",
                m -> text(m, "data.json", s -> "no JSON"),
                "must be JSON"));
    return Stream.concat(each, more);
  }

  @TestFactory
  Stream<DynamicTest> isRefused() {
    return rows()
        .map(
            r ->
                DynamicTest.dynamicTest(
                    r.name(),
                    () -> {
                      Path copy = copy();
                      r.damage().to(copy);
                      String message =
                          assertThrows(
                                  IllegalArgumentException.class,
                                  () -> NeuralClassificationModel.load(copy.toString()))
                              .getMessage();
                      assertTrue(message.startsWith(copy.resolve(r.file()) + ": "), message);
                      if (r.whole()) {
                        assertEquals(copy.resolve(r.file()) + ": " + r.parts()[0], message);
                      }
                      for (String part : r.parts()) {
                        assertTrue(message.contains(part), message);
                      }
                    }));
  }

  @Test
  void aCopyIsFine() throws IOException {
    NeuralClassificationModel m = NeuralClassificationModel.load(copy().toString());
    assertEquals(3, m.numClasses());
    assertEquals("1024", "" + m.getInferenceBatchSize());
    assertEquals(List.of("a", "city", "code"), m.data().data().columns());
    assertEquals(4 * (7 * 2 + 5 * 3 + 3 + 3 * 3 + 3), m.estimatedSize());
  }

  @Test
  void aPathThatIsNotThere() {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> NeuralClassificationModel.load("/no/where"))
            .getMessage();
    assertTrue(message.startsWith("/no/where/metadata: a saved stage has this folder"), message);
  }

  @Test
  void aTamperedFileIsRefusedByItsNameWhereHadoopNoticesFirst() throws IOException {
    Path to = copy();
    Files.copy(saved.resolve(".graph.json.crc"), to.resolve(".graph.json.crc"));
    Files.write(to.resolve("graph.json"), tampered("graph.json"));
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> NeuralClassificationModel.load(to.toString()))
            .getMessage();
    String start =
        to.resolve("graph.json")
            + ": must have the content it was saved with, as its checksum file says: ";
    assertTrue(message.startsWith(start), message);
    assertTrue(message.endsWith("; the file was changed, copy the model folder again"), message);
  }

  @Test
  void anEstimatorIsNotLoadedAsAnother() throws IOException {
    Path path = Spark.folder("estimator");
    new NeuralRegressor().save(path.toString());
    for (Path wrong : List.of(path, saved)) {
      String message =
          assertThrows(
                  IllegalArgumentException.class, () -> NeuralClassifier.load(wrong.toString()))
              .getMessage();
      String start = wrong.resolve("metadata") + ": must hold the metadata of a NeuralClassifier: ";
      assertTrue(message.startsWith(start), message);
      assertTrue(
          message.contains(wrong == saved ? "NeuralClassificationModel" : "NeuralRegressor"));
      assertTrue(message.endsWith("; load it with the right class, or copy the folder again"));
    }
    String missing =
        assertThrows(IllegalArgumentException.class, () -> NeuralClassifier.load("/no/where"))
            .getMessage();
    assertEquals(
        "/no/where/metadata: a saved stage has this folder: it is missing; check the path, or copy"
            + " the whole folder",
        missing);
  }

  @Test
  void anEstimatorsDamagedParametersAreRefused() throws IOException {
    for (String epochs : List.of("0", "\"many\"")) {
      Path path = Spark.folder("estimator");
      new NeuralRegressor().setEpochs(7).save(path.toString());
      metadata(path, s -> s.replace("\"epochs\":7", "\"epochs\":" + epochs));
      String message =
          assertThrows(IllegalArgumentException.class, () -> NeuralRegressor.load(path.toString()))
              .getMessage();
      String start = path.resolve("metadata") + ": must hold parameters of a NeuralRegressor: ";
      assertTrue(message.startsWith(start), message);
      assertTrue(message.endsWith(SAVED_BY), message);
    }
  }

  private static Path copy() throws IOException {
    Path to = Spark.folder("copy");
    try (Stream<Path> all = Files.walk(saved)) {
      for (Path p : all.toList()) {
        if (!p.getFileName().toString().endsWith(".crc")) { // Hadoop would notice before we do
          Files.copy(p, to.resolve(saved.relativize(p).toString()));
        }
      }
    }
    return to;
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path p : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    }
  }

  private static void metadata(Path model, UnaryOperator<String> change) throws IOException {
    boolean changed = false;
    try (Stream<Path> all = Files.list(model.resolve("metadata"))) {
      for (Path p : all.filter(f -> f.getFileName().toString().startsWith("part-")).toList()) {
        String before = Files.readString(p);
        String after = change.apply(before);
        changed |= !after.equals(before);
        Files.writeString(p, after);
        // Hadoop would notice before we do.
        Files.deleteIfExists(p.resolveSibling("." + p.getFileName() + ".crc"));
      }
    }
    assertTrue(changed, "the damage must be done");
  }

  private static void text(Path model, String file, UnaryOperator<String> change)
      throws IOException {
    rewrite(
        model,
        file,
        b ->
            change
                .apply(new String(b, StandardCharsets.ISO_8859_1))
                .getBytes(StandardCharsets.ISO_8859_1));
  }

  /** Changes a file and makes the metadata agree, as a careful attacker would. */
  private static void rewrite(Path model, String file, UnaryOperator<byte[]> change)
      throws IOException {
    byte[] before = Files.readAllBytes(model.resolve(file));
    byte[] after = change.apply(before.clone());
    assertTrue(!java.util.Arrays.equals(before, after), "the damage must be done");
    Files.write(model.resolve(file), after);
    String sum = "\"" + file + "\":{\"bytes\":%d,\"sha256\":\"%s\"}";
    metadata(
        model,
        s -> {
          String old = String.format(sum, before.length, sha256(before));
          assertTrue(s.contains(old), s);
          return s.replaceAll(
              java.util.regex.Pattern.quote(old),
              Matcher.quoteReplacement(String.format(sum, after.length, sha256(after))));
        });
  }

  private static String sha256(byte[] b) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(b));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new UncheckedIOException(new IOException(e));
    }
  }
}
