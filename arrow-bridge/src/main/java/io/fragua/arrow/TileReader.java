package io.fragua.arrow;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import io.fragua.tensor.DType;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/**
 * Fills tiles from the columns of batches. Used by one task, which reads its partition in order
 * (errors count rows from the first that this reader read). Not thread-safe.
 */
public final class TileReader {
  // A column is taken from its vector as a whole, which is a copy of memory at best; the columns
  // are then woven into the row-major tile in blocks of rows that stay in the first-level cache,
  // first on the heap, where the JIT compiler is good at it, then by one bulk copy to the tile.
  private static final int BLOCK_NUMBERS = 4096;

  /** Of a wide tile too, so that whole cache lines of a column are used. */
  private static final int LEAST_ROWS = 16;

  private final List<TileSpec> specs;
  private final int[][] ordinals; // of each column of each tile, in a batch
  private final TileColumn[][] columns;
  private final TileColumn.Position position = new TileColumn.Position();
  private ColumnarBatch last;
  private int end; // of the rows of that batch that were read
  private float[] floatBlock = new float[0];
  private int[] intBlock = new int[0];

  /**
   * A reader.
   *
   * @param ordinals positions in a batch of {@link TileSpec#inputs}, in that order
   */
  public TileReader(List<TileSpec> tiles, int[] ordinals) {
    this.specs = List.copyOf(tiles);
    List<String> names = TileSpec.inputs(specs);
    Check.that(
        names.size() == ordinals.length,
        "tile reader: one ordinal per input column: %d ordinals, columns %s; pass those of"
            + " TileSpec.inputs",
        ordinals.length,
        names);
    Map<String, Integer> byName = new HashMap<>();
    for (int i = 0; i < ordinals.length; i++) {
      byName.put(names.get(i), ordinals[i]);
    }
    this.ordinals = new int[specs.size()][];
    this.columns = new TileColumn[specs.size()][];
    for (int t = 0; t < specs.size(); t++) {
      TileSpec spec = specs.get(t);
      int n = spec.columns().size();
      this.ordinals[t] = new int[n];
      columns[t] = new TileColumn[n];
      for (int c = 0; c < n; c++) {
        this.ordinals[t][c] = byName.get(spec.columns().get(c).name());
        InputColumn column = spec.columns().get(c);
        columns[t][c] =
            column
                .kind()
                .maker()
                .make(
                    new TileColumn.Spec(column, spec.keepInvalid(), spec.fill().get(c), position));
      }
    }
  }

  /**
   * A reader of batches that have all columns of this schema, in its order.
   *
   * @throws IllegalArgumentException if a column is missing or has a type it cannot be read from
   */
  public TileReader(List<TileSpec> tiles, StructType schema) {
    this(tiles, ordinals(tiles, schema));
  }

  private static int[] ordinals(List<TileSpec> tiles, StructType schema) {
    TileSpec.check(schema, tiles);
    return TileSpec.inputs(tiles).stream().mapToInt(n -> ordinal(schema, n)).toArray();
  }

  private static int ordinal(StructType schema, String name) {
    Check.that(
        !ColumnPath.isPath(schema, name),
        "tile reader: reads columns of the batch: \"%s\" is no column's own name; read it through"
            + " ColumnarMap, which makes a column of it",
        name);
    return schema.fieldIndex(ColumnTypes.field(schema, "tile reader", name).name());
  }

  /**
   * Fills rows [atRow, atRow + count) of each tile from rows [from, from + count) of the batch. The
   * ranges of a batch are read one after the other, the first from its row 0: a batch that was
   * filled anew is known by that.
   *
   * @param tiles one buffer per spec, row-major
   * @throws IllegalArgumentException naming column, row and value of one that is invalid
   */
  public void read(ColumnarBatch batch, int from, int count, Buffer[] tiles, int atRow) {
    Check.that(
        from >= 0 && count >= 0 && from + count <= batch.numRows(),
        "tile reader: rows must lie in the batch: [%d, %d) of %d; correct the range",
        from,
        from + count,
        batch.numRows());
    begin(batch, from, count);
    for (int t = 0; t < columns.length; t++) {
      long need = 4L * specs.get(t).width() * (atRow + count);
      Check.that(
          atRow >= 0 && need <= tiles[t].size(),
          "tile %s: the rows must fit its buffer: rows [%d, %d) of %d numbers, %d bytes; allocate"
              + " more",
          specs.get(t).name(),
          atRow,
          atRow + count,
          specs.get(t).width(),
          tiles[t].size());
      if (count == 0) {
        continue;
      }
      if (specs.get(t).dtype() == DType.F32) {
        floats(t, batch, from, count, tiles[t].bytes().asFloatBuffer(), atRow);
      } else {
        ints(t, batch, from, count, tiles[t].bytes().asIntBuffer(), atRow);
      }
    }
    position.before += count;
  }

  /**
   * Marks the rows of [from, from + count) that {@link #read} would fail on; ranges as there.
   *
   * @param marks true at the place of each such row in the range; other places stay as they are
   */
  public void mark(ColumnarBatch batch, int from, int count, boolean[] marks) {
    begin(batch, from, count);
    position.marks = marks;
    for (int t = 0; t < columns.length && count > 0; t++) {
      for (int c = 0; c < columns[t].length; c++) {
        if (specs.get(t).dtype() == DType.F32) {
          columns[t][c].floats(batch.column(ordinals[t][c]), from, count);
        } else {
          columns[t][c].ints(batch.column(ordinals[t][c]), from, count);
        }
      }
    }
    position.marks = null;
    position.before += count;
  }

  private void begin(ColumnarBatch batch, int from, int count) {
    // Readers of files refill one and the same batch.
    if (batch != last || from == 0 || from != end) {
      position.batch++;
    }
    last = batch;
    end = from + count;
    position.from = from;
  }

  private void floats(
      int t, ColumnarBatch batch, int from, int count, FloatBuffer tile, int atRow) {
    TileColumn[] cs = columns[t];
    float[][] parts = new float[cs.length][];
    for (int c = 0; c < cs.length; c++) {
      parts[c] = cs[c].floats(batch.column(ordinals[t][c]), from, count);
    }
    int width = specs.get(t).width();
    if (cs.length == 1) {
      tile.put(atRow * width, parts[0], 0, count * width);
      return;
    }
    int rows = Math.min(count, Math.max(LEAST_ROWS, BLOCK_NUMBERS / width));
    floatBlock = Numbers.fit(floatBlock, rows * width);
    for (int r = 0; r < count; r += rows) {
      int n = Math.min(rows, count - r);
      int at = 0;
      for (int c = 0; c < cs.length; c++) {
        int w = cs[c].column.width();
        weave(parts[c], r, n, w, floatBlock, at, width);
        at += w;
      }
      tile.put((atRow + r) * width, floatBlock, 0, n * width);
    }
  }

  private static void weave(float[] part, int row, int n, int w, float[] block, int at, int width) {
    if (w == 1) {
      for (int i = 0, o = at; i < n; i++, o += width) {
        block[o] = part[row + i];
      }
    } else {
      for (int i = 0, o = at; i < n; i++, o += width) {
        System.arraycopy(part, (row + i) * w, block, o, w);
      }
    }
  }

  private void ints(int t, ColumnarBatch batch, int from, int count, IntBuffer tile, int atRow) {
    TileColumn[] cs = columns[t];
    int[][] parts = new int[cs.length][];
    for (int c = 0; c < cs.length; c++) {
      parts[c] = cs[c].ints(batch.column(ordinals[t][c]), from, count);
    }
    int width = specs.get(t).width();
    if (cs.length == 1) {
      tile.put(atRow * width, parts[0], 0, count * width);
      return;
    }
    int rows = Math.min(count, Math.max(LEAST_ROWS, BLOCK_NUMBERS / width));
    intBlock = Numbers.fit(intBlock, rows * width);
    for (int r = 0; r < count; r += rows) {
      int n = Math.min(rows, count - r);
      int at = 0;
      for (int c = 0; c < cs.length; c++) {
        int w = cs[c].column.width();
        weave(parts[c], r, n, w, intBlock, at, width);
        at += w;
      }
      tile.put((atRow + r) * width, intBlock, 0, n * width);
    }
  }

  private static void weave(int[] part, int row, int n, int w, int[] block, int at, int width) {
    if (w == 1) {
      for (int i = 0, o = at; i < n; i++, o += width) {
        block[o] = part[row + i];
      }
    } else {
      for (int i = 0, o = at; i < n; i++, o += width) {
        System.arraycopy(part, (row + i) * w, block, o, w);
      }
    }
  }
}
