package io.fragua.spark.estimator;

import io.fragua.arrow.BatchFunction;
import io.fragua.arrow.ColumnarMap;
import io.fragua.arrow.ColumnarMetrics;
import io.fragua.arrow.InputColumn;
import io.fragua.arrow.Shuffles;
import io.fragua.arrow.TileReader;
import io.fragua.arrow.TileSpec;
import io.fragua.tensor.Buffer;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/**
 * Mean and deviation of each number of a column whose rows have a shape, in one pass. Each
 * partition gives one row; they are merged on the driver in the order of the partitions, so that
 * the result does not depend on which task is first.
 */
final class VectorStatistics implements BatchFunction {
  private static final long serialVersionUID = 1L;
  private static final int MAX_ROWS = 1024;

  /** From this width on it matters that vectors are written out ... */
  private static final int WIDE = 1000;

  /** ... if not one number in so many is other than 0. */
  private static final int SPARSE = 20;

  private final List<TileSpec> tiles;
  private final int width;

  private VectorStatistics(InputColumn column, boolean keep) {
    tiles = List.of(Tiles.numbers("x", List.of(column), keep));
    width = column.width();
  }

  /**
   * What was found.
   *
   * @param counts finite values of each element
   * @param means of the finite values of each element; 0 without any
   * @param squares sum of squared distances from the mean
   * @param filled one number: how many values are not 0
   */
  record Moments(long[] counts, double[] means, double[] squares, long[] filled) {
    Moments(int width) {
      this(new long[width], new double[width], new double[width], new long[1]);
    }

    /** Sample standard deviation of an element; 0 for fewer than two values. */
    double deviation(int i) {
      return counts[i] < 2 ? 0 : Math.sqrt(squares[i] / (counts[i] - 1));
    }

    /**
     * What to do where nearly all that is written out of vectors is 0.
     *
     * @param name of the column
     * @return null where nothing is to be done
     */
    String advice(String name) {
      long rows = Arrays.stream(counts).max().orElse(0);
      double each = rows == 0 ? 0 : (double) filled[0] / rows;
      return counts.length < WIDE || each * SPARSE > counts.length
          ? null
          : String.format(
              Locale.ROOT,
              "featuresCol: all numbers of a vector are written out, and of %d in a row of \"%s\""
                  + " %.1f are not 0 on average; name it in sparseCols instead, which keeps those",
              counts.length,
              name,
              each);
    }

    /** Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm", 1979. */
    private Moments plus(Moments b) {
      for (int i = 0; i < counts.length; i++) {
        long n = counts[i] + b.counts[i];
        if (n > 0) {
          double delta = b.means[i] - means[i];
          squares[i] += b.squares[i] + delta * delta * counts[i] / n * b.counts[i];
          means[i] += delta * b.counts[i] / n;
          counts[i] = n;
        }
      }
      filled[0] += b.filled[0];
      return this;
    }

    private byte[] toBytes() {
      ByteBuffer b = ByteBuffer.allocate(24 * counts.length + 8);
      for (int i = 0; i < counts.length; i++) {
        b.putLong(counts[i]).putDouble(means[i]).putDouble(squares[i]);
      }
      return b.putLong(filled[0]).array();
    }

    private static Moments of(byte[] bytes, int width) {
      ByteBuffer b = ByteBuffer.wrap(bytes);
      Moments m = new Moments(width);
      for (int i = 0; i < width; i++) {
        m.counts[i] = b.getLong();
        m.means[i] = b.getDouble();
        m.squares[i] = b.getDouble();
      }
      m.filled[0] = b.getLong();
      return m;
    }
  }

  /**
   * Runs one job over a column.
   *
   * @param keep whether invalid values are left out; otherwise the first fails the job
   */
  static Moments collect(Dataset<?> data, InputColumn column, boolean keep) {
    StructType out = new StructType().add("moments", DataTypes.BinaryType, false);
    Dataset<Row> parts =
        ColumnarMap.replace(
            data,
            List.of(column.name()),
            out,
            new VectorStatistics(column, keep),
            "vector statistics");
    Moments sum = new Moments(column.width());
    for (Row r : Shuffles.collected(parts)) {
      sum = sum.plus(Moments.of(r.getAs(0), column.width()));
    }
    return sum;
  }

  @Override
  public Iterator<ColumnarBatch> apply(
      Iterator<ColumnarBatch> in, int[] ordinals, ColumnarMetrics metrics) {
    return new Iterator<>() {
      private boolean done;

      @Override
      public boolean hasNext() {
        return !done;
      }

      @Override
      public ColumnarBatch next() {
        done = true;
        OnHeapColumnVector v = new OnHeapColumnVector(1, DataTypes.BinaryType);
        v.putByteArray(0, sum(in, ordinals).toBytes());
        return new ColumnarBatch(new ColumnVector[] {v}, 1);
      }
    };
  }

  private Moments sum(Iterator<ColumnarBatch> in, int[] ordinals) {
    TileReader reader = new TileReader(tiles, ordinals);
    int range = TileSpec.rowsAtOnce(tiles, MAX_ROWS);
    Buffer[] tile = {Buffer.collected(4L * range * width)};
    float[] values = new float[range * width];
    Moments total = new Moments(width);
    while (in.hasNext()) {
      ColumnarBatch batch = in.next();
      for (int from = 0; from < batch.numRows(); from += range) {
        int n = Math.min(range, batch.numRows() - from);
        reader.read(batch, from, n, tile, 0);
        tile[0].bytes().asFloatBuffer().get(values, 0, n * width);
        total = total.plus(moments(values, n));
      }
    }
    return total;
  }

  /** Two passes over values that are in the cache: exact where one pass would cancel. */
  private Moments moments(float[] values, int rows) {
    Moments m = new Moments(width);
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < width; i++) {
        float v = values[r * width + i];
        if (v == v) {
          m.counts[i]++;
          m.means[i] += v;
          m.filled[0] += v != 0 ? 1 : 0;
        }
      }
    }
    for (int i = 0; i < width; i++) {
      m.means[i] /= Math.max(1, m.counts[i]);
    }
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < width; i++) {
        float v = values[r * width + i];
        if (v == v) {
          m.squares[i] += (v - m.means[i]) * (v - m.means[i]);
        }
      }
    }
    return m;
  }
}
