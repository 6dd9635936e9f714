package io.fragua.arrow;

import io.fragua.tensor.Check;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.unsafe.types.UTF8String;

/** What is known of one column so far. Two of them merge. Not thread-safe. */
final class ColumnAccumulator {
  // Mean and sum of squared deviations are taken per range in two passes over an array that is in
  // the cache, and merged by Chan's rule: as stable as Welford's update per value, without its
  // division per value.
  private final ColumnStatistics.Request request;
  private final Vocabulary.Type type; // null for a column that names nothing
  private final int maxCategories;
  private final Utf8Table strings; // null unless string or binary categories are asked for
  private final LongTable longs; // null unless integer categories are asked for
  private double[] counts = new double[16];
  private long rows;
  private long nulls;
  private long nans;
  private long n;
  private double mean;
  private double m2;
  private double min = Double.POSITIVE_INFINITY;
  private double max = Double.NEGATIVE_INFINITY;
  private int[] entryCounts = new int[0];
  private int[] entryRows = new int[0];
  private String minPlace;
  private String maxPlace;
  private String firstInvalid;
  private String firstPlace;
  private long firstRow = Long.MAX_VALUE; // of it

  ColumnAccumulator(ColumnStatistics.Request request, Vocabulary.Type type, int maxCategories) {
    this.request = request;
    this.type = type;
    this.maxCategories = maxCategories;
    boolean whole = type == Vocabulary.Type.WHOLE;
    this.strings = request.categories() && !whole ? new Utf8Table(16) : null;
    this.longs = request.categories() && whole ? new LongTable(16) : null;
  }

  /**
   * Adds the first {@code count} rows of a vector.
   *
   * @param weights how much each row counts for its distinct value; null for 1, as a null in it for
   *     0
   */
  void add(ColumnVector v, ColumnVector weights, int count) {
    if (v.hasNull()) {
      for (int i = 0; i < count; i++) {
        if (v.isNullAt(i)) {
          nulls++;
          invalid(i, Double.NaN, true);
        }
      }
    }
    if (request.numeric()) {
      numbers(v, Numbers.doubles(v, 0, count), count);
    }
    if (weights != null) {
      weighted(v, weights, count);
    } else if (strings != null) {
      text(v, count);
    } else if (longs != null) {
      integers(v, count);
    }
    rows += count;
  }

  private void invalid(int row, double value, boolean isNull) {
    if (rows + row < firstRow) {
      firstRow = rows + row;
      firstPlace = place(row);
      firstInvalid = (isNull ? "null" : value) + " in " + firstPlace;
    }
  }

  private String place(int row) {
    return TileColumn.place(rows + row, row);
  }

  private void numbers(ColumnVector v, double[] x, int count) {
    boolean hasNull = v.hasNull();
    int k = 0; // values that are finite in f32, moved to the front
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    double sum = 0;
    int least = -1;
    int largest = -1;
    for (int i = 0; i < count; i++) {
      double d = x[i];
      if (hasNull && v.isNullAt(i)) {
        continue;
      }
      if (Math.abs(d) <= Double.MAX_VALUE) {
        if (Math.abs((float) d) <= Float.MAX_VALUE) {
          x[k++] = d;
          sum += d;
          low = Math.min(low, d);
          high = Math.max(high, d);
        }
        if (d < min) {
          min = d;
          least = i;
        }
        if (d > max) {
          max = d;
          largest = i;
        }
      } else {
        nans++;
        invalid(i, d, false);
      }
    }
    if (least >= 0) { // once for all rows of a batch, for a place is a text
      minPlace = place(least);
    }
    if (largest >= 0) {
      maxPlace = place(largest);
    }
    if (k == 0) {
      return;
    }
    // A constant's deviation is 0, not what rounding leaves, by which a model would divide.
    double mean = low == high ? low : sum / k;
    double m2 = 0;
    for (int i = 0; i < k; i++) {
      m2 += (x[i] - mean) * (x[i] - mean);
    }
    merge(k, mean, m2);
  }

  private void merge(long k, double otherMean, double otherM2) {
    if (k == 0) {
      return;
    }
    if (n == 0) {
      mean = otherMean;
    }
    double delta = otherMean - mean;
    long both = n + k;
    mean += delta * ((double) k / both);
    m2 += otherM2 + delta * delta * ((double) n / both * k);
    n = both;
  }

  private void text(ColumnVector v, int count) {
    if (v instanceof WritableColumnVector w && w.hasDictionary()) {
      dictionary(w, count);
      return;
    }
    boolean hasNull = v.hasNull();
    for (int i = 0; i < count; i++) {
      if (!(hasNull && v.isNullAt(i))) {
        count(strings.add(name(v, i)), 1);
      }
    }
  }

  private UTF8String name(ColumnVector v, int row) {
    return type == Vocabulary.Type.TEXT ? v.getUTF8String(row) : BytesColumn.bytes(v, row);
  }

  /** Counts by the entries of the column's own dictionary, then looks each entry up once. */
  private void dictionary(WritableColumnVector v, int count) {
    int[] entries = v.getDictionaryIds().getInts(0, count);
    boolean hasNull = v.hasNull();
    for (int i = 0; i < count; i++) {
      if (!(hasNull && v.isNullAt(i))) {
        int e = entries[i];
        if (e >= entryCounts.length) {
          entryCounts = Arrays.copyOf(entryCounts, Math.max(e + 1, 2 * entryCounts.length));
          entryRows = Arrays.copyOf(entryRows, entryCounts.length);
        }
        entryCounts[e]++;
        entryRows[e] = i;
      }
    }
    for (int i = 0; i < count; i++) {
      if (!(hasNull && v.isNullAt(i))) {
        int e = entries[i];
        if (entryCounts[e] > 0) {
          count(strings.add(name(v, entryRows[e])), entryCounts[e]);
          entryCounts[e] = 0;
        }
      }
    }
  }

  private void integers(ColumnVector v, int count) {
    long[] x = Numbers.longs(v, 0, count);
    boolean hasNull = v.hasNull();
    for (int i = 0; i < count; i++) {
      if (!(hasNull && v.isNullAt(i))) {
        count(longs.add(x[i]), 1);
      }
    }
  }

  private void weighted(ColumnVector v, ColumnVector weights, int count) {
    double[] w = Numbers.doubles(weights, 0, count);
    long[] x = longs == null ? null : Numbers.longs(v, 0, count);
    for (int i = 0; i < count; i++) {
      if (!v.isNullAt(i)) {
        int position = longs == null ? strings.add(name(v, i)) : longs.add(x[i]);
        count(position, weights.isNullAt(i) ? 0 : w[i]);
      }
    }
  }

  private void count(int position, double times) {
    Check.that(
        position < maxCategories,
        "column %s: a categorical column has at most %d distinct values: it has more; leave it"
            + " out, hash it to fewer values, or use it as a number",
        request.column(),
        maxCategories);
    if (position >= counts.length) {
      counts = Arrays.copyOf(counts, Utf8Table.grown(position));
    }
    counts[position] += times;
  }

  void merge(ColumnAccumulator o) {
    rows += o.rows;
    nulls += o.nulls;
    nans += o.nans;
    firstPlace = firstInvalid == null ? o.firstPlace : firstPlace;
    firstInvalid = firstInvalid == null ? o.firstInvalid : firstInvalid;
    merge(o.n, o.mean, o.m2);
    minPlace = o.min < min ? o.minPlace : minPlace;
    maxPlace = o.max > max ? o.maxPlace : maxPlace;
    min = Math.min(min, o.min);
    max = Math.max(max, o.max);
    for (int p = 0; p < o.categories(); p++) {
      count(strings != null ? strings.add(o.shown(p)) : longs.add(o.longs.key(p)), o.counts[p]);
    }
  }

  /** A value as the vocabulary is to have it; a text need not be UTF-8. */
  private UTF8String shown(int position) {
    UTF8String key = strings.key(position);
    return type == Vocabulary.Type.TEXT ? Vocabulary.shown(key) : key;
  }

  private int categories() {
    return strings != null ? strings.size() : longs != null ? longs.size() : 0;
  }

  ColumnStatistics.Column result() {
    boolean some = request.numeric() && n > 0;
    String[] texts = null;
    byte[][] binaries = null;
    long[] numbers = null;
    double[] times = null;
    if (strings != null) {
      UTF8String[] keys =
          IntStream.range(0, strings.size()).mapToObj(strings::key).toArray(UTF8String[]::new);
      Arrays.sort(keys, UTF8String::binaryCompare);
      if (type == Vocabulary.Type.TEXT) {
        texts = Arrays.stream(keys).map(UTF8String::toString).toArray(String[]::new);
      } else {
        binaries = Arrays.stream(keys).map(UTF8String::getBytes).toArray(byte[][]::new);
      }
      times = Arrays.stream(keys).mapToDouble(k -> counts[strings.find(k)]).toArray();
    } else if (longs != null) {
      numbers = IntStream.range(0, longs.size()).mapToLong(longs::key).sorted().toArray();
      times = Arrays.stream(numbers).mapToDouble(k -> counts[longs.find(k)]).toArray();
    }
    return new ColumnStatistics.Column(
        rows,
        nulls,
        nans,
        some ? mean : Double.NaN,
        some ? (n > 1 ? Math.sqrt(m2 / (n - 1)) : 0) : Double.NaN,
        min <= max ? min : Double.NaN,
        min <= max ? max : Double.NaN,
        texts,
        binaries,
        numbers,
        times,
        firstInvalid,
        firstPlace,
        minPlace,
        maxPlace);
  }

  /** As bytes, for the way from task to driver. */
  byte[] write() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      for (long l : new long[] {rows, nulls, nans, n}) {
        out.writeLong(l);
      }
      for (double d : new double[] {mean, m2, min, max}) {
        out.writeDouble(d);
      }
      for (String s : new String[] {firstInvalid, firstPlace, minPlace, maxPlace}) {
        out.writeUTF(s == null ? "" : s);
      }
      out.writeInt(categories());
      for (int p = 0; p < categories(); p++) {
        out.writeDouble(counts[p]);
        if (strings != null) {
          byte[] b = strings.key(p).getBytes();
          out.writeInt(b.length);
          out.write(b);
        } else {
          out.writeLong(longs.key(p));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
    return bytes.toByteArray();
  }

  private static String text(DataInputStream in) throws IOException {
    String s = in.readUTF();
    return s.isEmpty() ? null : s;
  }

  /** Merges what another one wrote. */
  void merge(byte[] bytes) {
    ColumnAccumulator o = new ColumnAccumulator(request, type, maxCategories);
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      o.rows = in.readLong();
      o.nulls = in.readLong();
      o.nans = in.readLong();
      o.n = in.readLong();
      o.mean = in.readDouble();
      o.m2 = in.readDouble();
      o.min = in.readDouble();
      o.max = in.readDouble();
      o.firstInvalid = text(in);
      o.firstPlace = text(in);
      o.minPlace = text(in);
      o.maxPlace = text(in);
      int size = in.readInt();
      for (int p = 0; p < size; p++) {
        double times = in.readDouble();
        o.count(
            strings != null
                ? o.strings.add(UTF8String.fromBytes(in.readNBytes(in.readInt())))
                : o.longs.add(in.readLong()),
            times);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
    merge(o);
  }
}
