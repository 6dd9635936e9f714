package io.fragua.spark.train;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs of rows in one file, each compressed by itself, so that they can be read in another order
 * than they came. Written by one thread; read by several.
 */
final class SpilledBlocks implements AutoCloseable {
  private final int rowBytes;
  private final SpillFiles.Spill spill;
  private final RandomAccessFile file;
  private final List<Block> blocks = new ArrayList<>();
  private long end;

  /** Where rows lie in the file. */
  record Block(long offset, int bytes, int rows) {}

  SpilledBlocks(SpillFiles files, int rowBytes) {
    this.rowBytes = rowBytes;
    spill = files.create();
    file = spill.file();
  }

  /** Writes rows; the block's number. */
  int append(byte[] bytes, int from, int rows) {
    try {
      ByteArrayOutputStream packed = new ByteArrayOutputStream(rows * rowBytes / 2 + 1024);
      try (OutputStream out = spill.wrap(packed)) {
        out.write(bytes, from, rows * rowBytes);
      }
      file.seek(end);
      file.write(packed.toByteArray());
      blocks.add(new Block(end, packed.size(), rows));
      end += packed.size();
      return blocks.size() - 1;
    } catch (IOException e) {
      throw spill.failure("cannot be written", e);
    }
  }

  /** The rows of a block. */
  byte[] read(int block) {
    Block b = blocks.get(block);
    byte[] packed = new byte[b.bytes()];
    byte[] rows = new byte[b.rows() * rowBytes];
    try {
      synchronized (file) {
        file.seek(b.offset());
        file.readFully(packed);
      }
      try (InputStream in = spill.wrap(new ByteArrayInputStream(packed))) {
        if (in.readNBytes(rows, 0, rows.length) < rows.length) {
          throw new IOException("a block of " + rows.length + " bytes ends early");
        }
      }
      return rows;
    } catch (IOException e) {
      throw spill.failure("cannot be read", e);
    }
  }

  /** Rows of a block. */
  int rows(int block) {
    return blocks.get(block).rows();
  }

  /** Bytes on disk. */
  long bytes() {
    return end;
  }

  @Override
  public void close() {
    spill.close();
  }
}
