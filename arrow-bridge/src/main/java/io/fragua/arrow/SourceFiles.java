package io.fragua.arrow;

import java.util.Arrays;
import org.apache.spark.rdd.InputFileBlockHolder;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * From which file the rows of the present batch are, where Spark knows it: for errors. A batch of
 * columns is read from one file, which Spark names while the batch is used. Rows put together to a
 * batch may come from several; who does that says of each where it begins. One for each thread.
 */
final class SourceFiles {
  private static final ThreadLocal<SourceFiles> PRESENT = new ThreadLocal<>();

  private int[] begins = new int[4]; // rows, ascending
  private UTF8String[] files = new UTF8String[4];
  private int count;

  /** For batches that this thread puts together, until {@link #end}. */
  static SourceFiles begin() {
    SourceFiles s = new SourceFiles();
    PRESENT.set(s);
    return s;
  }

  static void end() {
    PRESENT.remove();
  }

  /** A batch begins. */
  void clear() {
    count = 0;
  }

  /** Hears of each row that is added. */
  void row(int row) {
    UTF8String file = InputFileBlockHolder.getInputFilePath();
    if (count > 0 && files[count - 1] == file) {
      return;
    }
    if (count == files.length) {
      files = Arrays.copyOf(files, 2 * count);
      begins = Arrays.copyOf(begins, 2 * count);
    }
    begins[count] = row;
    files[count++] = file;
  }

  /** The file of a row of the present batch; empty if it is not known. */
  static String of(int row) {
    SourceFiles s = PRESENT.get();
    UTF8String file;
    if (s == null) {
      file = InputFileBlockHolder.getInputFilePath();
    } else {
      int i = s.count - 1;
      while (i > 0 && s.begins[i] > row) {
        i--;
      }
      file = i < 0 ? null : s.files[i];
    }
    return file == null ? "" : file.toString();
  }
}
