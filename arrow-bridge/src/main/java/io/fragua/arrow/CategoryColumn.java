package io.fragua.arrow;

import java.time.LocalDate;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.spark.sql.execution.vectorized.ConstantColumnVector;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.unsafe.types.UTF8String;

/** A string, binary or integer looked up in the column's vocabulary. */
final class CategoryColumn extends TileColumn {
  private final Vocabulary vocabulary;
  private float[] floats;
  private int[] ids;
  private int[] byDictionaryId = new int[0]; // the id + 1; 0 when not looked up in this batch
  private int[] entries = new int[64]; // of the dictionary that were looked up in this batch
  private int found; // how many
  private long batchOfEntries = -1;

  CategoryColumn(Spec spec) {
    super(spec);
    this.vocabulary = column.vocabulary();
  }

  @Override
  float[] floats(ColumnVector v, int from, int n) {
    ints(v, from, n);
    floats = Numbers.fit(floats, n);
    for (int i = 0; i < n; i++) {
      floats[i] = ids[i];
    }
    return floats;
  }

  @Override
  int[] ints(ColumnVector v, int from, int n) {
    ids = Numbers.fit(ids, n);
    if (vocabulary.type() == Vocabulary.Type.WHOLE) {
      integers(v, from, n);
    } else if (v instanceof ConstantColumnVector && n > 0) {
      Arrays.fill(ids, 0, n, name(v, from));
    } else if (v instanceof WritableColumnVector w && w.hasDictionary()) {
      dictionary(w, from, n);
    } else {
      for (int i = 0; i < n; i++) {
        ids[i] = name(v, from + i);
      }
    }
    for (int i = 0; i < n; i++) {
      if (ids[i] == vocabulary.offset()) {
        checkKnown(v, from + i);
      }
    }
    return ids;
  }

  /** Hears of a null or a value that is not known, whose id is the vocabulary's offset. */
  private void checkKnown(ColumnVector v, int row) {
    if (v.isNullAt(row)) {
      checkNull(row);
    } else if (isError(row)) {
      throw invalid(
          row,
          "values must be among the " + (vocabulary.size() - 1) + " known",
          switch (vocabulary.type()) {
            case TEXT -> "\"" + v.getUTF8String(row) + "\"";
            case BINARY -> "0x" + HexFormat.of().formatHex(v.getBinary(row));
            case WHOLE, INDEX -> shown(v.dataType(), Numbers.whole(v, v.dataType(), row));
          });
    }
  }

  /** A whole number as what the column's type says it is. */
  private static String shown(DataType type, long value) {
    return type instanceof DateType
        ? LocalDate.ofEpochDay(value).toString()
        : type instanceof BooleanType ? String.valueOf(value != 0) : String.valueOf(value);
  }

  private int name(ColumnVector v, int row) {
    return v.isNullAt(row) ? vocabulary.offset() : vocabulary.id(bytes(v, row));
  }

  private UTF8String bytes(ColumnVector v, int row) {
    return vocabulary.type() == Vocabulary.Type.TEXT
        ? v.getUTF8String(row)
        : BytesColumn.bytes(v, row);
  }

  private void integers(ColumnVector v, int from, int n) {
    long[] x = Numbers.longs(v, from, n);
    boolean nulls = v.hasNull();
    for (int i = 0; i < n; i++) {
      ids[i] = nulls && v.isNullAt(from + i) ? vocabulary.offset() : vocabulary.id(x[i]);
    }
  }

  /**
   * Looks each entry of the column's own dictionary up once per batch. What was found is forgotten
   * with the batch: the next may have another dictionary, which the vector does not tell.
   */
  private void dictionary(WritableColumnVector v, int from, int n) {
    if (position.batch != batchOfEntries) {
      batchOfEntries = position.batch;
      for (int i = 0; i < found; i++) {
        byDictionaryId[entries[i]] = 0;
      }
      found = 0;
    }
    WritableColumnVector dictionaryIds = v.getDictionaryIds();
    boolean nulls = v.hasNull();
    for (int i = 0; i < n; i++) {
      if (nulls && v.isNullAt(from + i)) {
        ids[i] = vocabulary.offset();
        continue;
      }
      int e = dictionaryIds.getDictId(from + i);
      if (e >= byDictionaryId.length) {
        byDictionaryId = Arrays.copyOf(byDictionaryId, Math.max(e + 1, 2 * byDictionaryId.length));
      }
      int id = byDictionaryId[e] - 1;
      if (id < 0) {
        id = vocabulary.id(bytes(v, from + i));
        byDictionaryId[e] = id + 1;
        if (found == entries.length) {
          entries = Arrays.copyOf(entries, 2 * found);
        }
        entries[found++] = e;
      }
      ids[i] = id;
    }
  }
}
