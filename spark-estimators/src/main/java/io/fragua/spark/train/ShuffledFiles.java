package io.fragua.spark.train;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * All training rows in the order of one epoch, on disk: a file for each run of consecutive buckets
 * that fits in memory, its rows still in their own order, each after the number of its bucket.
 */
final class ShuffledFiles implements AutoCloseable {
  /** Gives the rows in their own order, block by block. */
  interface Source {
    /** The next rows, or null after the last. */
    byte[] next();
  }

  private final Shuffle shuffle;
  private final SpillFiles.Spill[] files;
  private final int[] starts;

  /**
   * Distributes the rows.
   *
   * @param windows number of files
   */
  ShuffledFiles(Source rows, Shuffle shuffle, int rowBytes, int windows, SpillFiles spill) {
    this.shuffle = shuffle;
    files = new SpillFiles.Spill[windows];
    starts = new int[windows + 1];
    OutputStream[] out = new OutputStream[windows];
    int w = 0;
    try {
      for (; w < windows; w++) {
        files[w] = spill.create();
        out[w] = files[w].write();
      }
      int i = 0;
      for (byte[] block = rows.next(); block != null; block = rows.next()) {
        for (int at = 0; at < block.length; at += rowBytes) {
          int bucket = shuffle.bucket(i++);
          w = window(bucket);
          starts[w + 1]++;
          out[w].write(bucket >>> 24);
          out[w].write(bucket >>> 16);
          out[w].write(bucket >>> 8);
          out[w].write(bucket);
          out[w].write(block, at, rowBytes);
        }
      }
      for (w = 0; w < windows; w++) {
        out[w].close();
        out[w] = null;
        starts[w + 1] += starts[w];
      }
    } catch (IOException e) {
      throw abandon(out, files[w].failure("cannot be written", e));
    } catch (RuntimeException e) {
      throw abandon(out, e);
    }
  }

  private RuntimeException abandon(OutputStream[] out, RuntimeException why) {
    for (OutputStream o : out) {
      try {
        if (o != null) {
          o.close();
        }
      } catch (IOException e) {
        why.addSuppressed(e);
      }
    }
    close();
    return why;
  }

  private int window(int bucket) {
    return (int) ((long) bucket * files.length / shuffle.buckets());
  }

  /** The first bucket of a window. */
  private int first(int window) {
    return (int) (((long) window * shuffle.buckets() + files.length - 1) / files.length);
  }

  /** The window that holds a position of the order. */
  int windowAt(int position) {
    int w = java.util.Arrays.binarySearch(starts, position);
    w = w < 0 ? -w - 2 : w;
    while (starts[w + 1] <= position) { // windows without rows
      w++;
    }
    return w;
  }

  int windows() {
    return files.length;
  }

  /** Reads a window. */
  void load(int w, Window into) {
    try (InputStream in = files[w].read()) {
      int count = starts[w + 1] - starts[w];
      into.load(in, shuffle, starts[w], count, first(w), first(w + 1) - 1);
    } catch (IOException e) {
      throw files[w].failure("cannot be read", e);
    }
  }

  @Override
  public void close() {
    for (SpillFiles.Spill f : files) {
      if (f != null) {
        f.close();
      }
    }
  }
}
