package io.fragua.spark.train;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import org.apache.spark.SparkEnv;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.TempLocalBlockId;
import scala.Tuple2;

/**
 * Files in Spark's local directories, compressed and encrypted as Spark's own spills are ({@code
 * spark.io.compression.codec}, {@code spark.io.encryption.enabled}). A file loses its name as soon
 * as it is open, before anything is written, so that no row is left when its process ends, however
 * it ends: what a killed executor leaves, Spark removes only with the application, and a killed
 * driver's never.
 */
final class SpillFiles {
  private final SparkEnv env;

  SpillFiles(SparkEnv env) {
    this.env = env;
  }

  /** A file that is not there yet. */
  Spill create() {
    Tuple2<TempLocalBlockId, File> block =
        env.blockManager().diskBlockManager().createTempLocalBlock();
    return new Spill(block._1(), block._2());
  }

  /** One file, there until it is closed. Used by one thread at a time. */
  final class Spill implements AutoCloseable {
    private final BlockId id;
    private final File name; // that it had
    private final RandomAccessFile file;

    private Spill(BlockId id, File name) {
      this.id = id;
      this.name = name;
      try {
        file = new RandomAccessFile(name, "rw");
        Files.delete(name.toPath());
      } catch (IOException e) {
        throw failure("cannot be written", e);
      }
    }

    RandomAccessFile file() {
      return file;
    }

    /** Compresses and encrypts into a stream, which is closed with this one. */
    OutputStream wrap(OutputStream to) {
      return env.serializerManager().wrapStream(id, to);
    }

    /** Undoes {@link #wrap(OutputStream)}. */
    InputStream wrap(InputStream from) {
      return env.serializerManager().wrapStream(id, from);
    }

    @Override
    public void close() {
      try {
        file.close();
      } catch (IOException e) {
        throw failure("cannot be closed", e);
      }
    }

    /** An error about this file. */
    UncheckedIOException failure(String what, IOException cause) {
      return new UncheckedIOException(
          "train: rows beyond the memory budget lie in Spark's local directories: "
              + name
              + " "
              + what
              + ": "
              + cause
              + "; make room there (spark.local.dir), use more workers, or raise "
              + StoreBudget.KEY,
          cause);
    }
  }
}
