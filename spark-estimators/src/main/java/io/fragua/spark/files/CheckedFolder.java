package io.fragua.spark.files;

import io.fragua.tensor.Check;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Reads and writes whole files of one folder on any Hadoop file system, with size and SHA-256. File
 * names come from the code, never from a file's content, so no path leaves the folder. Thread-safe
 * as the file system is.
 */
public class CheckedFolder {
  /** Files that are being written; what begins so is no one's to read. */
  private static final String UNFINISHED = "_unfinished-";

  /**
   * What a file must be.
   *
   * @param bytes its size
   * @param sha256 of its content, hexadecimal
   */
  public record Sum(long bytes, String sha256) {}

  private final Path root;
  private final FileSystem fs;
  private final String noun;
  private final String remedy;

  /**
   * A folder that need not exist.
   *
   * @param noun what its files make up, for errors: {@code model}
   * @param remedy what to do when a file is not as it was written, for errors
   * @throws IOException if there is no such file system
   */
  public CheckedFolder(String path, Configuration hadoop, String noun, String remedy)
      throws IOException {
    root = new Path(path);
    fs = root.getFileSystem(hadoop);
    this.noun = noun;
    this.remedy = remedy;
  }

  /** The file's full name, for errors. */
  public String name(String file) {
    return new Path(root, file).toString();
  }

  /** Whether there is such a file or folder. */
  public boolean has(String file) throws IOException {
    return fs.exists(new Path(root, file));
  }

  /** Names of the finished files, in no order; none if there is no folder. */
  public List<String> list() throws IOException {
    List<String> names = new ArrayList<>();
    try {
      for (FileStatus s : fs.listStatus(root)) {
        if (s.isFile() && !s.getPath().getName().startsWith(UNFINISHED)) {
          names.add(s.getPath().getName());
        }
      }
    } catch (FileNotFoundException e) {
      return List.of(); // nothing was written yet
    }
    return names;
  }

  /** Writes a file that is not there yet. */
  public Sum write(String file, byte[] content) throws IOException {
    try (OutputStream out = fs.create(new Path(root, file), false)) {
      out.write(content);
    }
    return sum(content);
  }

  /**
   * Writes a file that others see whole or not at all: under another name, which is then changed. A
   * file of this name is replaced.
   */
  public Sum replace(String file, byte[] content) throws IOException {
    Path unfinished = new Path(root, UNFINISHED + UUID.randomUUID());
    Path target = new Path(root, file);
    try {
      try (OutputStream out = fs.create(unfinished, false)) {
        out.write(content);
      }
      fs.delete(target, false);
      if (!fs.rename(unfinished, target)) {
        throw new IOException(unfinished + " cannot be renamed to " + target);
      }
    } catch (Throwable t) {
      try {
        fs.delete(unfinished, false);
      } catch (IOException e) {
        t.addSuppressed(e);
      }
      throw t;
    }
    return sum(content);
  }

  /** Removes a file, if it is there. */
  public void remove(String file) throws IOException {
    fs.delete(new Path(root, file), false);
  }

  /** Removes what writers left that did not live to finish. Nobody may be writing. */
  public void removeUnfinished() throws IOException {
    FileStatus[] left =
        fs.exists(root)
            ? fs.listStatus(root, p -> p.getName().startsWith(UNFINISHED))
            : new FileStatus[0];
    for (FileStatus s : left) {
      fs.delete(s.getPath(), false);
    }
  }

  /**
   * Reads a file that must be as it was written.
   *
   * @throws IllegalArgumentException if it is missing, truncated or changed
   */
  public byte[] read(String file, Sum expected) throws IOException {
    Path path = new Path(root, file);
    checkSize(path, expected);
    byte[] content = read(path, expected.bytes(), Integer.MAX_VALUE - 64);
    checkContent(path, expected, sha256(content));
    return content;
  }

  /** As {@link #read}, but looks at the content only, which may be larger than memory. */
  public void check(String file, Sum expected) throws IOException {
    Path path = new Path(root, file);
    checkSize(path, expected);
    MessageDigest digest = digest();
    try (FSDataInputStream in = fs.open(path)) {
      in.transferTo(new DigestOutputStream(OutputStream.nullOutputStream(), digest));
    } catch (ChecksumException e) {
      throw changed(path, e);
    }
    checkContent(path, expected, HexFormat.of().formatHex(digest.digest()));
  }

  private void checkSize(Path path, Sum expected) throws IOException {
    long length = length(path);
    Check.that(
        length == expected.bytes(),
        "%s: must have the size it was saved with, %d bytes: %d bytes; the file is truncated or"
            + " replaced, %s",
        path,
        expected.bytes(),
        length,
        remedy);
  }

  private void checkContent(Path path, Sum expected, String sha256) {
    Check.that(
        sha256.equals(expected.sha256()),
        "%s: must have the content it was saved with, SHA-256 %s: %s; the file was changed, %s",
        path,
        expected.sha256(),
        sha256,
        remedy);
  }

  /**
   * Reads a file whose content will show whether it is what it should be.
   *
   * @param most bytes it may have
   * @throws IllegalArgumentException if it is missing or larger
   */
  public byte[] readUnchecked(String file, int most) throws IOException {
    Path path = new Path(root, file);
    return read(path, length(path), most);
  }

  private long length(Path path) throws IOException {
    try {
      return fs.getFileStatus(path).getLen();
    } catch (FileNotFoundException e) {
      throw new IllegalArgumentException(
          path + ": a " + noun + " needs this file: it is missing; " + remedy, e);
    }
  }

  private byte[] read(Path path, long length, int most) throws IOException {
    Check.that(
        length <= most,
        "%s: a file of a %s holds at most %d bytes: %d bytes; use a smaller network",
        path,
        noun,
        most,
        length);
    byte[] content = new byte[(int) length];
    try (FSDataInputStream in = fs.open(path)) {
      in.readFully(content);
    } catch (ChecksumException e) {
      throw changed(path, e);
    }
    return content;
  }

  /** What a file's own checksum says, which a local file system keeps beside it. */
  private IllegalArgumentException changed(Path path, ChecksumException e) {
    return new IllegalArgumentException(
        path
            + ": must have the content it was saved with, as its checksum file says: "
            + e.getMessage()
            + "; the file was changed, "
            + remedy,
        e);
  }

  private static Sum sum(byte[] content) {
    return new Sum(content.length, sha256(content));
  }

  /** SHA-256, hexadecimal. */
  public static String sha256(byte[] content) {
    return HexFormat.of().formatHex(digest().digest(content));
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
