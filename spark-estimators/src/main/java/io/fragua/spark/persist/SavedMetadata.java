package io.fragua.spark.persist;

import io.fragua.tensor.Check;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.sql.SparkSession;

/** Spark's own part of a saved stage: class, uid and parameters. */
final class SavedMetadata {
  private SavedMetadata() {}

  private static java.nio.file.Path localFile(String path) {
    return java.nio.file.Path.of(path, ModelFolder.METADATA, "part-00000");
  }

  /** Writes metadata where Spark's readers look for them, on this machine's disk. */
  static void writeLocal(String path, String metadata) throws IOException {
    Files.createDirectories(localFile(path).getParent());
    Files.writeString(localFile(path), metadata + "\n");
  }

  /**
   * Reads the metadata of a stage that must be of this class.
   *
   * @throws IllegalArgumentException if they are missing, damaged or another class's
   */
  static DefaultParamsReader.Metadata load(
      String path, boolean local, SparkSession spark, Class<?> type) {
    String file;
    try {
      ModelFolder folder = ModelFolder.of(path, local, spark);
      file = folder.name(ModelFolder.METADATA);
      Check.that(
          folder.has(ModelFolder.METADATA),
          "%s: a saved stage has this folder: it is missing; check the path, or copy the whole"
              + " folder",
          file);
    } catch (IOException e) {
      throw new UncheckedIOException(
          path
              + ": a saved stage must be readable: "
              + e.getMessage()
              + "; check the path and the file system",
          e);
    }
    try {
      return local
          ? DefaultParamsReader.parseMetadata(Files.readString(localFile(path)), type.getName())
          : DefaultParamsReader.loadMetadata(path, spark, type.getName());
    } catch (Exception e) { // Scala declares none, yet throws checked ones too
      throw new IllegalArgumentException(
          file
              + ": must hold the metadata of a "
              + type.getSimpleName()
              + ": "
              + e.getMessage()
              + "; load it with the right class, or copy the folder again",
          e);
    }
  }

  /**
   * Sets the saved parameters, which a damaged file or a newer version may hold others of.
   *
   * @param file the metadata's name, for errors
   * @throws IllegalArgumentException if the stage has no such parameter, or not of such a value
   */
  static void setParams(String file, DefaultParamsReader.Metadata meta, Params stage) {
    try {
      meta.getAndSetParams(stage, scala.Option.empty());
    } catch (Exception e) { // as above
      throw new IllegalArgumentException(
          file
              + ": must hold parameters of a "
              + stage.getClass().getSimpleName()
              + ": "
              + e.getMessage()
              + "; copy the folder again, or load it with the Fragua that saved it",
          e);
    }
  }
}
