package io.fragua.spark.persist;

import io.fragua.tensor.Check;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;

/**
 * Reads and writes whole files of a model folder on any Hadoop file system, with size and SHA-256.
 * File names are constants of this package, never taken from a file, so no path leaves the folder.
 */
final class ModelFolder {
  static final String DATA = "data.json";
  static final String GRAPH = "graph.json";
  static final String NEXT = "graph-next.json";
  static final String WEIGHTS = "weights.safetensors";
  static final String METADATA = "metadata";

  /** What a file must be. */
  record Sum(long bytes, String sha256) {}

  private final Path root;
  private final FileSystem fs;

  private ModelFolder(String path, Configuration hadoop) throws IOException {
    root = new Path(path);
    fs = root.getFileSystem(hadoop);
  }

  /**
   * The folder of this name.
   *
   * @param local whether it is on this machine's disk, else on the session's default file system
   *     unless the name says another
   */
  static ModelFolder of(String path, boolean local, SparkSession spark) throws IOException {
    Configuration hadoop = spark.sessionState().newHadoopConf();
    return new ModelFolder(local ? "file:" + path : path, hadoop);
  }

  /** The file's full name, for errors. */
  String name(String file) {
    return new Path(root, file).toString();
  }

  boolean has(String file) throws IOException {
    return fs.exists(new Path(root, file));
  }

  /** Writes a file that is not there yet. */
  Sum write(String file, byte[] content) throws IOException {
    try (OutputStream out = fs.create(new Path(root, file), false)) {
      out.write(content);
    }
    return sum(content);
  }

  /**
   * Reads a file that must be as it was written.
   *
   * @throws IllegalArgumentException if it is missing, truncated or changed
   */
  byte[] read(String file, Sum expected) throws IOException {
    Path path = new Path(root, file);
    FileStatus status;
    try {
      status = fs.getFileStatus(path);
    } catch (FileNotFoundException e) {
      throw new IllegalArgumentException(
          path + ": a model needs this file: it is missing; copy the whole model folder", e);
    }
    Check.that(
        status.getLen() == expected.bytes(),
        "%s: must have the size it was saved with, %d bytes: %d bytes; the file is truncated or"
            + " replaced, copy the model folder again",
        path,
        expected.bytes(),
        status.getLen());
    Check.that(
        expected.bytes() <= Integer.MAX_VALUE - 64,
        "%s: a file of a model holds at most 2 GiB: %d bytes; use a smaller network",
        path,
        expected.bytes());
    byte[] content = new byte[(int) expected.bytes()];
    try (FSDataInputStream in = fs.open(path)) {
      in.readFully(content);
    } catch (ChecksumException e) { // of the file that a local file system keeps beside it
      throw new IllegalArgumentException(
          path
              + ": must have the content it was saved with, as its checksum file says: "
              + e.getMessage()
              + "; the file was changed, copy the model folder again",
          e);
    }
    Sum found = sum(content);
    Check.that(
        found.sha256().equals(expected.sha256()),
        "%s: must have the content it was saved with, SHA-256 %s: %s; the file was changed, copy"
            + " the model folder again",
        path,
        expected.sha256(),
        found.sha256());
    return content;
  }

  private static Sum sum(byte[] content) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
      return new Sum(content.length, HexFormat.of().formatHex(digest));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
