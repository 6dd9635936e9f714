package io.fragua.spark.train;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import org.apache.spark.SparkEnv;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.TempLocalBlockId;
import scala.Tuple2;

/**
 * Files in Spark's local directories, compressed and encrypted as Spark's own spills are ({@code
 * spark.io.compression.codec}, {@code spark.io.encryption.enabled}). What a killed executor leaves
 * there, Spark removes with the application.
 */
final class SpillFiles {
  private static final int BUFFER = 1 << 16;

  /** Collects single rows before the codec, which has a buffer of its own. */
  private static final int SMALL = 1 << 12;

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

  /** One file. */
  final class Spill {
    private final BlockId id;
    private final File file;

    private Spill(BlockId id, File file) {
      this.id = id;
      this.file = file;
    }

    File file() {
      return file;
    }

    /** A stream that writes the whole file. */
    OutputStream write() throws IOException {
      return wrap(new FileOutputStream(file));
    }

    /** A stream over the whole file. */
    InputStream read() throws IOException {
      return wrap(new BufferedInputStream(new FileInputStream(file), BUFFER));
    }

    /** Compresses and encrypts into a stream, which is closed with this one. */
    OutputStream wrap(OutputStream to) {
      return new BufferedOutputStream(env.serializerManager().wrapStream(id, to), SMALL);
    }

    /** Undoes {@link #wrap(OutputStream)}. */
    InputStream wrap(InputStream from) {
      return env.serializerManager().wrapStream(id, from);
    }

    void delete() {
      if (!file.delete() && file.exists()) {
        throw failure("cannot be removed", new IOException(file.toString()));
      }
    }

    /** An error about this file. */
    UncheckedIOException failure(String what, IOException cause) {
      return new UncheckedIOException(
          "train: rows beyond the memory budget lie in Spark's local directories: "
              + file
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
